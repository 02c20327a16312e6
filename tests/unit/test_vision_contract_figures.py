"""The rules on figures: largest scores, and memory."""

from dataclasses import replace
from typing import Any

import pytest
from contract_facts import (
    GROVE,
    INPUT,
    LOGITS,
    TFLM,
    XIAO,
    cold,
    decoded,
    facts,
    results,
    rules_of,
)

from vision.contract import Facts, Rules
from vision.judge import judge
from vision.quantization import largest_sigmoid
from vision.rules_memory import fitting_side


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
    cold = tuple(replace(entry, zero_points=(127,)) for entry in LOGITS)
    assert results(decoded(logits=(*cold[:2], LOGITS[0])), "warn", XIAO) == []
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


def line_of(rule: str, rules: Rules, found: Facts) -> Any:
    [line] = [line for line in judge(rules, found) if line.rule == rule]
    return line


def elsewhere(**changes: Any) -> Facts:
    """A compiled file of which nobody told anything but itself."""
    found = facts(version="", npu_percent=None, **changes)
    return replace(found, names=None, logits=None, cost=replace(found.cost, latency_ms=None))


def test_a_file_from_elsewhere_leaves_things_open() -> None:
    found = elsewhere()
    assert results(found, "fail") == ["NPU placement"]  # all must be on the NPU; not all is
    open_ = ["vela version", "class names", *GROVE.unproven]
    assert results(found, "unproven") == open_
    lines = judge(GROVE, found)
    assert all(line.remedy for line in lines if line.result == "unproven")
    assert line_of("latency on the board", GROVE, found).found == "not known here"
    assert line_of("latency on the board", GROVE, facts()).found.startswith("50.0 ms by vela")


def test_how_much_the_npu_runs_is_hidden_in_its_commands() -> None:
    assert GROVE.npu is not None
    rules = replace(GROVE, npu=replace(GROVE.npu, min_percent=90))
    mixed = elsewhere(operators={"ETHOS_U": 1, "SOFTMAX": 1})
    line = line_of("NPU placement", rules, mixed)
    assert (line.result, line.found) == ("unproven", "on the processor: SOFTMAX")


def test_an_arena_that_nobody_planned_is_open() -> None:
    line = line_of("arena", GROVE, facts(arena_bytes=None))
    assert line.result == "unproven"


def test_decoded_scores_of_a_compiled_file_are_hidden() -> None:
    decoded_grove = rules_of("target.output=decoded")
    line = line_of("confident scores", decoded_grove, decoded(logits=None))
    assert (line.result, line.found) == ("unproven", "hidden in what the NPU runs")
    none = line_of("confident scores", decoded_grove, decoded(logits=()))
    assert (none.result, none.found) == ("unproven", "no sigmoid in the network")


def test_outputs_of_no_form_are_judged_only_by_what_holds_for_all() -> None:
    rules = replace(GROVE, form=None)
    found = replace(facts(), classes=0, names=None)
    kept = {line.rule for line in judge(rules, found)}
    assert {"input scale", "output ranks", "arena", "flash", "operators"} <= kept
    assert kept.isdisjoint({"class count", "class names", "confident scores", "box tensors"})


def test_all_class_names_fit_into_one_command() -> None:
    short = line_of("class names", GROVE, facts())
    assert short.result == "pass"
    many = replace(facts(), names=tuple(f"a long name of a class {i}" for i in range(200)))
    line = line_of("class names", GROVE, many)
    assert line.result == "warn"
    assert "4094" in line.demanded
    himax = rules_of("target=grove_v2_himax")
    assert "class names" not in {line.rule for line in judge(himax, many)}
