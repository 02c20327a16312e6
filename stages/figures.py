"""The figures of a deliverable that the summary shows, read from its model.json."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

KINDS = ("box", "keypoints")
"""What accuracy is counted of."""
SEEN = 0.05
"""Points of mAP50-95 that a table shows: less is rounded to zero."""
REPORT = "report.html"
NETWORKS = (".tflite", ".onnx")
"""Suffixes of the files that hold a network."""


def rows(delivered: Path) -> list[tuple[str, str]]:
    """(name, figure against the board's limit) for the table at the end of a build."""
    model: dict[str, Any] = json.loads((delivered / "model.json").read_bytes())
    return [
        *_models(model),
        *cost(model["figures"]),
        *_contract(model["contract"]),
        *_calibration(json.loads((delivered / "calibration.json").read_bytes())),
        *_search(_told(delivered / "search.json")),
        *_accuracy(_told(delivered / "metrics.json")),
        *_diagnosis(_told(delivered / "diagnosis.json")),
        *_report(delivered),
    ]


def _told(file: Path) -> dict[str, Any]:
    """What a file says that need not be there; it is added later, or never."""
    return json.loads(file.read_bytes()) if file.exists() else {}


def _search(told: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Which way to quantize was the best."""
    if told:
        chosen = told["tries"][told["chosen"]]
        words = " ".join(f"{key}={value}" for key, value in chosen["quant"].items())
        best = ", ".join(f"{kind} {value:.3f}" for kind, value in chosen["map50_95"].items())
        yield "search", f"{words} is the best of {len(told['tries'])} (mAP50-95 {best})"


def _accuracy(told: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What int8 costs, with the board's own arithmetic."""
    board = told.get("board") or {}
    tiers = board.get("tiers", {})
    for kind in KINDS:
        final = tiers.get(board.get("final"), {}).get(kind)
        if final is None or final["map50_95"] is None:
            continue
        text = f"mAP50 {final['map50']:.3f}, mAP50-95 {final['map50_95']:.3f} ({board['final']})"
        lost = (board.get("drop") or {}).get(kind, {}).get("map50_95")
        if lost is not None:
            text += f"; {_cost_of_int8(lost)}"
        yield f"accuracy, {kind}", text
    # How two interpreters on a PC round is the report's matter: the board's file is the same.
    tiers = (told.get("agreement") or {}).get("tiers", ())
    aside = f"{' and '.join(tiers)} part on"
    yield from (("look", line) for line in told.get("warnings", ()) if not line.startswith(aside))


def _cost_of_int8(points: float) -> str:
    """`points` of mAP50-95 lost; one decimal is more than so few images tell."""
    if abs(points) < SEEN:
        return "int8 costs nothing"
    return f"int8 {'loses' if points > 0 else 'gains'} {abs(points):.1f} points of mAP50-95"


def _diagnosis(told: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The findings that a person should know of."""
    for finding in told.get("findings", ()):
        if finding["level"] == "bad":
            advice = f": {finding['try']}" if finding["try"] else ""
            yield "diagnosis", f"{finding['what']}{advice}"


def _report(delivered: Path) -> Iterator[tuple[str, str]]:
    if (delivered / REPORT).exists():
        yield "report", REPORT


def _calibration(report: dict[str, Any]) -> list[tuple[str, str]]:
    """What is odd about the images that set the int8 ranges."""
    return [("calibration", warning) for warning in report["warnings"]]


def _models(model: dict[str, Any]) -> list[tuple[str, str]]:
    """The networks; what describes them lies beside them."""
    return [
        (name, f"{file['bytes']:,} bytes")
        for name, file in model["files"].items()
        if name.endswith(NETWORKS)
    ]


def cost(figures: dict[str, Any]) -> list[tuple[str, str]]:
    """Sizes against the board's; what a figure is worth stands behind it."""
    found = []
    if figures.get("npu_percent") is not None:
        found.append(("NPU placement", f"{figures['npu_percent']:g} %"))
    if figures.get("arena_bytes") is not None:
        arena = of_limit(figures["arena_bytes"], figures["arena_limit_bytes"])
        found.append(("arena", f"{arena}, {figures['arena_source']}"))
    if "flash_limit_bytes" in figures:
        found.append(("flash", of_limit(figures["flash_bytes"], figures["flash_limit_bytes"])))
    if figures.get("latency_ms") is not None:
        found.append(("latency", f"{figures['latency_ms']:.1f} ms (vela's estimate)"))
    if figures.get("int8_percent") is not None:
        work = f"{figures['int8_percent']:g} % of {figures['macs'] / 1e6:,.0f} M MACs"
        found.append(("int8", work))
    if figures.get("box_overlap") is not None:
        found.append(
            (
                "against float",
                f"boxes overlap by {figures['box_overlap']:.3f}, scores differ by "
                f"{figures['score_difference']:.3f} ({figures['images']} calibration images)",
            )
        )
    return found


def of_limit(used: int, limit: int) -> str:
    """A size against the board's, in KiB and percent."""
    return f"{used / 1024:,.0f} of {limit / 1024:,.0f} KiB ({100 * used / limit:.0f} %)"


def _contract(verdict: dict[str, Any]) -> list[tuple[str, str]]:
    """pass or FAIL, then every line that failed or deserves a look."""
    lines = verdict["lines"]
    failed = [line for line in lines if line["result"] == "fail"]
    open_ = sum(line["result"] == "unproven" for line in lines)
    only = f"; {open_} can only be seen on the board" if open_ else ""
    kept = f"pass ({len(lines) - open_} rules{only})"
    found = [("contract", f"FAIL ({len(failed)} rules)" if failed else kept)]
    for line in lines:
        if line["result"] in ("fail", "warn"):
            text = f"{line['rule']}: {line['found']}"
            found.append((line["result"], f"{text}. {line['remedy']}" if line["remedy"] else text))
    return found
