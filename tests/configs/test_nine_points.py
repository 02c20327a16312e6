"""Points of a sweep of the real project: what can be shared is shared, what is wrong is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import dodo
from edgemake.build import Build
from edgemake.plan import Plan
from edgemake.sweep import expanded

BOARDS = "target=grove_v2,xiao_esp32s3,spacemit_k1"


def planned(*words: str) -> Plan:
    points = expanded(dodo.PROJECT, words, keep=False).points
    return dodo.plan_points(points, keep=False)


def steps(words: Sequence[str]) -> Counter[str]:
    """Stage -> distinct steps."""
    build = Build(dodo.PROJECT, planned(*words), writable=False)
    return Counter(step.stage for step in build.steps())


def test_nine_points_share_all_that_they_can() -> None:
    found = steps([BOARDS, "quant.calibration.count=16,64,128"])
    assert {stage: found[stage] for stage in ("dataset", "train", "export")} == {
        "dataset": 1, "train": 1, "export": 1}  # fmt: skip
    assert found["head"] == 3, "a form of outputs for each board"
    assert found["convert"] == 2, "SpacemiT's stays ONNX"
    assert found["calibration"] == 6, "stretched for two boards, in a letterbox for the third"
    assert (found["quantize"], found["quantize_onnx"]) == (6, 3)
    assert (found["compile"], found["arena"]) == (3, 3)
    assert found["package"] == 9
    assert found["predict"] == 2 + 3 + 2 * 6 + 3, "float once, int8 files for each"


def test_points_of_two_tasks_take_each_its_data_set() -> None:
    plan = planned("model=yolov8n,yolov8n_pose", "target=grove_v2,spacemit_k1")
    assert not plan.refused
    data = {delivery.point[0]: delivery.config["dataset"]["kind"] for delivery in plan.deliveries}
    assert data == {"model=yolov8n": "digits", "model=yolov8n_pose": "figures"}
    assert steps(["model=yolov8n,yolov8n_pose", "target=grove_v2,spacemit_k1"])["train"] == 2


def test_a_point_that_makes_no_sense_is_told_with_its_overrides() -> None:
    plan = planned("model=yolov8n,yolov8n_pose", "target=grove_v2", "dataset=digits,figures")
    told = {" ".join(one.point): one.message for one in plan.refused}
    assert set(told) == {"model=yolov8n dataset=figures", "model=yolov8n_pose dataset=digits"}
    assert "digits" in told["model=yolov8n_pose dataset=digits"]
    assert len(plan.deliveries) == 2


def test_an_option_of_one_quantizer_is_an_error_for_the_others_alone() -> None:
    plan = planned(BOARDS, "quant.weights=per_tensor,per_channel")
    assert {one.point[0] for one in plan.refused} == {"target=spacemit_k1"}
    assert len(plan.deliveries) == 4


def test_a_sweep_that_hydras_settings_bring() -> None:
    words = ["target=grove_v2", "hydra.sweeper.params={quant.calibration.count:'range(16,49,16)'}"]
    points = expanded(dodo.PROJECT, words, keep=False).points
    assert [point[0] for point in points] == [f"quant.calibration.count={n}" for n in (16, 32, 48)]
