"""The rules of TFLite boards: each on a good file, and on one that only it must refuse."""

from dataclasses import replace
from typing import Any

import pytest
from contract_facts import (
    GROVE,
    INPUT,
    PAIR,
    POSE,
    XIAO,
    N,
    cold,
    decoded,
    facts,
    outputs,
    pose,
    results,
    rules_of,
    tensor,
)

from vision.contract import Facts, Rules
from vision.judge import judge
from vision.npu_payload import Payload


@pytest.mark.parametrize(
    ("rules", "found"),
    [(GROVE, facts()), (POSE, pose()), (XIAO, decoded())],
    ids=["six_raw", "seven_raw", "decoded"],
)
def test_a_good_model_keeps_every_rule(rules: Rules, found: Facts) -> None:
    lines = judge(rules, found)
    told = [line for line in lines if line.result == "unproven"]
    assert [line.rule for line in told] == list(rules.unproven)
    assert all(line.remedy and line.source.startswith("target.contract.unproven") for line in told)
    assert {line.result for line in lines if line not in told} == {"pass"}
    assert all(line.remedy == "" for line in lines if line not in told)
    assert all(line.found and line.demanded for line in lines)
    assert all("target." in line.source and "SSCMA" in line.source for line in lines)


def test_the_order_of_the_outputs_matters_only_where_it_is_demanded() -> None:
    assert results(facts(outputs=outputs()[::-1]), "fail") == []
    assert results(pose(order=POSE.order[::-1]), "fail", POSE) == ["output order"]
    assert results(pose(order=POSE.order[::-1]), "fail", replace(POSE, order=[])) == []


@pytest.mark.parametrize(
    ("change", "rules"),
    [
        ({"inputs": (INPUT, INPUT)}, ["input count"]),
        ({"inputs": (replace(INPUT, dtype="float32"),)}, ["input type"]),
        ({"inputs": (replace(INPUT, scales=(0.003552,)),)}, ["input scale"]),
        ({"inputs": (replace(INPUT, scales=()),)}, ["input scale"]),
        ({"inputs": (replace(INPUT, zero_points=(-127,)),)}, ["input zero point"]),
        (
            {"inputs": (replace(INPUT, shape=(1, 3, 192, 192)),)},
            ["input shape", "box tensors", "class tensors"],
        ),
        ({"outputs": outputs()[:5]}, ["output count", "class tensors"]),
        ({"outputs": (*outputs()[:5], tensor(1, 36, 10, dtype="uint8"))}, ["output types"]),
        (
            {"outputs": (*outputs()[:5], tensor(1, 6, 6, 10))},
            ["output ranks", "class tensors"],
        ),
        (
            {"outputs": (*outputs()[:5], tensor(1, 36, 10, scales=(0.1, 0.2)))},
            ["output scales per tensor"],
        ),
        ({"outputs": (*outputs()[:5], tensor(1, 36, 9))}, ["class tensors"]),
        ({"outputs": (tensor(1, 14, 756),)}, ["output count", "box tensors", "class tensors"]),
        ({"classes": 64}, ["class count", "box tensors", "class tensors"]),
        ({"classes": 1001}, ["class count"]),
        ({"operators": {"ETHOS_U": 1, "LOGISTIC": 2, "custom Foo": 1}}, ["operators"]),
        ({"npu_percent": 99.6}, ["NPU placement"]),
        ({"payloads": ()}, ["NPU payload"]),
        ({"payloads": (None,)}, ["NPU payload"]),
        ({"payloads": (Payload("XXXX", 0x1006, (1, 0, 6)),)}, ["NPU payload"]),
        ({"payloads": (Payload("COP1", 0x1007, (1, 0, 6)),)}, ["NPU configuration"]),
        ({"payloads": (Payload("COP1", 0x1006, (1, 1, 0)),)}, ["NPU architecture"]),
        ({"payloads": (Payload("COP1", 0x1006, (2, 0, 0)),)}, ["NPU architecture"]),
        ({"arena_bytes": 1_135_737}, ["arena"]),
        ({"file_bytes": 10_485_761}, ["flash"]),
    ],
)
def test_what_the_firmware_would_refuse_or_misread_fails(
    change: dict[str, Any], rules: list[str]
) -> None:
    found = facts(**change)
    assert results(found, "fail") == rules
    assert all(line.remedy for line in judge(GROVE, found) if line.result == "fail")


@pytest.mark.parametrize(
    ("found", "rules"),
    [
        (pose(keypoints=(17, 2)), ["keypoint tensor"]),
        (replace(pose(), keypoints=(16, 3)), ["keypoint tensor"]),
        (replace(pose(), classes=2), ["class count", "class tensors"]),
        (facts(classes=1), ["output count", "keypoint tensor", "output order"]),
    ],
    ids=["no visibility", "other number", "two classes", "a detector"],
)  # fmt: skip
def test_what_no_pose_model_may_be(found: Facts, rules: list[str]) -> None:
    assert results(found, "fail", POSE) == rules


def test_an_app_with_the_number_of_keypoints_compiled_in() -> None:
    himax = rules_of("target=grove_v2_himax", "model=yolov8n_pose")
    assert results(pose(), "fail", himax) == []
    assert results(pose(keypoints=(5, 3)), "fail", himax) == ["keypoint tensor"]


@pytest.mark.parametrize(
    ("found", "rules", "words"),
    [
        (decoded(scale=192 / 255), ["decoded scale"], "pixels"),
        (decoded(1, N, 14), ["decoded tensor"], "swap"),
        (decoded(1, 15, N), ["decoded tensor"], "4 box values"),
        (decoded(classes=81), ["class count", "decoded tensor"], "merge"),
        (replace(decoded(), model=facts(operators={"ADD": 1}).model),
         ["output count", "decoded tensor"], "target.output"),
    ],
    ids=["pixels", "cell by cell", "classes", "too many classes", "raw"],
)  # fmt: skip
def test_what_a_decoded_output_may_not_be(found: Facts, rules: list[str], words: str) -> None:
    lines = [line for line in judge(XIAO, found) if line.result == "fail"]
    assert [line.rule for line in lines] == rules
    assert any(words in line.remedy for line in lines)


def test_boxes_and_scores_in_two_tensors() -> None:
    box = tensor(1, 4, N, scales=(1 / 255,))
    score = tensor(1, N, 10, scales=(1 / 256,))
    logits = (tensor(1, 24, 24, 10),)
    assert results(facts(outputs=(box, score), logits=logits), "fail", PAIR) == []
    swapped = facts(outputs=(score, box), logits=logits)
    assert results(swapped, "fail", PAIR) == ["decoded tensors"]
    wide = facts(outputs=(replace(box, scales=(0.75,)), score), logits=logits)
    assert results(wide, "fail", PAIR) == ["decoded scale"]


@pytest.mark.parametrize(
    ("change", "rules"),
    [
        ({"file_bytes": 2_097_153}, ["flash slot"]),
        ({"version": "5.2.0"}, ["vela version"]),
        ({"outputs": cold(3)}, ["confident scores"]),
    ],
)
def test_what_works_with_care_is_a_warning(change: dict[str, Any], rules: list[str]) -> None:
    found = facts(**change)
    assert results(found, "warn") == rules
    assert results(found, "fail") == []


def test_four_classes_are_no_longer_told_from_other_models() -> None:
    assert results(facts(classes=4), "fail") == ["class count"]
