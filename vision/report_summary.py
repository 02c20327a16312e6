"""What a person wants first: will the board take it, what does int8 cost, how fast, how big."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vision.report_accuracy import drop_of
from vision.report_parts import TIERS
from vision.report_table import TONE_OF_RESULT, Cell, Column, table
from vision.report_units import of_limit, plural, points, size

YARDSTICK = 1.0
"""Points of mAP50-95 that int8 may cost without a remark, where no gate says otherwise."""
Json = Mapping[str, Any]


@dataclass(frozen=True)
class Headline:
    """The verdict."""

    tone: str
    text: str
    note: str
    faults: tuple[str, ...] = ()
    """What fails, in sentences."""


@dataclass(frozen=True)
class Card:
    """One figure, and how it stands against its limit."""

    title: str
    value: str
    unit: str
    note: str
    tone: str
    verdict: str
    share: float | None = None
    """Of the limit, for a meter."""


def headline(model: Json, gate: Json | None) -> Headline:
    """The board's word first, then the user's gates."""
    lines = model["contract"]["lines"]
    results = [line["result"] for line in lines]
    board, looks = model["target"]["title"], results.count("warn")
    note = f"{plural(len(lines), 'rule')} of {model['contract']['firmware']}: " + ", ".join(
        f"{results.count(kind)} {word}"
        for kind, word in (("pass", "pass"), ("warn", "to look at"), ("fail", "fail"))
    )
    if other := len(lines) - sum(results.count(kind) for kind in ("pass", "warn", "fail")):
        note += f", {other} not provable here"
    if not model["contract"]["passed"]:
        return Headline("bad", f"{board} would refuse this model", note, _faults(lines))
    if gate is not None and not gate["passed"]:
        text = f"{board} takes this model, but your gates refuse it"
        return Headline("bad", text, note, _faults(gate["lines"]))
    if looks:
        ask = "asks for" if looks == 1 else "ask for"
        text = f"{board} takes this model; {plural(looks, 'rule')} {ask} a look"
        return Headline("look", text, note)
    return Headline("good", f"{board} takes this model", note)


def _faults(lines: list[Json]) -> tuple[str, ...]:
    return tuple(
        f"{line['rule']}: {line['found']}; demanded: {line['demanded']}."
        + (f" Remedy: {line['remedy']}." if line.get("remedy") else "")
        for line in lines
        if line["result"] == "fail"
    )


def cards(model: Json, metrics: Json | None, gate: Json | None) -> list[Card]:
    """The figures of the first screen, those that exist."""
    figures = model["figures"]
    rules = {line["rule"]: line for line in model["contract"]["lines"]}
    gates = {line["rule"]: line for line in (gate or {}).get("lines", ())}
    board = (metrics or {}).get("board") or {}
    found = [
        _accuracy(board, gates),
        _cost(board, gates),
        _latency(figures, gates),
        _memory(figures, rules, gates),
        _flash(figures, rules, gates),
        _placement(figures, rules, gates),
        _integers(figures),
    ]
    return [card for card in found if card is not None]


def gates_table(gate: Json) -> str:
    """The user's own limits, one a line."""
    return rules_table("Your gates", gate["lines"])


def rules_table(caption: str, lines: list[Json], name: str = "") -> str:
    """A verdict's lines, what fails first."""
    columns = [Column("rule"), Column("result"), Column("found", wide=True)]
    columns += [Column("demanded", wide=True), Column("remedy", wide=True), Column("source")]
    order = {"fail": 0.0, "warn": 1.0, "pass": 3.0}
    rows = [
        [
            line["rule"],
            Cell(line["result"], order.get(line["result"], 2.0), tone_of(line["result"])),
            line["found"],
            line["demanded"],
            line.get("remedy", ""),
            Cell(line.get("source", "").partition("; ")[0]),
        ]
        for line in sorted(lines, key=lambda line: order.get(line["result"], 2.0))
    ]
    return table(caption, columns, rows, name)


def tone_of(result: str) -> str:
    """Of a rule's answer."""
    return TONE_OF_RESULT.get(result, "none")


