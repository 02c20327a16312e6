"""Stage predict: what a tier depends on, and what it refuses before it loads a network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from stage_configs import config

from edgemake.step import Step, UserFile
from edgemake.work import StageError, Work
from stages import dataset, predict
from stages.predict import TIERS

COMPARABLE, BOARD = ("pytorch", "onnx"), ("cut_onnx", "litert", "tflm", "q_onnx")


def planned(tier: str, *overrides: str) -> Step:
    one = config(*overrides)
    model, head, export = (UserFile(Path(name)) for name in ("model", "head.json", "export.json"))
    cut = None if TIERS[tier].table == "comparable" else head
    return predict.plan(one, tier, model=model, head=cut, export=export, source=dataset.plan(one))


def test_the_board_table_takes_what_the_board_takes() -> None:
    step = planned("tflm", "target.outputs.detect.raw.iou=0.5")
    assert step.plain_params() == {
        "tier": "tflm",
        "table": "board",
        "preprocess": "stretch",
        "score": 0.001,
        "iou": 0.5,
        "max_det": 300,
        "count": None,
    }
    assert step.toolchain == "tflite-micro"
    assert step.outputs == ("predictions.npz", "predictions.json", "outputs.npz")
    assert set(step.inputs) == {"model", "head.json", "export.json", "manifest.json", "data"}
    assert step.label == "tflm"


def test_the_comparable_table_takes_what_ultralytics_takes() -> None:
    step = planned("pytorch", "evaluate.count=50")
    params = step.plain_params()
    assert (params["preprocess"], params["score"], params["iou"]) == ("letterbox", 0.001, 0.7)
    assert params["count"] == 50
    assert step.toolchain == "torch"
    assert step.outputs == ("predictions.npz", "predictions.json")
    assert "head.json" not in step.inputs


def test_every_tier_is_in_one_table() -> None:
    assert {tier for tier, one in TIERS.items() if one.table == "comparable"} == set(COMPARABLE)
    assert {tier for tier, one in TIERS.items() if one.table == "board"} == set(BOARD)
    assert {tier for tier, one in TIERS.items() if one.raw} == {"litert", "tflm"}


@pytest.mark.parametrize(
    ("override", "again"),
    [
        ("evaluate.iou=0.6", COMPARABLE),
        ("target.preprocess=letterbox", BOARD),
        ("target.outputs.detect.raw.iou=0.6", BOARD),
        ("target.outputs.detect.raw.score=0.6", ()),
        ("gate.max_map_drop=1", ()),
        ("diagnose.images=4", ()),
        ("evaluate.score=0.01", COMPARABLE + BOARD),
        ("evaluate.count=9", COMPARABLE + BOARD),
    ],
)
def test_an_option_runs_again_only_what_it_changes(override: str, again: tuple[str, ...]) -> None:
    changed = [
        tier
        for tier in TIERS
        if planned(tier).plain_params() != planned(tier, override).plain_params()
    ]
    assert sorted(changed) == sorted(again)


# --- refusals -----------------------------------------------------------------------------


def running(tmp_path: Path, export: dict[str, Any], manifest: dict[str, Any]) -> Work:
    inputs = {}
    for name, content in {"export.json": export, "manifest.json": manifest}.items():
        inputs[name] = tmp_path / name
        inputs[name].write_text(json.dumps(content))
    return Work(inputs, tmp_path / "out", tmp_path / "scratch", 1)


def params(tier: str) -> predict.Params:
    return predict.Params(**planned(tier).plain_params())


DETECT = {"names": ["cat", "dog"], "kpt_shape": None, "imgsz": 96}
POSE = {"names": ["person"], "kpt_shape": [17, 3], "imgsz": 96}
SPLIT = {"splits": {"val": [{"image": "images/val/a.jpg"}]}}


def test_other_classes_are_named(tmp_path: Path) -> None:
    many = {**DETECT, "names": [f"class {i}" for i in range(80)]}
    work = running(tmp_path, many, {"names": ["cat"], **SPLIT})
    with pytest.raises(StageError) as refused:
        predict.run(params("onnx"), work)
    assert "the model tells 80 classes (class 0, class 1, class 2, class 3, class 4, …) apart" in (
        str(refused.value)
    )
    assert "the data set's labels name 1 class (cat)" in str(refused.value)
    assert "dataset=" in str(refused.value)


def test_the_same_classes_in_another_order_are_others(tmp_path: Path) -> None:
    work = running(tmp_path, DETECT, {"names": ["dog", "cat"], **SPLIT})
    with pytest.raises(StageError, match=r"\(cat, dog\) apart.*name 2 classes \(dog, cat\)"):
        predict.run(params("onnx"), work)


@pytest.mark.parametrize(("shape", "has"), [(None, "none"), ([5, 3], "5")])
def test_other_keypoints_are_named(tmp_path: Path, shape: list[int] | None, has: str) -> None:
    work = running(tmp_path, POSE, {"names": ["person"], "kpt_shape": shape, **SPLIT})
    with pytest.raises(StageError, match=f"finds 17 keypoints, the data set's labels have {has}:"):
        predict.run(params("onnx"), work)


def test_a_split_without_images_is_refused(tmp_path: Path) -> None:
    work = running(tmp_path, DETECT, {"names": DETECT["names"], "splits": {"val": []}})
    with pytest.raises(StageError, match="split val holds no image"):
        predict.run(params("onnx"), work)
