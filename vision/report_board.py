"""The report's sections on the board: memory, time, operators, its rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from vision import charts_board
from vision.charts_board import Limited
from vision.report_summary import rules_table
from vision.report_table import Cell, Column, Row, number, table
from vision.report_units import of_limit, size

Json = Mapping[str, Any]
NUMBERED = {
    "macs": ("multiplications of a run", 1e6, "million"),
    "npu_percent": ("operators on the NPU", 1, "%"),
    "int8_percent": ("multiplications in int8", 1, "%"),
    "float_operators": ("operators in float", 1, ""),
    "latency_ms": ("time of a run", 1, "ms"),
    "sram_bytes": ("memory while it runs", 1024, "KiB"),
    "opset": ("ONNX opset", 1, ""),
    "ir_version": ("ONNX IR version", 1, ""),
}
"""Figure -> what people call it, divisor, unit."""
CYCLES = {
    "cycles_npu": "NPU computing",
    "cycles_sram_access": "SRAM access",
    "cycles_off_chip_flash_access": "flash access",
    "cycles_on_chip_flash_access": "flash on the chip",
    "cycles_dram_access": "DRAM access",
    "cycles_total": "in all",
}
"""vela's cycles; they overlap in time, so they do not add up."""


def board(model: Json, cost: Json | None, gate: Json | None) -> dict[str, Any]:
    """Limits as a chart, all figures as a table, vela's cycles where there is an NPU."""
    figures = model["figures"]
    rows = limited(figures, model["contract"]["lines"], gate)
    return {
        "chart": charts_board.limits(rows) if rows else None,
        "figures": _figures(figures, cost),
        "cycles": _cycles(cost),
        "estimated": figures.get("latency_ms") is not None,
        "source": figures.get("arena_source"),
    }


def limited(figures: Json, lines: list[Json], gate: Json | None) -> list[Limited]:
    """What has a limit, the board's or the user's."""
    rows = []
    for key, name in (("arena", "Memory (tensor arena)"), ("flash", "Model file (flash)")):
        taken, limit = figures.get(f"{key}_bytes"), figures.get(f"{key}_limit_bytes")
        if taken is not None and limit:
            rows.append(Limited(name, taken, limit, of_limit(taken, limit)))
    kept = {line["rule"]: line for line in (gate or {}).get("lines", ())}
    for rule, key, name, unit in (
        ("gate.max_sram_kib", "arena_bytes", "Memory, your gate", 1024.0),
        ("gate.max_flash_kib", "flash_bytes", "Model file, your gate", 1024.0),
        ("gate.max_latency_ms", "latency_ms", "Time of a run, your gate", 1.0),
    ):
        most = _number_in(kept[rule]["demanded"]) if rule in kept else None
        if most and figures.get(key) is not None:
            value = figures[key] / unit
            told = f"{value:,.1f} of {most:,g} {'ms' if unit == 1 else 'KiB'}"
            rows.append(Limited(name, value, most, told))
    return rows


def _number_in(text: str) -> float | None:
    """The first number of a demand such as `at most 60`."""
    for word in text.replace(",", "").split():
        try:
            return float(word)
        except ValueError:
            continue
    return None


def _figures(figures: Json, cost: Json | None) -> str:
    known = {**{k: v for k, v in (cost or {}).items() if k == "macs"}, **figures}
    rows: list[Row] = []
    for key, title in (("arena", "tensor arena"), ("flash", "model file")):
        taken, limit = known.get(f"{key}_bytes"), known.get(f"{key}_limit_bytes")
        if taken is not None:
            note = size(limit) if limit else ""
            rows.append([title, Cell(size(taken), taken), note])
    for key, (title, divisor, unit) in NUMBERED.items():
        if known.get(key) is not None:
            value = known[key] / divisor
            rows.append([title, Cell(f"{value:,.4g} {unit}".strip(), value), ""])
    columns = [Column("figure"), Column("value", True), Column("limit")]
    return table("What the model takes of the board", columns, rows)


def _cycles(cost: Json | None) -> str | None:
    cycles = (cost or {}).get("cycles")
    if not cycles:
        return None
    clock = cost["core_clock_hz"] if cost else 0
    rows: list[Row] = [
        [title, number(cycles[key], 0), number(1000 * cycles[key] / clock, 2)]
        for key, title in CYCLES.items()
        if cycles.get(key)
    ]
    columns = [
        Column("vela counts"),
        Column("cycles", True),
        Column("ms at the core's clock", True),
    ]
    return table(f"Where the time goes, by vela at {clock / 1e6:,.0f} MHz", columns, rows)


def operators(
    model: Json, cost: Json | None, quantized: Json | None, counted: Mapping[str, int] | None
) -> str | None:
    """Operators, how many, and where they run; None where no step counted them.

    `cost`: vela.json; `quantized`: quantize.json of an int8 ONNX file; `counted`: operators of
    the int8 TFLite file.
    """
    rows: list[tuple[str, str, int]] = []
    if cost and "npu" in cost:
        rows = [(name, "NPU", count) for name, count in cost["npu"].items()]
        on_cpu = Counter(entry.split(" ")[0] for entry in cost["cpu"])
        rows += [(name, "CPU", count) for name, count in on_cpu.items()]
    elif quantized and "int8" in quantized:
        rows = [(name, "int8", count) for name, count in quantized["int8"].items()]
        floats = Counter(one["type"] for one in quantized["float"])
        rows += [(name, "float", count) for name, count in floats.items()]
    elif counted:
        rows = [(name, "CPU, int8", count) for name, count in counted.items()]
    if not rows:
        return None
    rows.sort(key=lambda row: (-row[2], row[0], row[1]))
    columns = [Column("operator"), Column("runs"), Column("how many", True)]
    cells: list[Row] = [
        [Cell(name, code=True), where, number(count, 0)] for name, where, count in rows
    ]
    what = "as the compiler left them" if cost and "npu" in cost else "of the int8 file"
    return table(f"Operators {what}, {model['target']['title']}", columns, cells)


def rules(model: Json) -> str:
    """The contract's lines."""
    title = f"What {model['contract']['firmware']} demands"
    return rules_table(title, model["contract"]["lines"], "rules-table")
