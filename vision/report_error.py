"""The report's sections on rounding: where the noise is, what was found, the calibration images."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from vision import charts_error
from vision.report_table import Cell, Column, number, table

Json = Mapping[str, Any]
CLIPPED = "share of values that int8 cannot express"


def diagnosis(found: Json) -> dict[str, Any]:
    """What the template of the section shows of diagnosis.json."""
    tensors = found["tensors"]
    measured = [t for t in tensors if noise(t) is not None]
    return {
        "images": found["images"],
        "runtime": found.get("runtime", ""),
        "findings": found["findings"],
        "depth": charts_error.depth(_points(measured)) if measured else None,
        "worst": charts_error.worst(
            [(f"{label(t)} {t['kind']}", noise(t) or 0.0, t["branch"]) for t in measured]
        )
        if measured
        else None,
        "tensors": _tensors(tensors) if tensors else None,
        "outputs": _outputs(found["outputs"]) if found.get("outputs") else None,
        "count": len(tensors),
        "on": "validation" if found["images"].get("val") else "calibration",
    }


def noise(tensor: Json) -> float | None:
    """Signal to noise on validation images, else on calibration images; dB."""
    told: Json = tensor["snr_db"]
    value: float | None = told.get("val")
    return told.get("calibration") if value is None else value


def label(tensor: Json) -> str:
    """The layer where it is known, else the tensor's own name."""
    return str(tensor.get("layer") or tensor["name"])


def _points(tensors: Sequence[Json]) -> list[tuple[float, float, str]]:
    """Place in the network: the number of ultralytics' layer; those of unknown layers are left
    out of the chart."""
    points: list[tuple[float, float, str]] = []
    for tensor in tensors:
        if found := re.match(r"model\.(\d+)", label(tensor)):
            points.append((int(found[1]), noise(tensor) or 0.0, tensor["branch"]))
    return points


def _tensors(tensors: Sequence[Json]) -> str:
    columns = [Column("layer"), Column("operator"), Column("branch"), Column("stride", True)]
    columns += [Column("dB, calibration", True), Column("dB, validation", True)]
    columns += [Column("clipped, %", True, about=CLIPPED), Column("tensor")]
    rows = []
    for tensor in tensors:
        clipped = (tensor.get("clipped") or {}).get("val")
        if clipped is None:
            clipped = (tensor.get("clipped") or {}).get("calibration")
        rows.append(
            [
                Cell(label(tensor), code=True),
                tensor["kind"],
                tensor["branch"],
                number(tensor.get("stride"), 0),
                number(tensor["snr_db"].get("calibration"), 1),
                number(tensor["snr_db"].get("val"), 1),
                number(None if clipped is None else 100 * clipped, 2),
                Cell(tensor["name"], code=True),
            ]
        )
    return table("Every tensor, the noisiest first", columns, rows, "tensors")


def _outputs(outputs: Sequence[Json]) -> str:
    columns = [Column("output"), Column("role"), Column("stride", True), Column("scale", True)]
    columns += [Column("zero point", True), Column("largest score", True), Column("score headroom")]
    columns.append(Column("saturated, %", True, about="values at the largest that int8 has"))
    columns.append(Column("range", about="taken by the channels that reach furthest, alone"))
    rows = []
    for one in outputs:
        largest, threshold = one.get("largest_score"), one.get("threshold")
        enough: Cell | str = ""
        if largest is not None and threshold is not None:
            tone = "good" if largest > threshold else "bad"
            sign = "above" if largest > threshold else "not above"
            enough = Cell(f"{sign} {threshold:g}", tone=tone)
        share, spread = one.get("saturated"), one.get("channels_over_range")
        few = ""
        if spread and spread["rest"] < 1:
            taken = 100 * (1 - spread["rest"])
            few = f"{spread['channels']} of {spread['of']} channels take {taken:.0f} %"
        rows.append(
            [
                Cell(one["name"], code=True),
                one.get("role") or "",
                number(one.get("stride"), 0),
                number(one.get("scale"), 5),
                number(one.get("zero_point"), 0),
                number(largest, 3),
                enough,
                number(None if share is None else 100 * share, 2),
                few,
            ]
        )
    return table("Outputs: what their int8 can express", columns, rows, "outputs")


def calibration(report: Json | None, found: Json | None) -> dict[str, Any]:
    """The calibration step's own warnings, and the diagnosis' checks."""
    report, checks = report or {}, (found or {}).get("calibration") or {}
    told = checks.get("histogram") or {}
    kinds = {"calibration": told.get("calibration"), "validation": told.get("val")}
    known = {name: values for name, values in kinds.items() if values}
    return {
        "count": report.get("count", checks.get("count")),
        "source": report.get("source"),
        "warnings": report.get("warnings", []),
        "checks": _checks(report, checks),
        "histograms": charts_error.histograms(known) if known else None,
    }


def _checks(report: Json, checks: Json) -> list[tuple[str, str, str]]:
    """(tone, what, value) of each check that was made."""
    rows: list[tuple[str, str, str]] = []
    if (black := checks.get("black")) is not None:
        rows.append(("good" if not black else "look", "black images", str(black)))
    if (copies := checks.get("duplicates")) is not None:
        rows.append(("good" if not copies else "look", "duplicates", str(copies)))
    low, high = checks.get("lowest"), checks.get("highest")
    if low is None and report.get("range"):
        low, high = report["range"]
    if low is not None and high is not None:
        full = low == 0 and high == 255
        rows.append(("good" if full else "look", "levels in use", f"{low} to {high} of 0 to 255"))
    if (distance := checks.get("histogram_distance")) is not None:
        rows.append(("none", "distance to the validation images' colours", f"{distance:.3f}"))
    if (swapped := checks.get("swapped_colours")) is not None:
        tone, word = ("look", "perhaps swapped") if swapped else ("good", "as in validation images")
        rows.append((tone, "order of colours", word))
    return rows
