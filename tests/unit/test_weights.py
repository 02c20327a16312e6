"""What `model.weights` can mean."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from edgemake.errors import UserError
from edgemake.step import Output, UserFile
from stages import weights


def config(value: str | None, train: str = "none", **changes: str) -> Any:
    model = {
        "weights": value,
        "name": "yolov8n",
        "architecture": "yolov8n.yaml",
        "activation": "silu",
        "task": "detect",
    }
    return SimpleNamespace(
        model=SimpleNamespace(**{**model, **changes}),
        train=SimpleNamespace(kind=train),
        lock=lambda name: f"{name}-lock",
    )


def archive(path: Path) -> Path:
    """What a checkpoint looks like before it is loaded."""
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("best/data.pkl", "looked at when the stage runs" * 100)
    return path


def test_null_starts_from_scratch() -> None:
    assert weights.edge(config(None)) is None


@pytest.mark.parametrize("name", ["yolov8n.pt", "yolov8s-oiv7.pt", "yolo11x.pt", "yolov8n-pose.pt"])
def test_releases_are_downloaded(name: str) -> None:
    base = name.removesuffix(".pt").removesuffix("-oiv7")
    task = "pose" if "pose" in name else "detect"
    edge = weights.edge(config(name, architecture=f"{base}.yaml", task=task))
    assert isinstance(edge, Output)
    assert edge.step.network
    assert edge.path == "weights.pt"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("yolov8s.pt", "this is yolov8s, a detection network; say model=yolov8s"),
        ("yolov8n-pose.pt", "this is yolov8n-pose, a pose network; say model=yolov8n_pose"),
        ("yolov8n-seg.pt", "a segmentation network; boards decode detection and pose networks"),
        ("yolo26n.pt", "whose head picks its boxes itself"),
        ("yolov8l.pt", "say model=yolov8n model.architecture=yolov8l.yaml model.name=yolov8l"),
    ],
)
@pytest.mark.parametrize("train", ["none", "ultralytics"])
def test_a_release_of_another_network_is_not_downloaded(name: str, words: str, train: str) -> None:
    with pytest.raises(UserError, match=rf"model\.weights={name}: .*{re.escape(words)}"):
        weights.edge(config(name, train))


def test_a_release_has_silu_which_only_a_training_changes() -> None:
    with pytest.raises(UserError, match=r"its activation is SiLU, not ReLU6 .*activation=silu"):
        weights.edge(config("yolov8n.pt", activation="relu6"))
    assert weights.edge(config("yolov8n.pt", "ultralytics", activation="relu6")) is not None


def test_how_many_classes_a_release_knows() -> None:
    known = [weights.classes(config(name)) for name in ("yolov8n.pt", "yolov8n-pose.pt", None)]
    assert [found and (found.classes, found.names) for found in known] == [
        (80, None),
        (1, None),
        None,
    ]


def test_a_file_of_that_name_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    archive(tmp_path / "yolov8n.pt")
    assert weights.edge(config("yolov8n.pt")) == UserFile(tmp_path / "yolov8n.pt")


def test_any_path(tmp_path: Path) -> None:
    file = archive(tmp_path / "mein Modell ä.pt")
    assert weights.edge(config(str(file))) == UserFile(file)


@pytest.mark.parametrize("value", ["bset.pt", "runs/best.pt", "./yolov8n.pt", "yolov8n"])
def test_missing_files_are_refused_at_once(value: str) -> None:
    with pytest.raises(UserError, match=r"model\.weights=.*does not exist.*yolov8n\.pt, or null"):
        weights.edge(config(value))


def test_a_folder_is_no_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is a folder"):
        weights.edge(config(str(tmp_path)))


@pytest.mark.parametrize("content", [b"", b"these are no weights", b"torn"])
def test_a_file_that_torch_did_not_write_is_refused_at_once(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "best.pt"
    file.write_bytes(archive(file).read_bytes()[:2000] if content == b"torn" else content)
    words = rf"model\.weights={file}: not a PyTorch checkpoint \(.* checkpoint of yolov8n\.yaml"
    with pytest.raises(UserError, match=words):
        weights.edge(config(str(file)))
