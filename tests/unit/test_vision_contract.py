from dataclasses import replace
from typing import Any

import pytest
from stage_configs import config

from edgemake.step import Step
from stages import check
from vision.contract import Cost, Facts, Npu, Rules
from vision.judge import judge
from vision.npu_payload import Payload
from vision.quantization import largest_sigmoid
from vision.rules_memory import fitting_side
from vision.tflite_file import ModelFile, Tensor

SOURCE = Step("source", {}, {}, ("file",))["file"]


def rules_of(*overrides: str) -> Rules:
    """The rules of a config, as the stage makes them of its params."""
    given = check.plan(config(*overrides), SOURCE, SOURCE, SOURCE, SOURCE).params.rules
    npu = given["npu"]
    return Rules(**{**given, "npu": None if npu is None else Npu(**npu)})


GROVE = rules_of()
POSE = rules_of("model=yolov8n_pose")
XIAO = rules_of("target=xiao_esp32s3")
PAIR = rules_of("target=grove_v2_himax")


def tensor(*shape: int, **changes: Any) -> Tensor:
    plain = Tensor("t", "int8", shape, (0.05,), (10,))
    return replace(plain, **changes)


INPUT = tensor(1, 192, 192, 3, scales=(1 / 255,), zero_points=(-128,))
CELLS = {8: 576, 16: 144, 32: 36}
N = sum(CELLS.values())
VELA = Cost("vela 5.0.0", "5.0.0", 300_000, 0, False, "", 100.0, 50.0)
TFLM = Cost("TFLite Micro 1 on x86-64", "1", 540_000, 90_000, True, "", None, None)


def outputs(classes: int = 10) -> tuple[Tensor, ...]:
    return tuple(tensor(1, n, c) for n in CELLS.values() for c in (64, classes))


def seven(order: list[str], keypoints: int = 51) -> tuple[Tensor, ...]:
    """Pose outputs in an order of names."""
    shapes = {"keypoints": (1, N, keypoints)}
    shapes |= {f"box_{s}": (1, n, 64) for s, n in CELLS.items()}
    shapes |= {f"class_{s}": (1, n, 1) for s, n in CELLS.items()}
    return tuple(tensor(*shapes[name]) for name in order)


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
    figures = ("npu_percent", "version", "arena_bytes")
    cost: dict[str, Any] = {name: changes.pop(name) for name in figures if name in changes}
    file = ModelFile((INPUT,), outputs(classes), operators, (b"",))
    good = Facts(
        model=replace(file, **model),
        logits=(),
        file_bytes=2_000_000,
        classes=tuple(map(str, range(classes))),
        keypoints=None,
        payloads=(Payload("COP1", 0x1006, (1, 0, 6)),),
        cost=replace(VELA, **cost),
    )
    return replace(good, **changes)


def pose(**changes: Any) -> Facts:
    order = changes.pop("order", POSE.order)
    keypoints = changes.pop("keypoints", (17, 3))
    made = seven(order, keypoints[0] * keypoints[1])
    return facts(outputs=made, classes=1, keypoints=keypoints, **changes)


def decoded(*shape: int, **changes: Any) -> Facts:
    """One decoded output, with the logits it was made of, for a board without an NPU."""
    scale = changes.pop("scale", 1 / 255)
    one = tensor(*(shape or (1, 14, N)), scales=(scale,), zero_points=(-128,))
    changes.setdefault("logits", tuple(tensor(1, s, s, 10) for s in (24, 12, 6)))
    plain = facts(outputs=(one,), operators={"CONV_2D": 9, "LOGISTIC": 9}, payloads=(), cost=TFLM)
    return replace(plain, **changes)


def results(found: Facts, kind: str, rules: Rules = GROVE) -> list[str]:
    return [line.rule for line in judge(rules, found) if line.result == kind]


@pytest.mark.parametrize(
    ("rules", "found"),
    [(GROVE, facts()), (POSE, pose()), (XIAO, decoded())],
    ids=["six_raw", "seven_raw", "decoded"],
)
def test_a_good_model_keeps_every_rule(rules: Rules, found: Facts) -> None:
    lines = judge(rules, found)
    assert {line.result for line in lines} == {"pass"}
    assert all(line.remedy == "" and line.found and line.demanded for line in lines)
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
        (replace(pose(), classes=("a", "b")), ["class count", "class tensors"]),
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
        (decoded(classes=tuple(map(str, range(81)))), ["class count", "decoded tensor"], "merge"),
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


