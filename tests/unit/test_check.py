import json
from typing import Any

import pytest
from stage_configs import config

from edgemake.errors import UserError
from edgemake.step import Step
from stages import check
from vision.contract import Cost, Facts, Npu, Rules
from vision.cost import told_by_tflm, told_by_vela
from vision.tflite_file import ModelFile, Tensor
from vision.verdict import figures, tensors

SOURCE = Step("source", {}, {}, ("model", "int8", "cost", "export"))
VELA = {"vela": "5.2.0", "sram_bytes": 300_000, "npu_percent": 100.0, "latency_ms": 50.2}
TFLM = {"tool": "TFLite Micro 1 on x86-64", "tflm": "1", "arena_bytes": 540_000,
        "fixed_bytes": 90_000, "fault": ""}  # fmt: skip


def planned(*overrides: str) -> Any:
    inputs = (SOURCE[name] for name in ("model", "int8", "cost", "export"))
    return check.plan(config(*overrides), *inputs)


STEP = planned()


def rules(*overrides: str) -> Rules:
    given = planned(*overrides).params.rules
    return Rules(**{**given, "npu": Npu(**given["npu"]) if given["npu"] else None})


def facts(cost: Cost) -> Facts:
    return Facts(ModelFile((), (), {}, ()), (), 7, 1, ("a",), None, (), cost)


def test_params_survive_json() -> None:
    plain = json.loads(json.dumps(STEP.plain_params()))
    assert check.Params(**plain) == STEP.params
    assert Rules(**plain["rules"]).forbidden_class_counts.keys() == {"64", "4"}


def test_every_demand_comes_from_the_target() -> None:
    changed = planned(
        "target.vela.payload.config=1",
        "target.memory.arena_bytes=7",
        "target.outputs.detect.raw.score=0.9",
    ).params.rules
    assert (changed["npu"]["config"], changed["arena_bytes"]) == (1, 7)
    assert changed["score_threshold"] == 0.9


def test_a_board_without_an_npu_has_no_demands_of_one() -> None:
    assert planned("target=xiao_esp32s3").params.rules["npu"] is None


def test_a_size_without_an_arena_is_refused_before_anything_runs() -> None:
    pose = ("target=grove_v2_himax", "model=yolov8n_pose")
    assert planned(*pose, "model.imgsz=224").params.rules["arena_bytes"] == 398 * 1024 - 904
    with pytest.raises(UserError, match=r"model\.imgsz=320: .* 192, 224, 256.*outputs\.pose"):
        planned(*pose, "model.imgsz=320")


def test_the_figures_say_who_tells_them() -> None:
    found = figures(rules(), facts(told_by_vela(VELA)))
    assert found["arena_source"] == "vela 5.2.0"
    assert (found["npu_percent"], found["latency_ms"]) == (100, 50.2)
    assert found["arena_limit_bytes"] == 1_135_736
    estimate = figures(rules("target=xiao_esp32s3"), facts(told_by_tflm(TFLM)))
    assert estimate["arena_source"] == "TFLite Micro 1 on x86-64: an estimate"
    assert estimate["arena_limit_bytes"] == 786_432  # less the margin
    assert {"npu_percent", "latency_ms"}.isdisjoint(estimate)


def test_outputs_are_told_apart_by_their_shapes() -> None:
    picture = Tensor("in", "int8", (1, 64, 64, 3), (1 / 255,), (-128,))
    box = Tensor("a", "int8", (1, 64, 64), (0.1,), (3,))
    score = Tensor("b", "int8", (1, 4, 2), (0.1, 0.2), (3, 3))
    points = Tensor("c", "int8", (1, 84, 51), (0.1,), (3,))
    file = ModelFile((picture,), (score, box, points), {}, ())
    found = tensors(rules("model=yolov8n_pose"), file)
    assert found["inputs"][0]["zero_point"] == -128
    assert [(o["role"], o["stride"], o["scale"]) for o in found["outputs"]] == [
        ("class", 32, None),
        ("box", 8, 0.1),
        ("keypoints", None, 0.1),
    ]
    whole = ModelFile((picture,), (Tensor("d", "int8", (1, 14, 84), (0.01,), (0,)),), {}, ())
    [one] = tensors(rules("target=xiao_esp32s3"), whole)["outputs"]
    assert (one["role"], one["stride"]) == ("decoded", None)
