"""docs/results.py: what it makes of builds; the builds themselves are its own to run."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest
from compare_files import metrics, model

ROOT = Path(__file__).resolve().parents[2]


def load() -> Any:
    """The program as a module."""
    spec = importlib.util.spec_from_file_location("results_page", ROOT / "docs/results.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


results = load()
CONFIG = {
    "dataset": {"train_images": 1000},
    "train": {"epochs": 30},
    "model": {"imgsz": 192},
}
AGREE = {"within_one_quantum": 0.98412, "map50_95_difference": -0.0}


def build(name: str, target: str, keypoints: float | None = None, **figures: Any) -> Any:
    measured = metrics(0.61, keypoints=keypoints)
    measured |= {"agreement": AGREE if target == "grove_v2" else None}
    return results.Built(name, target, model(target=target, **figures), measured, CONFIG)


def rows(text: str, title: str) -> list[list[str]]:
    """Cells of the first table below a heading."""
    part = text.partition(f"## {title}\n\n")[2].split("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in part.splitlines()]


@pytest.fixture
def text() -> str:
    bare = {"latency_ms": None, "npu_percent": None, "arena_bytes": None}
    builds = [
        build("yolov8n", "grove_v2"),
        build("yolov8n", "spacemit_k1", **bare),
        build("yolov8n_pose", "grove_v2", 0.4),
    ]
    found: str = results.page(builds, ["a: b 1"], ["train.epochs=1"])
    return found


def test_float_beside_int8(text: str) -> None:
    found = rows(text, "As on the board")
    assert found[2] == [
        "`yolov8n`", "`grove_v2`", "boxes", "0.620", "**0.610**", "1.00", "0.720", "0.710",
        "an interpreter 1",
    ]  # fmt: skip
    assert [row[2] for row in found[2:]] == ["boxes", "boxes", "boxes", "keypoints"]
    assert found[5][4] == "**0.400**"


def test_what_is_not_known_is_a_dash(text: str) -> None:
    grove, k1, _ = rows(text, "Cost")[2:]
    assert grove[2:] == [
        "2,790", "293", "26 %", "vela 5.2.0", "50.3", "vela's estimate", "100 %"]  # fmt: skip
    assert k1[2:] == ["2,790", *["–"] * 6]
    shown = [line for line in text.splitlines() if "| 0.30 |" in line]
    assert shown[0].endswith("| 0.900 | 0.800 | 0.850 | 98.41 % | 0.00 |")
    assert shown[1].endswith("| 0.850 | – | – |")


def test_a_shared_network_is_told_once(text: str) -> None:
    found = rows(text, "Comparable")[2:]
    assert found[0][2:] == ["`pytorch`", "onnxruntime 1", "0.620", "0.720"]
    assert [row[:2] for row in found] == [
        ["`yolov8n`", "boxes"], ["`yolov8n_pose`", "boxes"], ["`yolov8n_pose`", "keypoints"]
    ]  # fmt: skip
    assert text.count("| 1000 | 200 val | 192 px | 30 |") == 2


def test_the_page_says_how_it_was_made(text: str) -> None:
    assert "Written by `python docs/results.py train.epochs=1`" in text
    assert text.endswith("## Versions\n\n- a: b 1\n")
    assert "\n\n\n" not in text
    for line in text.splitlines():
        if line.startswith("|"):
            assert line.endswith(" |")


def test_every_version_is_locked() -> None:
    lines = list(results.tool_versions(lambda name: (ROOT / f"toolchains/{name}.lock").read_text()))
    assert len(lines) == len(results.VERSIONS)
    assert all(any(char.isdigit() for char in line) for line in lines)


def test_it_knows_the_projects_models_and_boards() -> None:
    for name in results.MODELS:
        assert (ROOT / f"conf/model/{name}.yaml").exists()
    for name in results.TARGETS:
        assert (ROOT / f"conf/target/{name}.yaml").exists()
