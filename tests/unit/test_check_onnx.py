"""The rules for int8 ONNX files: each on a good file, and on one that only it must refuse."""

import json
from dataclasses import replace
from math import inf, nan
from typing import Any

import pytest
from stage_configs import config

from edgemake.step import Step
from stages import check_onnx
from vision.contract import Line
from vision.judge_onnx import judge_onnx
from vision.onnx_agreement import Agreement
from vision.onnx_contract import Described, OnnxRules, OnnxSubject
from vision.onnx_ends import Ends
from vision.onnx_facts import Convolution, OnnxFacts, Scaled, Tensor
from vision.verdict_onnx import figures, tensors

SOURCE = Step("quantize_onnx", {}, {}, ("model.q.onnx", "export.json", "calibration.npy"))
HEAD = Step("head", {}, {}, ("head.onnx", "head.json"))
ACTIVATION = Scaled("int8", scales=1, symmetric=False)
WEIGHTS = Scaled("int8", scales=16, symmetric=True)
CONV = Convolution("conv", 16, False, ACTIVATION, WEIGHTS, True, 100)
EXPECTATION = Convolution("dfl", 1, True, None, None, True, 1)
FILE = OnnxFacts(
    opset=17,
    ir_version=9,
    domains=(),
    inputs=(Tensor("images", "float32", (1, 3, 320, 320)),),
    outputs=(Tensor("output0", "float32", (1, 14, 2100)),),
    convolutions=(CONV, EXPECTATION),
    int8={"Conv": 1},
    floats=(("Conv", "dfl"),),
)
DESCRIBED = Described(320, (("output0", (1, 14, 2100)),), classes=10)
ENDS = Ends(names=10, steps=(None,))
SEEN = Agreement(32, 0.9, 0.95, cells=100, score_difference=0.02, overlap=0.95)
GOOD = OnnxSubject(FILE, ENDS, DESCRIBED, SEEN, "")
HEAD_JSON = {"outputs": [{"name": "output0", "role": "decoded", "stride": None}]}


def planned(*overrides: str) -> Step:
    chosen = config("target=spacemit_k1", *overrides)
    return check_onnx.plan(
        chosen, SOURCE["model.q.onnx"], HEAD, SOURCE["export.json"], SOURCE["calibration.npy"]
    )


def rules(*overrides: str) -> OnnxRules:
    return OnnxRules(**planned(*overrides).params.rules)


def judged(subject: OnnxSubject, *overrides: str) -> dict[str, Line]:
    return {line.rule: line for line in judge_onnx(rules(*overrides), subject)}


def of_file(**changes: Any) -> OnnxSubject:
    return replace(GOOD, file=replace(FILE, **changes))


def of_seen(**changes: Any) -> OnnxSubject:
    return replace(GOOD, agreement=replace(SEEN, **changes))


def test_params_survive_json_and_come_from_the_target() -> None:
    step = planned()
    assert check_onnx.Params(**json.loads(json.dumps(step.plain_params()))) == step.params
    assert (rules().max_opset, rules().max_ir, rules().score_threshold) == (21, 10, 0.25)
    assert set(step.inputs) > {"head.onnx", "head.json"}


def test_a_good_file_passes_every_rule() -> None:
    lines = judged(GOOD)
    told = {name for name, line in lines.items() if line.result == "unproven"}
    assert told == set(rules().unproven)
    rest = [line for name, line in lines.items() if name not in told]
    assert {line.result for line in rest} == {"pass"}
    assert not any(line.remedy for line in rest)
    assert lines["int8 convolutions"].found == "1 of 1"
    assert "1.18" in lines["opset"].source


def test_a_convolution_of_one_channel_has_one_scale() -> None:
    single = replace(CONV, channels=1, weights=replace(WEIGHTS, scales=1))
    assert judged(of_file(convolutions=(single,)))["int8 convolutions"].result == "pass"


@pytest.mark.parametrize(
    ("subject", "rule", "found"),
    [
        (of_file(opset=24), "opset", "24"),
        (of_file(ir_version=11), "IR version", "11"),
        (of_file(domains=("spacemit_functions",)), "operators", "spacemit_functions"),
        (
            of_file(inputs=(Tensor("images", "float32", (None, 3, 320, 320)),)),
            "input",
            "float32 [?, 3, 320, 320]",
        ),
        (
            of_file(inputs=(Tensor("images", "uint8", (1, 3, 320, 320)),)),
            "input",
            "uint8 [1, 3, 320, 320]",
        ),
        (
            of_file(outputs=(Tensor("output0", "float32", (1, None, None)),)),
            "outputs",
            "float32 [1, ?, ?]",
        ),
        (
            of_file(outputs=(Tensor("output0", "int8", (1, 14, 2100)),)),
            "outputs",
            "int8 [1, 14, 2100]",
        ),
        (replace(GOOD, ends=replace(ENDS, names=9)), "classes", "10, with 9 names in the file"),
        (
            replace(GOOD, ends=replace(ENDS, steps=(2.17,))),
            "score steps",
            "2.17, shared with the boxes",
        ),
        (of_file(convolutions=()), "int8 convolutions", "0 of 0"),
        (
            of_file(convolutions=(CONV, replace(CONV, name="head", activation=None))),
            "int8 convolutions",
            "1 of 2 (not head)",
        ),
        (
            of_file(convolutions=(replace(CONV, weights=replace(WEIGHTS, scales=1)),)),
            "int8 convolutions",
            "0 of 1 (not conv)",
        ),
        (
            of_file(convolutions=(replace(CONV, weights=replace(WEIGHTS, symmetric=False)),)),
            "int8 convolutions",
            "0 of 1 (not conv)",
        ),
        (
            of_file(convolutions=(replace(CONV, activation=replace(ACTIVATION, dtype="uint8")),)),
            "int8 convolutions",
            "0 of 1 (not conv)",
        ),
        (
            of_file(convolutions=(replace(CONV, kernel_shape=False),)),
            "kernel_shape",
            "missing in 1 (not conv)",
        ),
        (of_seen(largest_score=0.0), "scores", "at most 0.000 on 32 images (float 0.950)"),
        (of_seen(largest_score=nan), "scores", "at most nan on 32 images (float 0.950)"),
        (of_seen(largest_score=inf), "scores", "at most inf on 32 images (float 0.950)"),
        (replace(GOOD, agreement=None, fault="no such operator"), "runs", "no such operator"),
    ],
)
def test_a_bad_file_fails_one_rule_with_its_remedy(
    subject: OnnxSubject, rule: str, found: str
) -> None:
    lines = judged(subject)
    assert [name for name, line in lines.items() if line.result == "fail"] == [rule]
    assert lines[rule].found == found
    assert lines[rule].remedy