def test_one_stride_without_confident_objects_is_no_fault() -> None:
    assert results(facts(outputs=cold(1)), "warn") == []


def test_scores_that_never_reach_the_threshold() -> None:
    rules = replace(GROVE, score_threshold=0.70)
    one = {line.rule: line for line in judge(rules, facts(outputs=cold(1)))}
    assert one["scores of stride 32"].result == "warn"
    assert one["scores of stride 32"].found == "at most 0.500"
    assert one["confident scores"].result == "pass"
    every = {line.rule: line for line in judge(rules, facts(outputs=cold(3)))}
    assert every["confident scores"].result == "fail"
    assert "calibrat" in every["confident scores"].remedy


def test_decoded_scores_are_judged_by_the_logits_inside() -> None:
    """Boxes share the tensor, whose range says nothing of the scores'."""
    cold = tuple(replace(entry, zero_points=(127,)) for entry in decoded().logits)
    assert results(decoded(logits=(*cold[:2], decoded().logits[0])), "warn", XIAO) == []
    assert results(decoded(logits=cold), "warn", XIAO) == ["confident scores"]
    strict = replace(XIAO, score_threshold=0.6)
    assert results(decoded(logits=cold), "fail", strict) == ["confident scores"]


def test_the_largest_score_is_the_sigmoid_of_the_largest_integer() -> None:
    assert largest_sigmoid(0.1, 127) == 0.5
    assert largest_sigmoid(0.1, 27) == pytest.approx(0.9999546, abs=1e-7)


def arena_line(rules: Rules, found: Facts) -> Any:
    [line] = [line for line in judge(rules, found) if line.rule == "arena"]
    return line


def test_an_estimate_says_so_and_leaves_a_margin() -> None:
    limit = 1048576 * 3 // 4
    fits = arena_line(XIAO, decoded(cost=replace(TFLM, arena_bytes=limit)))
    assert fits.result == "pass"
    assert "an estimate" in fits.found
    assert "25 %" in fits.demanded
    missed = arena_line(XIAO, decoded(cost=replace(TFLM, arena_bytes=limit + 1)))
    assert missed.result == "fail"
    assert missed.remedy == "1 bytes too many; model.imgsz=160 should fit"


def test_what_a_compiler_states_needs_no_margin() -> None:
    rules = replace(GROVE, arena_margin=0.5)
    assert arena_line(rules, facts(arena_bytes=1_135_736)).result == "pass"


def test_a_model_that_the_interpreter_cannot_run_fails_with_its_words() -> None:
    broken = replace(TFLM, arena_bytes=None, fault="Didn't find op for builtin opcode 'FOO'")
    line = arena_line(XIAO, decoded(cost=broken))
    assert line.result == "fail"
    assert "FOO" in line.found


def test_the_size_that_should_fit() -> None:
    """Measured: yolov8n decoded takes 1,329,584 bytes at 320 pixels and 684 KiB at 224."""
    big = replace(TFLM, arena_bytes=1_329_584, fixed_bytes=86_000)
    found = decoded(cost=big)
    at_320 = replace(INPUT, shape=(1, 320, 320, 3))
    shown = replace(found, model=replace(found.model, inputs=(at_320,)))
    assert fitting_side(XIAO, shown) == 224
    tiny = replace(XIAO, arena_bytes=90_000)
    assert fitting_side(tiny, shown) is None
    assert arena_line(tiny, shown).remedy.endswith("; take a smaller model")


def test_apps_built_for_some_sizes_have_an_arena_for_each() -> None:
    rules = rules_of("target=grove_v2_himax", "model=yolov8n_pose", "model.imgsz=256")
    assert rules.arena_bytes == 518 * 1024 - 904
    at_256 = replace(INPUT, shape=(1, 256, 256, 3))
    shown = facts(inputs=(at_256,), arena_bytes=532_000)
    assert fitting_side(rules, shown) == 192  # 224 would take 407,312 of 406,648 bytes
    assert "one of 192, 224, 256" in judge(rules, shown)[2].demanded
