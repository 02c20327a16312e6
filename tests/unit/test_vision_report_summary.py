"""The first screen of a report: the verdict, and the figures against their limits."""

from __future__ import annotations

from report_parts import board, gate, line, model, tier

from vision.report_accuracy import classes
from vision.report_summary import cards, headline


def test_the_board_comes_before_the_gates() -> None:
    refused = headline(model("pass", "fail"), gate(line("gate.min_map", "fail")))
    assert (refused.tone, refused.text) == ("bad", "Board would refuse this model")
    assert refused.faults == ("rule 1: 1; demanded: 1. Remedy: mend it.",)
    gated = headline(model("pass", "warn"), gate(line("gate.min_map", "fail", "0.4", "0.5")))
    assert gated.tone == "bad"
    assert "your gates refuse it" in gated.text
    assert gated.faults[0].startswith("gate.min_map: 0.4; demanded: 0.5")


def test_what_deserves_a_look_is_said() -> None:
    looked = headline(model("pass", "warn"), gate(line("gate.min_map", "pass")))
    assert (looked.tone, looked.text) == ("look", "Board takes this model; 1 rule asks for a look")
    fine = headline(model("pass", "pass"), None)
    assert (fine.tone, fine.faults) == ("good", ())
    assert fine.note == "2 rules of Firmware 1: 2 pass, 0 to look at, 0 fail"
    assert "1 not provable here" in headline(model("pass", "unproven"), None).note


def shown(*arguments: object) -> dict[str, tuple[str, str, str]]:
    found = cards(*arguments)  # type: ignore[arg-type]
    return {card.title: (f"{card.value} {card.unit}", card.tone, card.verdict) for card in found}


def test_no_figure_no_card() -> None:
    assert cards(model("pass"), None, None) == []


def test_the_cost_of_int8_against_the_yardstick_or_the_gate() -> None:
    def cost(drop: float, *lines: dict[str, str]) -> tuple[str, str, str]:
        metrics = board(tier((0.9, 0.7), (0.9, 0.7)), tier((0.9, 0.6), (0.9, 0.6)), drop)
        return shown(model("pass"), metrics, gate(*lines))["What int8 costs"]

    assert cost(0.4) == ("−0.4 points", "good", "within 1 point; no gate set")
    assert cost(1.8) == ("−1.8 points", "look", "more than 1 point; no gate set")
    assert cost(-0.3)[:2] == ("+0.3 points", "good")
    strict = line("gate.max_map_drop", "fail", demanded="at most 0.2")
    assert cost(0.4, strict) == ("−0.4 points", "bad", "your gate: at most 0.2")


def test_memory_against_the_board_and_the_gate() -> None:
    figures = {"arena_bytes": 299936, "arena_limit_bytes": 1135736, "arena_source": "vela 5"}
    told = model("pass", **figures)
    told["contract"]["lines"].append(line("arena", "pass"))
    assert shown(told, None, None) == {"Memory": ("293 KiB", "good", "293 of 1,109 KiB")}
    tight = gate(line("gate.max_sram_kib", "fail", demanded="at most 200"))
    assert shown(told, None, tight)["Memory"] == ("293 KiB", "bad", "your gate: at most 200")
    loose = gate(line("gate.max_sram_kib", "pass", demanded="at most 300"))
    assert shown(told, None, loose)["Memory"][2] == "293 of 1,109 KiB"


def test_a_board_without_limits_is_not_judged() -> None:
    told = model("pass", flash_bytes=3540550, int8_percent=99.99, macs=412997832, float_operators=1)
    assert shown(told, None, None) == {
        "Model file": ("3.38 MiB", "none", "no limit known"),
        "In int8": ("99.99 %", "none", "1 operator in float"),
    }


def test_classes_need_float_and_int8() -> None:
    metrics = board(tier((0.9, 0.7), (0.9, 0.7)), tier((0.9, 0.6), (0.9, 0.6)), 10.0)
    del metrics["board"]["tiers"]["cut_onnx"]
    assert classes(metrics) is None
