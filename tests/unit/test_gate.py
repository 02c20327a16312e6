"""The user's limits: what can be judged, what is judged, and what a refusal says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stage_configs import config

from edgemake.errors import UserError
from edgemake.step import Step
from edgemake.work import Work
from stages import gate
from vision.gates import ACCURACY, FIGURES, Build, Line, judge

VERDICT = Step("check", {}, {}, ("verdict.json",))["verdict.json"]
METRICS = Step("evaluate", {}, {}, ("metrics.json",))["metrics.json"]
BUILD = Build("per_tensor", 128, 192, 32, "silu", trained=True)
GROVE = {"npu_percent": 97.5, "arena_bytes": 300 * 1024, "flash_bytes": 2_857_472,
         "latency_ms": 50.33}  # fmt: skip


def board(before: float, after: float, **keypoints: tuple[float, float]) -> dict[str, Any]:
    """metrics.json's `board`: mAP50-95 of float and int8, by boxes and by keypoints."""
    kinds = {"box": (before, after), **keypoints}
    tiers = {
        name: {kind: {"map50_95": values[i]} for kind, values in kinds.items()}
        for i, name in enumerate(("cut_onnx", "tflm"))
    }
    lost = {kind: {"map50_95": round(100 * (b - a), 4)} for kind, (b, a) in kinds.items()}
    return {"tiers": tiers, "reference": "cut_onnx", "final": "tflm", "drop": lost}


def planned(*overrides: str, metrics: Any = METRICS) -> Step | None:
    return gate.plan(config(*overrides), metrics, VERDICT)


def only(limits: dict[str, float], metrics: Any = None, build: Build = BUILD) -> Line:
    [line] = judge(limits, build, GROVE, metrics)
    return line


def test_without_a_limit_there_is_no_gate() -> None:
    assert planned() is None
    assert not gate.needs_metrics(config("gate.max_sram_kib=300"))


def test_only_accuracy_waits_for_an_evaluation() -> None:
    step = planned("gate.max_sram_kib=300.5", "gate.min_npu=0")
    assert step is not None
    assert step.inputs == {"verdict.json": VERDICT}
    assert step.params.limits == {"min_npu": 0, "max_sram_kib": 300.5}
    assert step.toolchain is None
    judged = planned("gate.min_map=0")  # a limit of nothing is a limit
    assert judged is not None
    assert judged.inputs == {"verdict.json": VERDICT, "metrics.json": METRICS}
    assert gate.Params(**json.loads(json.dumps(judged.plain_params()))) == judged.params


def test_every_limit_is_known_to_stage_and_arithmetic() -> None:
    assert set(ACCURACY) == set(gate.ACCURACY)
    assert set(FIGURES) == set(gate.FIGURES)
    assert {*ACCURACY, *FIGURES} == set(config().gate.__struct_fields__)


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["target=xiao_esp32s3", "gate.min_npu=100"], ["gate.min_npu=100", "no NPU", "leave"]),
        (["target=xiao_esp32s3", "gate.max_latency_ms=60"], ["gate.max_latency_ms=60", "no NPU"]),
        (["target=spacemit_k1", "gate.max_latency_ms=60"], ["gate.max_latency_ms=60", "no NPU"]),
        (["target=spacemit_k1", "gate.max_sram_kib=9"], ["gate.max_sram_kib=9", "no tensor arena"]),
        (["gate.min_map=0.5", "evaluate.tiers=[]"], ["tflm or litert", "evaluate.tiers=null"]),
        (["gate.min_map=0.5", "evaluate.tiers=[cut_onnx]"], ["tflm or litert"]),
        (["gate.max_map_drop=1", "evaluate.tiers=[tflm]"], ["leaves out cut_onnx,"]),
        (
            ["target=spacemit_k1", "gate.max_map_drop=1", "evaluate.tiers=[onnx]"],
            ["cut_onnx and q_onnx"],
        ),
    ],
)
def test_a_limit_that_can_never_be_judged_is_refused(
    overrides: list[str], words: list[str]
) -> None:
    with pytest.raises(UserError) as refused:
        planned(*overrides)
    for word in words:
        assert word in str(refused.value)


def test_without_labels_there_is_no_accuracy_to_judge() -> None:
    with pytest.raises(UserError, match="dataset=digits does not show"):
        planned("gate.min_map=0.5", metrics=None)
    assert planned("gate.max_flash_kib=1", metrics=None) is not None


def test_tiers_that_suffice() -> None:
    assert planned("gate.max_map_drop=1", "evaluate.tiers=[cut_onnx,litert]") is not None
    assert planned("gate.min_map=1", "evaluate.tiers=[tflm]") is not None


