"""What needs a network says so where there is none, quickly, and loses nothing."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from e2e.checkout import Checkout

NAMESPACE = ("unshare", "--map-root-user", "--net", "--", "true")
QUICK = 60.0
"""Seconds after which a person would think that nothing happens."""


def _has_namespaces() -> bool:
    try:
        return subprocess.run(NAMESPACE, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


needs_namespaces = pytest.mark.skipif(
    not _has_namespaces(), reason="the kernel lets nobody make a network namespace"
)


def _fails(project: Checkout, *arguments: str, environment: dict[str, str]) -> str:
    before = project.kept()
    said = project.doit(*arguments, environment=environment)
    assert said.code == 1, said.text
    assert "Traceback" not in said.text
    assert project.kept() == before
    return said.text


def test_a_toolchain_cannot_be_fetched(workshop: Checkout, tmp_path: Path) -> None:
    place = tmp_path / "tool chains"
    nowhere = {
        "UV_DEFAULT_INDEX": "http://127.0.0.1:9/",
        "UV_CACHE_DIR": str(tmp_path / "cache"),
    }
    change = ("quant.calibration.seed=99", f'toolchain.dir="{place}"')
    began = time.monotonic()
    text = _fails(workshop, *change, environment=nowhere)
    assert time.monotonic() - began < QUICK
    assert "to download" in text  # said before it is tried
    assert "FAILED toolchain: toolchain images could not be installed. Is there a network?" in text
    assert "Nothing that was built is lost" in text
    assert not list(place.glob("images-*"))
    assert workshop.build() == []


@needs_namespaces
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ("dataset=coco8", "dataset"),
            ("coco8", "downloaded by ultralytics", "dataset=digits or dataset=custom"),
        ),
        (
            ("dataset=coco8", "train=none", "model.weights=yolov8n.pt", "export"),
            ("model.weights=yolov8n.pt", "model.weights=my.pt"),
        ),
    ],
)
def test_ultralytics_cannot_download(
    workshop: Checkout, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    project = workshop.only_target().without_network()
    text = _fails(project, *arguments, environment={})
    for word in words:
        assert word in text


def test_a_toolchain_in_a_folder_of_an_awkward_name(workshop: Checkout, tmp_path: Path) -> None:
    """The smallest one, from what installing it before has left in uv's cache."""
    place = tmp_path / "Werkzeuge, größer 工具"
    arguments = ("target.vela.optimise=Size", f'toolchain.dir="{place}"')
    said = workshop.doit(*arguments, environment={"UV_OFFLINE": "1"})
    if "network was disabled" in said.text:
        pytest.skip("uv's cache was emptied since the main job was built")
    assert said.code == 0, said.text
    assert [path.name.partition("-")[0] for path in place.glob("[a-z]*")] == ["vela"]
    assert workshop.build(*arguments) == []
