"""Names of networks, and how one disagrees with what was asked for."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from vision.network_identity import (
    OPTIONS,
    Identity,
    architecture_of,
    canonical,
    mismatch,
    other_activation,
)

MODELS = Path(__file__).resolve().parents[2] / "conf/model"


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("yolov8n", "yolov8n"),
        ("yolov8", "yolov8n"),
        ("yolov8-pose", "yolov8n-pose"),
        ("yolo11s-seg", "yolo11s-seg"),
        ("yolov8x-pose-p6", "yolov8x-pose-p6"),
        ("yolov5nu", "yolov5n"),
        ("yolov9c", "yolov9c"),
        ("yolov8n-mine", ""),  # a copy that someone changed: its tensors tell
        ("best", ""),
    ],
)
def test_names_of_ultralytics(stem: str, name: str) -> None:
    assert canonical(stem) == name


def test_the_name_in_a_models_own_description() -> None:
    assert architecture_of({"yaml_file": "yolov8s.yaml", "scale": "s"}) == "yolov8s"
    assert architecture_of({"yaml_file": "yolov8.yaml", "scale": "m"}) == "yolov8m"
    assert architecture_of({"yaml_file": r"C:\runs\yolov8n-pose.yaml"}) == "yolov8n-pose"
    assert architecture_of({"yaml_file": "/opt/cfg/rtdetr-l.yaml"}) == "rtdetr-l"
    assert architecture_of({"nc": 2}) == ""


def test_the_options_are_those_of_the_group() -> None:
    found = {
        yaml.safe_load(path.read_text())["architecture"].removesuffix(".yaml"): path.stem
        for path in MODELS.glob("*.yaml")
    }
    assert found == OPTIONS


def test_what_fits() -> None:
    for found in (
        Identity("detect", "yolov8n"),
        Identity("detect"),
        Identity(),
    ):
        assert mismatch(found, "detect", "yolov8n.yaml") is None
    assert mismatch(Identity("detect", "yolov8n"), "detect", "mine.yaml") is None


@pytest.mark.parametrize(
    ("found", "reason", "remedy"),
    [
        (Identity("detect", "yolov8s"), "this is yolov8s, a detection network",
         "say model=yolov8s"),
        (Identity("pose", "yolov8m-pose"), "this is yolov8m-pose, a pose network",
         "say model=yolov8m_pose"),
        (Identity("pose"), "this is a pose network", "choose a model of that kind"),
        (Identity("segment", "yolov8n-seg"), "this is yolov8n-seg, a segmentation network",
         "boards decode detection and pose networks only"),
        (Identity("rtdetr", "rtdetr-l"), "this is rtdetr-l, an RT-DETR network", "boards decode"),
        (Identity("NewModel"), "this is a network of another kind", "boards decode"),
        (Identity("detect", "yolo26n"), "no board decodes that", "give a YOLOv8 network"),
        (Identity("pose", "yolov8l-pose"), "yolov8l-pose",
         "say model=yolov8n_pose model.architecture=yolov8l-pose.yaml model.name=yolov8l_pose"),
    ],
)  # fmt: skip
def test_what_does_not(found: Identity, reason: str, remedy: str) -> None:
    refused = mismatch(found, "detect", "yolov8n.yaml")
    assert refused is not None
    assert reason in refused.reason
    assert refused.remedy.startswith(remedy)


def test_activations() -> None:
    silu, relu6, both = (frozenset(kinds) for kinds in (["SiLU"], ["ReLU6"], ["SiLU", "ReLU6"]))
    assert other_activation(silu, "silu") is None
    assert other_activation(both, "relu6") is None
    assert other_activation(frozenset(), "relu6") is None
    assert "say model.activation=silu, or train" in str(other_activation(silu, "relu6"))
    assert "say model.activation=relu6, or train" in str(other_activation(relu6, "silu"))
    assert "its activation is GELU, not SiLU" in str(other_activation(frozenset(["GELU"]), "silu"))