def _judged(gates: Json, key: str) -> tuple[str, str] | None:
    """Tone and words of the user's gate `key`; None where none is set."""
    line = gates.get(f"gate.{key}")
    if line is None:
        return None
    return tone_of(line["result"]), f"your gate: {line['demanded']}"


def _accuracy(board: Json, gates: Json) -> Card | None:
    tier = board.get("tiers", {}).get(board.get("final"))
    if tier is None or tier["box"]["map50_95"] is None:
        return None
    tone, verdict = _judged(gates, "min_map") or ("none", "no limit set (gate.min_map)")
    note = f"{TIERS.get(board['final'], board['final'])}; mAP50 {tier['box']['map50']:.3f}"
    if tier.get("keypoints"):
        note += f"; keypoints mAP50-95 {tier['keypoints']['map50_95']:.3f}"
    value = f"{tier['box']['map50_95']:.3f}"
    return Card("Accuracy on the board", value, "mAP50-95", note, tone, verdict)


def _cost(board: Json, gates: Json) -> Card | None:
    drop = drop_of(board, "box")
    if drop is None:
        return None
    judged = _judged(gates, "max_map_drop")
    if judged is None:
        within = drop <= YARDSTICK
        judged = (
            "good" if within else "look",
            f"{'within' if within else 'more than'} {YARDSTICK:g} point; no gate set",
        )
    note = "mAP50-95, float to int8, as on the board"
    if (other := drop_of(board, "keypoints")) is not None:
        note += f"; keypoints {points(other)}"
    value, unit = points(drop).split(" ")
    return Card("What int8 costs", value, unit, note, *judged)


def _latency(figures: Json, gates: Json) -> Card | None:
    taken = figures.get("latency_ms")
    if taken is None:
        return None
    tone, verdict = _judged(gates, "max_latency_ms") or ("none", "no limit set")
    note = f"{1000 / taken:,.0f} runs a second; vela's estimate of the NPU alone"
    return Card("Time of a run", f"{taken:,.1f}", "ms", note, tone, verdict)


def _memory(figures: Json, rules: Json, gates: Json) -> Card | None:
    taken, limit = figures.get("arena_bytes"), figures.get("arena_limit_bytes")
    if taken is None:
        return None
    own = _judged(gates, "max_sram_kib")
    note = f"tensor arena; {figures.get('arena_source', '')}".rstrip("; ")
    return _limited("Memory", taken, limit, note, rules.get("arena"), own)


def _flash(figures: Json, rules: Json, gates: Json) -> Card | None:
    taken, limit = figures.get("flash_bytes"), figures.get("flash_limit_bytes")
    if taken is None:
        return None
    own = _judged(gates, "max_flash_kib")
    return _limited("Model file", taken, limit, "what the board stores", rules.get("flash"), own)


def _limited(
    title: str,
    taken: float,
    limit: float | None,
    note: str,
    rule: Json | None,
    own: tuple[str, str] | None,
) -> Card:
    """A share of the board. The user's limit is worded where it is missed or the board has none."""
    value, unit = size(taken).split(" ")
    tone = "none" if rule is None else tone_of(rule["result"])
    verdict = f"{of_limit(taken, limit)}" if limit else "no limit known"
    if own is not None and (own[0] == "bad" or tone == "none"):
        tone, verdict = own
    return Card(title, value, unit, note, tone, verdict, taken / limit if limit else None)


def _placement(figures: Json, rules: Json, gates: Json) -> Card | None:
    share = figures.get("npu_percent")
    if share is None:
        return None
    rule = rules.get("NPU placement", {"result": "", "demanded": ""})
    tone, verdict = tone_of(rule["result"]), f"demanded: {rule['demanded']}"
    own = _judged(gates, "min_npu")
    if own is not None and own[0] == "bad":
        tone, verdict = own
    return Card("On the NPU", f"{share:g}", "%", "of the operators", tone, verdict)


def _integers(figures: Json) -> Card | None:
    share = figures.get("int8_percent")
    if share is None:
        return None
    note = f"of {figures['macs'] / 1e6:,.0f} million multiplications"
    floats = plural(figures["float_operators"], "operator") + " in float"
    return Card("In int8", f"{share:g}", "%", note, "none", floats)
