from dataclasses import replace
from typing import Any

import pytest
from stage_configs import config

from edgemake.step import Step
from stages import check
from vision.contract import Facts, Rules
from vision.judge import judge
from vision.npu_payload import Payload
from vision.quantization import largest_sigmoid
from vision.tflite_file import ModelFile, Tensor

SOURCE = Step("source", {}, {}, ("file",))["file"]
RULES = Rules(**check.plan(config(), SOURCE, SOURCE, SOURCE).params.rules)


def tensor(*shape: int, **changes: Any) -> Tensor:
    plain = Tensor("t", "int8", shape, (0.05,), (10,))
    return replace(plain, **changes)


INPUT = tensor(1, 192, 192, 3, scales=(1 / 255,), zero_points=(-128,))


def outputs(classes: int = 10) -> tuple[Tensor, ...]:
    return tuple(tensor(1, n, c) for n in (576, 144, 36) for c in (64, classes))


def cold(count: int) -> tuple[Tensor, ...]:
    """Outputs of which the last `count` class tensors hold no positive logit."""
    found = list(outputs())
    for i in range(6 - 2 * count, 6, 2):
        found[i + 1] = replace(found[i + 1], zero_points=(127,))
    return tuple(found)


def facts(**changes: Any) -> Facts:
    model = {name: changes.pop(name) for name in ("inputs", "outputs") if name in changes}
    operators = changes.pop("operators", {"ETHOS_U": 1})
    classes = changes.pop("classes", 10)
    file = ModelFile((INPUT,), outputs(classes), operators, (b"",))
    good = Facts(
        model=replace(file, **model),
        file_bytes=2_000_000,
        classes=tuple(map(str, range(classes))),
        payloads=(Payload("COP1", 0x1006, (1, 0, 6)),),
        npu_percent=100.0,
        sram_bytes=300_000,
        vela="5.0.0",
    )
    return replace(good, **changes)


def results(found: Facts, kind: str) -> list[str]:
    return [line.rule for line in judge(RULES, found) if line.result == kind]


def test_a_good_model_keeps_every_rule() -> None:
    lines = judge(RULES, facts())
    assert {line.result for line in lines} == {"pass"}
    assert all(line.remedy == "" and line.found and line.demanded for line in lines)
    assert all("target." in line.source and "SSCMA" in line.source for line in lines)


def test_the_order_of_the_outputs_does_not_matter() -> None:
    assert results(facts(outputs=outputs()[::-1]), "fail") == []


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
        ({"operators": {"ETHOS_U": 1, "LOGISTIC": 2, "custom Foo": 1}}, ["operators"]),
        ({"npu_percent": 99.6}, ["NPU placement"]),
        ({"payloads": ()}, ["NPU payload"]),
        ({"payloads": (None,)}, ["NPU payload"]),
        ({"payloads": (Payload("XXXX", 0x1006, (1, 0, 6)),)}, ["NPU payload"]),
        ({"payloads": (Payload("COP1", 0x1007, (1, 0, 6)),)}, ["NPU configuration"]),
        ({"payloads": (Payload("COP1", 0x1006, (1, 1, 0)),)}, ["NPU architecture"]),
        ({"payloads": (Payload("COP1", 0x1006, (2, 0, 0)),)}, ["NPU architecture"]),
        ({"sram_bytes": 1_135_737}, ["SRAM"]),
        ({"file_bytes": 10_485_761}, ["flash"]),
    ],
)
def test_what_the_firmware_would_refuse_or_misread_fails(
    change: dict[str, Any], rules: list[str]
) -> None:
    found = facts(**change)
    assert results(found, "fail") == rules
    assert all(line.remedy for line in judge(RULES, found) if line.result == "fail")


@pytest.mark.parametrize(
    ("change", "rules"),
    [
        ({"file_bytes": 2_097_153}, ["flash slot"]),
        ({"vela": "5.2.0"}, ["vela version"]),
        ({"classes": 4}, ["class count"]),
        ({"outputs": cold(3)}, ["confident scores"]),
    ],
)
def test_what_works_with_care_is_a_warning(change: dict[str, Any], rules: list[str]) -> None:
    found = facts(**change)
    assert results(found, "warn") == rules
    assert results(found, "fail") == []


def test_one_stride_without_confident_objects_is_no_fault() -> None:
    assert results(facts(outputs=cold(1)), "warn") == []


def test_scores_that_never_reach_the_threshold() -> None:
    rules = replace(RULES, score_threshold=0.70)
    one = {line.rule: line for line in judge(rules, facts(outputs=cold(1)))}
    assert one["scores of stride 32"].result == "warn"
    assert one["scores of stride 32"].found == "at most 0.500"
    assert one["confident scores"].result == "pass"
    every = {line.rule: line for line in judge(rules, facts(outputs=cold(3)))}
    assert every["confident scores"].result == "fail"
    assert "calibrat" in every["confident scores"].remedy


def test_the_largest_score_is_the_sigmoid_of_the_largest_integer() -> None:
    assert largest_sigmoid(0.1, 127) == 0.5
    assert largest_sigmoid(0.1, 27) == pytest.approx(0.9999546, abs=1e-7)
