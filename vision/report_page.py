"""Puts a report together: what exists becomes a section, what does not is said in one line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vision import charts_training, report_accuracy, report_board, report_error, report_pictures
from vision.charts_steps import StepNode, steps_graph
from vision.report_parts import TIERS, Parts
from vision.report_summary import cards, gates_table, headline
from vision.report_table import MARKS, TONE_OF_RESULT, Cell, Column, Row, badge, table
from vision.report_units import plural, size

SECTIONS = (
    ("accuracy", "Accuracy"),
    ("classes", "Class by class"),
    ("detections", "Float beside int8"),
    ("training", "Training"),
    ("rounding", "Where int8 loses"),
    ("board", "Memory and time"),
    ("operators", "Operators"),
    ("rules", "The board's rules"),
    ("calibration", "Calibration images"),
    ("steps", "Steps of the build"),
    ("config", "Configuration"),
    ("provenance", "Provenance"),
)
"""Id and title, in the page's order; the summary stands before them."""
ABSENT = {
    "accuracy": "Accuracy was not measured in this build (evaluate.tiers=[], or no data set).",
    "classes": "Needs the accuracy of the cut float model and of an int8 file.",
    "detections": "Needs what float and int8 find on validation images, and report.images above 0.",
    "training": "Nothing was trained in this build: the weights or the ONNX file were given.",
    "rounding": "The int8 file was not compared with the float network, tensor by tensor.",
    "operators": "No step of this build counts the operators.",
    "calibration": "The calibration images are not at hand.",
}
"""Why a section is empty."""


def page(parts: Parts, templates: Path, steps: Sequence[StepNode], images: int) -> str:
    """The whole document. `images`: how many are drawn, at most."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(templates),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"size": size, "html": lambda text: Markup(text or "")}
    environment.globals |= {
        "badge": lambda tone, text: Markup(badge(tone, text)),
        "plural": plural,
        "marks": MARKS,
        "tones": TONE_OF_RESULT,
    }
    files = {
        name: (templates / name).read_text(encoding="utf-8") for name in ("style.css", "sort.js")
    }
    context: dict[str, Any] = {
        **_context(parts, images),
        "graph": steps_graph(steps),
        "style": Markup(files["style.css"]),
        "script": Markup(files["sort.js"]),
        "sections": SECTIONS,
        "absent": ABSENT,
    }
    context["self_empty"] = lambda name: name in ABSENT and context[name] is None
    return str(environment.get_template("page.html.j2").render(context))


def _context(parts: Parts, images: int) -> dict[str, Any]:
    """What the templates name; None for a section whose parts are missing."""
    model, metrics, gate = (
        parts.json("model.json"),
        parts.json("metrics.json"),
        parts.json("gate.json"),
    )
    assert model is not None
    cost, found = parts.json("cost.json"), parts.json("diagnosis.json")
    curves = parts.json("curves.json")
    return {
        "model": model,
        "trained": parts.json("train.json"),
        "headline": headline(model, gate),
        "cards": cards(model, metrics, gate),
        "gates": gates_table(gate) if gate and gate["lines"] else None,
        "findings": [one for one in (found or {}).get("findings", ()) if one["level"] != "good"],
        "accuracy": report_accuracy.accuracy(metrics) if metrics else None,
        "classes": report_accuracy.classes(metrics) if metrics else None,
        "detections": _detections(parts, model, images),
        "curves": report_accuracy.curves(curves, metrics) if curves else None,
        "training": _training(parts),
        "rounding": report_error.diagnosis(found) if found else None,
        "board": report_board.board(model, cost, gate),
        "operators": report_board.operators(
            model, cost, parts.json("quantize.json"), _counted(parts, cost)
        ),
        "rules": report_board.rules(model),
        "calibration": _calibration(parts, found),
        "digests": _digests(model),
    }


def _detections(parts: Parts, model: dict[str, Any], count: int) -> dict[str, Any] | None:
    one, other = parts.json("reference.json"), parts.json("final.json")
    if one is None or other is None or "data" not in parts or not count:
        return None
    names, threshold = one["images"], model["thresholds"]["score"]
    found = [
        report_pictures.finds(parts.files[f"{side}.npz"], len(names), threshold)
        for side in ("reference", "final")
    ]
    pairs = report_pictures.most_different(names, found[0], found[1])
    folder = parts.files["data"] / "images/val"
    return {
        "pairs": [report_pictures.shown(pair, folder, one["classes"]) for pair in pairs[:count]],
        "alike": sum(not any(pair.alone) for pair in pairs),
        "titles": [TIERS.get(side["tier"], side["tier"]) for side in (one, other)],
        "threshold": threshold,
        "count": len(names),
    }


def _counted(parts: Parts, cost: dict[str, Any] | None) -> Mapping[str, int] | None:
    """Operators of the int8 TFLite file, where no compiler made others of them."""
    if "model_int8.tflite" not in parts or "npu" in (cost or {}):
        return None
    from vision.tflite_file import read_model

    return read_model(parts.files["model_int8.tflite"]).operators


def _training(parts: Parts) -> dict[str, Any] | None:
    columns, told = parts.columns("results.csv"), parts.json("train.json") or {}
    if not columns:
        return None
    rows: list[Row] = [[str(key).replace("_", " "), _plain(value)] for key, value in told.items()]
    return {
        "told": told,
        "reached": charts_training.reached(columns, told.get("best_epoch")),
        "losses": charts_training.losses(columns),
        "table": table("What the training left", [Column("what"), Column("value", True)], rows),
    }


def _plain(value: Any) -> Cell:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return Cell(str(value).lower() if isinstance(value, bool) else str(value))
    return Cell(f"{value:g}", sort=float(value))


def _calibration(parts: Parts, found: dict[str, Any] | None) -> dict[str, Any] | None:
    report = parts.json("calibration.json")
    if report is None and "calibration.npy" not in parts:
        return None
    told = report_error.calibration(report, found)
    if "calibration.npy" in parts:
        told["sheet"] = report_pictures.sheet(parts.files["calibration.npy"])
    return {"sheet": None, **told}


def _digests(model: dict[str, Any]) -> str:
    columns = [Column("file"), Column("size", True), Column("SHA-256")]
    rows = [
        [
            Cell(name, code=True),
            Cell(size(one["bytes"]), one["bytes"]),
            Cell(one["sha256"], code=True),
        ]
        for name, one in model["files"].items()
    ]
    return table("Files of the deliverable", columns, rows, "files")