def test_a_failed_limit_says_figure_limit_and_remedy() -> None:
    line = only({"max_map_drop": 1}, board(0.612, 0.594))
    assert (line.rule, line.result, line.source) == (
        "gate.max_map_drop", "fail", "gate.max_map_drop",
    )  # fmt: skip
    assert line.found == "1.8 points of mAP50-95 lost (0.6120 float, 0.5940 int8)"
    assert line.demanded == "at most 1"
    assert "quant=int8_per_channel" in line.remedy
    assert "quant.calibration.count=512" in line.remedy
    assert "report.html" in line.remedy


def test_what_was_tried_already_is_not_advised() -> None:
    tuned = Build("per_channel", 128, 192, 32, "relu6", trained=False)
    assert "per_channel" not in only({"max_map_drop": 1}, board(0.9, 0.8), tuned).remedy
    assert "relu6" not in only({"max_sram_kib": 100}, build=tuned).remedy
    quick = Build("quick", 64, 320, 32, "silu", trained=True)
    assert "xslim_accurate" in only({"max_map_drop": 1}, board(0.9, 0.8), quick).remedy


def test_int8_is_not_blamed_for_a_weak_network() -> None:
    weak = only({"min_map": 0.99}, board(0.78, 0.77)).remedy
    assert "the float network itself reaches 0.7800" in weak
    assert "train.epochs" in weak
    assert "quant" not in weak
    assert "quant=int8_per_channel" in only({"min_map": 0.775}, board(0.78, 0.77)).remedy
    alone = {**board(0.78, 0.77), "reference": None}
    assert "train longer" in only({"min_map": 0.99}, alone).remedy


def test_keypoints_are_judged_on_their_own() -> None:
    lines = judge({"max_map_drop": 1, "min_map": 0.3}, BUILD, GROVE,
                  board(0.6, 0.6, keypoints=(0.4, 0.2)))  # fmt: skip
    assert [(line.rule, line.result) for line in lines] == [
        ("gate.max_map_drop (boxes)", "pass"),
        ("gate.max_map_drop (keypoints)", "fail"),
        ("gate.min_map (boxes)", "pass"),
        ("gate.min_map (keypoints)", "fail"),
    ]


@pytest.mark.parametrize(
    ("limit", "found", "remedy"),
    [
        ({"min_npu": 100.0}, "97.5 % on the NPU", "operators"),
        ({"max_sram_kib": 250.0}, "300 KiB of tensor arena", "model.imgsz=160"),
        ({"max_flash_kib": 2048}, "2790.5 KiB", "weights"),
        ({"max_latency_ms": 40}, "50.33 ms a run, estimated", "model.activation=relu6"),
    ],
)
def test_figures_of_the_file(limit: dict[str, float], found: str, remedy: str) -> None:
    line = only(limit)
    assert (line.result, line.found) == ("fail", found)
    assert remedy in line.remedy
    unknown = judge(limit, BUILD, {}, None)[0]
    assert (unknown.result, unknown.found) == ("fail", "not known")


@given(st.floats(1, 4096), st.floats(1, 4096))
def test_a_size_that_is_advised_would_fit(arena: float, limit: float) -> None:
    [line] = judge({"max_sram_kib": limit}, BUILD, {"arena_bytes": arena * 1024}, None)
    assert (line.result == "pass") == (arena <= limit)
    if "model.imgsz=" in line.remedy:
        side = int(line.remedy.partition("model.imgsz=")[2].split()[0])
        assert arena * (side / BUILD.imgsz) ** 2 <= limit
        assert side + 32 == BUILD.imgsz or arena * ((side + 32) / BUILD.imgsz) ** 2 > limit


def test_limits_that_are_just_kept() -> None:
    limits = {"min_npu": 97.5, "max_sram_kib": 300, "max_flash_kib": 2790.5,
              "max_latency_ms": 50.33, "max_map_drop": 1, "min_map": 0.59}  # fmt: skip
    lines = judge(limits, BUILD, GROVE, board(0.6, 0.59))
    assert {line.result for line in lines} == {"pass"}
    assert not any(line.remedy for line in lines)


@pytest.mark.parametrize(("limit", "passed"), [(1.0, True), (0.5, False)])
def test_the_verdict_is_written(limit: float, passed: bool, tmp_path: Path) -> None:
    step = planned(f"gate.max_map_drop={limit}", "gate.max_flash_kib=9999")
    assert step is not None
    inputs = {"verdict.json": tmp_path / "verdict.json", "metrics.json": tmp_path / "metrics.json"}
    inputs["verdict.json"].write_text(json.dumps({"figures": GROVE}))
    inputs["metrics.json"].write_text(json.dumps({"board": board(0.8, 0.791)}))
    gate.run(step.params, Work(inputs, tmp_path, tmp_path, 1))
    verdict = json.loads((tmp_path / "gate.json").read_text())
    assert (verdict["who"], verdict["passed"]) == ("your gate", passed)
    assert [line["rule"] for line in verdict["lines"]] == [
        "gate.max_map_drop",
        "gate.max_flash_kib",
    ]
