"""Stage evaluate, as it is planned, and the tables it makes of what was counted."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stage_configs import config

from edgemake.step import Step
from stages import evaluate
from vision import coco_tables
from vision.coco_labels import label_paths, read_truth
from vision.coco_tables import Accuracy, Tier

SOURCE = Step("dataset", {}, {}, ("manifest.json", "data"))
HEAD = Step("head", {}, {}, ("head.json",))["head.json"]
FILES = ("predictions.npz", "predictions.json", "outputs.npz")
TOLD = {"runtime": "r 1", "preprocess": "stretch", "score": 0.001, "iou": 0.45}


def planned(*tiers: str, overrides: tuple[str, ...] = ()) -> Step:
    predictions = {tier: Step("predict", {"tier": tier}, {}, FILES) for tier in tiers}
    return evaluate.plan(config(*overrides), predictions, SOURCE, HEAD)


def accuracy(*values: float | None, hits: int = 3, wrong: int = 1) -> Accuracy:
    instances = [0 if value is None else 2 for value in values]
    return Accuracy(instances, [*values], [*values], [1.0] * 101, hits, wrong, 4)


def tier(name: str, *values: float | None, keypoints: Accuracy | None = None) -> Tier:
    return Tier(name, TOLD, accuracy(*values), keypoints)


def test_it_reads_what_was_found_and_what_is_there() -> None:
    step = planned("onnx", "q_onnx")
    assert set(step.inputs) == {
        "manifest.json", "data", "onnx.npz", "onnx.json", "q_onnx.npz", "q_onnx.json",
    }  # fmt: skip
    assert step.toolchain == "evaluation"
    assert evaluate.Params(**json.loads(json.dumps(step.plain_params()))) == step.params


def test_raw_outputs_are_compared_where_there_are_two_interpreters() -> None:
    assert {"litert_outputs.npz", "tflm_outputs.npz", "head.json"} <= set(
        planned("litert", "tflm").inputs
    )
    assert "litert_outputs.npz" not in planned("cut_onnx", "litert").inputs


def test_only_the_boards_threshold_and_the_data_sets_name_count() -> None:
    step = planned("onnx", overrides=("target.outputs.detect.raw.score=0.6",))
    assert step.plain_params() == {"dataset": "digits", "threshold": 0.6}
    other = planned("onnx", overrides=("evaluate.iou=0.1", "gate.min_map=1", "model.imgsz=224"))
    assert other.plain_params() == planned("onnx").plain_params()


def test_every_tier_of_the_config_has_its_table() -> None:
    from typing import get_args

    from stages.schema.proof import Tier as Known

    assert set(evaluate.TABLES) == set(get_args(Known))


def test_a_class_that_is_never_there_is_in_no_mean() -> None:
    found = coco_tables.table([tier("tflm", 0.5, None, 1.0)], ["a", "b", "c"], 0.3)
    assert found is not None
    box = found["tiers"]["tflm"]["box"]
    assert (box["map50"], box["per_class"][1]["map50"]) == (0.75, None)
    assert coco_tables.mean([None]) is None
    [warning] = coco_tables.absent(["a", "b", "c"], tier("tflm", 0.5, None, 1.0))
    assert "class b is never there" in warning
    assert list(coco_tables.absent(["a"], tier("tflm", 0.5))) == []


def test_tables_of_no_tier_are_not_there() -> None:
    assert coco_tables.table([], ["a"], 0.3) is None
    assert coco_tables.held_against(None, None, None) is None


def test_a_drop_is_in_points_and_positive_where_int8_is_worse() -> None:
    floats, int8 = (
        tier(n, v, keypoints=accuracy(v)) for n, v in (("cut_onnx", 0.6), ("tflm", 0.59))
    )
    lost = {"map50": 1.0, "map50_95": 1.0}
    assert coco_tables.drop(floats, int8) == {"box": lost, "keypoints": lost}
    held = coco_tables.held_against(floats, None, {"tiers": {}})
    assert held == {"tiers": {}, "reference": "cut_onnx", "final": None, "drop": None}


def test_rates_without_anything_to_divide_by() -> None:
    assert coco_tables.rates(Accuracy([0], [None], [None], [], 0, 0, 0)) == {
        "precision": 0, "recall": 0, "f1": 0,
    }  # fmt: skip


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50))
def test_f1_lies_between_precision_and_recall(hits: int, wrong: int, missed: int) -> None:
    one = coco_tables.rates(Accuracy([1], [1], [1], [], hits, wrong, hits + missed))
    low, high = sorted((one["precision"], one["recall"]))
    assert low - 1e-6 <= one["f1"] <= high + 1e-6


def agreement(share: float, apart: float | None, exact: Any = None) -> dict[str, Any]:
    outputs = [
        {"name": "box_8", "within_one_quantum": 1.0, "largest": 1},
        {"name": "class_16", "within_one_quantum": share, "largest": 9},
    ]
    return {
        "tiers": ["litert", "tflm"],
        "within_one_quantum": share,
        "largest": 9,
        "map50_95_difference": apart,
        "outputs": outputs,
        "reference_kernels": exact,
    }


@pytest.mark.parametrize(
    ("share", "apart", "told"),
    [(0.98, 0.3, False), (0.9799, 0.1, True), (0.99, 0.31, True), (0.99, None, False)],
)
def test_it_is_told_where_two_interpreters_part(
    share: float, apart: float | None, told: bool
) -> None:
    words = list(coco_tables.parted(agreement(share, apart)))
    assert bool(words) == told
    if told:
        assert "furthest in output class_16" in words[0]
        assert words[0].endswith("largest difference is 9 quanta")


@pytest.mark.parametrize(
    ("exact", "words"),
    [
        ({"within_one_quantum": 1.0, "largest": 0}, "the very integers of TFLM"),
        ({"within_one_quantum": 0.5, "largest": 7}, "reference kernels it is 50.0 %, at most 7"),
    ],
)
def test_rounding_is_told_from_a_fault(exact: dict[str, Any], words: str) -> None:
    [warning] = coco_tables.parted(agreement(0.9, 0.1, exact))
    assert words in warning


def test_a_network_that_finds_nothing_is_told_of() -> None:
    assert "reaches 0.049" in next(coco_tables.weak(tier("cut_onnx", 0.049)))
    assert list(coco_tables.weak(tier("cut_onnx", 0.051))) == []
    mute = Tier("tflm", TOLD, accuracy(0.5, hits=0, wrong=0), None)
    assert "(0.7)" in next(coco_tables.silent([mute], 0.7))
    assert list(coco_tables.silent([mute, tier("tflm", 0.5)], 0.7)) == []
    assert list(coco_tables.silent([], 0.7)) == []


def test_labels_become_pixels() -> None:
    truth = read_truth(["1 0.5 0.5 0.2 0.4\n", ""], [(200, 100), (9, 9)], ["a", "b"], None)
    [one] = truth.annotations
    assert one["bbox"] == pytest.approx([80, 30, 40, 40])
    assert (one["category_id"], one["image_id"], one["id"]) == (1, 0, 1)
    assert truth.instances == [0, 1]


def test_labels_lie_where_the_manifest_says() -> None:
    entries = [{"image": "images/val/ä b.png", "label": "labels/val/ä b.txt"}]
    manifest = {"splits": {"val": entries}}
    assert label_paths(manifest, "val", ["ä b.png"]) == ["labels/val/ä b.txt"]
