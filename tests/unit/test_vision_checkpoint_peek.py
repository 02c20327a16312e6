"""A checkpoint is read as data: what it says, and that nothing of it runs."""

from __future__ import annotations

import io
import pickle
import sys
import types
import zipfile
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from vision.checkpoint_peek import NotPlain, peek


@contextmanager
def alien(*dotted: str) -> Iterator[list[Any]]:
    """Classes of libraries that are not here, by their dotted names."""
    made, before = [], dict(sys.modules)
    for name in dotted:
        module, _, kind = name.rpartition(".")
        parts = module.split(".")
        for i in range(len(parts)):  # a package is imported before what lies in it
            package = ".".join(parts[: i + 1])
            sys.modules.setdefault(package, types.ModuleType(package))
        made.append(type(kind, (), {"__module__": module}))
        setattr(sys.modules[module], kind, made[-1])
    try:
        yield made
    finally:
        for name in set(sys.modules) - set(before):
            del sys.modules[name]


def checkpoint(path: Path, content: Any, protocol: int = 2, *, more: str = "") -> Path:
    """What torch.save leaves: a zip with a pickle, beside the tensors' bytes."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("best/data.pkl", pickle.dumps(content, protocol))
        archive.writestr("best/data/0", b"\0" * 64)
        if more:
            archive.writestr(more, b"")
    return path


def network(path: Path, kind: str = "DetectionModel", protocol: int = 2, **state: Any) -> Path:
    names = (f"ultralytics.nn.tasks.{kind}", "torch.nn.modules.activation.SiLU")
    with alien(*names) as (model_class, activation):
        model = model_class()
        description = {"yaml_file": "yolov8n.yaml", "scale": "n", "nc": 2}
        model.__dict__.update(
            yaml=description, names={0: "cat", 1: "dög"}, _modules=OrderedDict(act=activation())
        )
        model.__dict__.update(state)
        return checkpoint(path, {"epoch": -1, "model": model, "ema": None}, protocol)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_what_a_checkpoint_says(tmp_path: Path, protocol: int) -> None:
    found = peek(network(tmp_path / "best.pt", protocol=protocol))
    assert found is not None
    assert (found.task, found.architecture) == ("detect", "yolov8n")
    assert found.activations == {"SiLU"}
    assert found.names == ("cat", "dög")


def test_the_averaged_network_counts_as_ultralytics_takes_it(tmp_path: Path) -> None:
    with alien("ultralytics.nn.tasks.PoseModel", "ultralytics.nn.tasks.OBBModel") as (pose, obb):
        found = peek(checkpoint(tmp_path / "last.pt", {"model": obb(), "ema": pose()}))
    assert found is not None
    assert found.task == "pose"


@pytest.mark.parametrize(
    ("kind", "task"),
    [
        ("PoseModel", "pose"),
        ("SegmentationModel", "segment"),
        ("ClassificationModel", "classify"),
        ("OBBModel", "obb"),
        ("RTDETRDetectionModel", "rtdetr"),
        ("WorldModel", "world"),
        ("NewModel", "NewModel"),
    ],
)
def test_its_task_is_that_of_its_class(tmp_path: Path, kind: str, task: str) -> None:
    found = peek(network(tmp_path / "best.pt", kind))
    assert found is not None
    assert found.task == task


def test_it_may_say_nothing(tmp_path: Path) -> None:
    found = peek(network(tmp_path / "best.pt", yaml=None, names=None))
    assert found is not None
    assert (found.architecture, found.names) == ("", ())


def test_other_programs_checkpoints(tmp_path: Path) -> None:
    path = tmp_path / "best.pt"
    with alien("models.yolo.DetectionModel") as (model,):
        checkpoint(path, {"model": model()})
    with pytest.raises(NotPlain, match="YOLOv5"):
        peek(path)
    with alien("torchvision.models.resnet.ResNet") as (model,):
        checkpoint(path, {"model": model()})
    with pytest.raises(NotPlain, match=r"class torchvision\.models\.resnet\.ResNet"):
        peek(path)
    checkpoint(path, {"model": {"conv.weight": 1}})
    with pytest.raises(NotPlain, match="state_dict"):
        peek(path)
    checkpoint(path, {}, more="best/constants.pkl")
    with pytest.raises(NotPlain, match="TorchScript"):
        peek(path)


class Trap:
    """What a hostile pickle calls."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> Any:
        return Path.write_text, (self.target, "I ran")


def test_nothing_in_it_runs(tmp_path: Path) -> None:
    target = tmp_path / "trace"
    trap = pickle.dumps(Trap(target))
    assert pickle.loads(trap) == 5  # it would
    assert target.read_text() == "I ran"
    target.unlink()
    found = peek(network(tmp_path / "best.pt", trap=Trap(target)))
    assert found is not None
    assert found.task == "detect"
    assert not target.exists()


@pytest.mark.parametrize("content", [b"", b"\x80", b"no pickle", b"\x80\x02c", b"(((((."])
def test_what_only_torch_can_tell(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "best.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("best/data.pkl", content)
    assert peek(path) is None


def test_files_without_a_pickle(tmp_path: Path) -> None:
    empty = io.BytesIO()
    zipfile.ZipFile(empty, "w").close()
    for content in (b"text", b"", empty.getvalue()):
        (tmp_path / "best.pt").write_bytes(content)
        assert peek(tmp_path / "best.pt") is None