def test_quiet_networks_are_warned_of_with_the_likely_cause() -> None:
    silenced = judged(of_seen(largest_score=0.2))["scores"]
    assert silenced.result == "warn"
    assert "quantizing has silenced" in silenced.remedy
    untrained = judged(
        of_seen(largest_score=0.2, float_largest_score=0.21, score_difference=None, overlap=None)
    )
    assert untrained["scores"].result == "warn"
    assert "train longer" in untrained["scores"].remedy
    assert "closeness" not in untrained


@pytest.mark.parametrize("change", [{"overlap": 0.5}, {"score_difference": 0.3}])
def test_a_network_that_sees_other_things_is_warned_of(change: dict[str, float]) -> None:
    line = judged(of_seen(**change))["closeness"]
    assert line.result == "warn"
    assert "quant=xslim_accurate" in line.remedy


def test_the_opsets_remedy_names_the_tools_own_key() -> None:
    assert judged(of_file(opset=24))["opset"].remedy == "set quant.opset=17"
    told = judge_onnx(replace(rules(), tool="xquant"), of_file(opset=24))
    assert next(line for line in told if line.rule == "opset").remedy == "set export.opset=17"


def test_figures_weigh_convolutions_by_their_work() -> None:
    found = figures(3_000_000, FILE, SEEN)
    assert found["flash_bytes"] == 3_000_000
    assert found["int8_percent"] == 99.01
    assert found["box_overlap"] == 0.95
    untold = figures(1, FILE, replace(SEEN, largest_score=nan, overlap=None))
    assert untold["largest_score"] is untold["box_overlap"] is None
    json.dumps(untold, allow_nan=False)
    assert "largest_score" not in figures(1, FILE, None)


def test_tensors_say_layout_role_and_stride() -> None:
    found = tensors(FILE, HEAD_JSON["outputs"])
    [entry], [output] = found["inputs"], found["outputs"]
    assert entry["layout"] == "NCHW"
    assert entry["shape"] == [1, 3, 320, 320]
    assert (output["role"], output["stride"], output["shape"]) == ("decoded", None, [1, 14, 2100])


def elsewhere(**changes: Any) -> OnnxSubject:
    """A file without its float network."""
    return replace(GOOD, agreement=None, largest_score=0.4, **changes)


def test_a_file_from_elsewhere_leaves_things_open() -> None:
    lines = judged(elsewhere())
    assert {line.result for line in lines.values()} == {"pass", "unproven"}
    assert lines["scores"].result == lines["closeness"].result == "unproven"
    assert "0.4 on pictures made by arithmetic" in lines["scores"].found
    assert lines["scores"].remedy and lines["closeness"].remedy


def test_what_is_no_number_is_told_without_pictures() -> None:
    assert judged(replace(elsewhere(), largest_score=nan))["scores"].result == "fail"


def test_without_names_the_program_is_told_them() -> None:
    line = judged(elsewhere(ends=replace(ENDS, names=None)))["classes"]
    assert (line.result, line.found) == ("warn", "10, with no names in the file")
    assert "--classes" in line.remedy


def test_outputs_of_no_form_are_judged_only_by_what_holds_for_all() -> None:
    found = replace(elsewhere(), described=replace(DESCRIBED, classes=None), largest_score=None)
    lines = judged(found)
    assert {"opset", "input", "int8 convolutions", "runs"} <= lines.keys()
    assert lines.keys().isdisjoint({"outputs", "classes", "scores", "closeness", "score steps"})


def test_a_float_network_is_told_from_a_badly_quantized_one() -> None:
    float_conv = replace(CONV, activation=None, weights=None)
    all_float = judged(of_file(convolutions=(float_conv,)))
    assert "quantize it" in all_float["int8 convolutions"].remedy
    assert all_float["int8 share"].found == "0 % of 0 M multiplications"
    assert all_float["int8 share"].result == "warn"
    half = judged(of_file(convolutions=(CONV, float_conv)))
    assert "quant.truncate" in half["int8 convolutions"].remedy
    assert half["int8 share"].found.startswith("50 %")


def test_an_odd_side_is_no_input() -> None:
    odd = replace(DESCRIBED, imgsz=100)
    found = replace(of_file(inputs=(Tensor("images", "float32", (1, 3, 100, 100)),)), described=odd)
    assert judged(found)["input"].result == "fail"
