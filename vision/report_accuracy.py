"""The report's sections on accuracy: tiers, classes, precision over recall."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vision import charts_accuracy
from vision.report_parts import FLOATS, TIERS
from vision.report_table import Cell, Column, number, table
from vision.report_units import points

MEAN = "mean over IoU 0.50 to 0.95, as COCO counts"
Json = Mapping[str, Any]


def accuracy(metrics: Json) -> dict[str, Any]:
    """What the template of the section shows."""
    board, comparable = metrics.get("board") or {}, metrics.get("comparable") or {}
    return {
        "images": metrics["images"],
        "dataset": metrics["dataset"],
        "split": metrics["split"],
        "board": board,
        "comparable": comparable,
        "board_table": _board_table(board) if board.get("tiers") else None,
        "comparable_table": _comparable_table(comparable) if comparable.get("tiers") else None,
        "chart": _tiers_chart(board) if len(board.get("tiers", ())) > 1 else None,
        "on_cpu": "tflm" in board.get("tiers", ()),
        "agreement": metrics.get("agreement"),
        "agreement_table": _agreement_table(metrics.get("agreement")),
        "warnings": metrics.get("warnings", []),
    }


def _maps(tier: Json) -> list[Cell]:
    """mAP50-95 and mAP50 of boxes, and of keypoints where there are any."""
    found = [number(tier["box"]["map50_95"]), number(tier["box"]["map50"])]
    if points_ := tier.get("keypoints"):
        found += [number(points_["map50_95"]), number(points_["map50"])]
    return found


def _map_columns(tiers: Mapping[str, Json]) -> list[Column]:
    columns = [Column("mAP50-95", True, about=MEAN), Column("mAP50", True, about="at IoU 0.50")]
    if any(tier.get("keypoints") for tier in tiers.values()):
        columns += [
            Column("keypoints mAP50-95", True, about="by object keypoint similarity, mean"),
            Column("keypoints mAP50", True, about="at a similarity of 0.50"),
        ]
    return columns


def _board_table(board: Json) -> str:
    tiers, reference = board["tiers"], board.get("reference")
    base = tiers[reference]["box"]["map50_95"] if reference in tiers else None
    columns = [
        Column("run as"),
        *_map_columns(tiers),
        Column("change", True, about="points of mAP50-95"),
    ]
    columns += [Column(name, True) for name in ("precision", "recall", "F1")]
    rows = []
    for name, tier in tiers.items():
        mean, at = tier["box"]["map50_95"], tier.get("at_threshold") or {}
        change = None if base is None or mean is None else 100 * (mean - base)
        shown = Cell("reference", sort=0) if name == reference else number(change, 1, sign=True)
        rows.append(
            [Cell(TIERS.get(name, name), strong=name == board.get("final")), *_maps(tier), shown]
            + [number(at.get(key)) for key in ("precision", "recall", "f1")]
            + [Cell(tier["runtime"])]
        )
    columns.append(Column("runtime"))
    preprocess, threshold = board["preprocess"], board.get("threshold")
    caption = f"As on the board: {preprocess}, the firmware's decoding, NMS at IoU {board['iou']:g}"
    if threshold is not None:
        caption += f"; precision, recall and F1 at its score threshold {threshold:g}"
    return table(caption, columns, rows, "accuracy-board")


def _comparable_table(comparable: Json) -> str:
    tiers = comparable["tiers"]
    columns = [Column("run as"), *_map_columns(tiers), Column("runtime")]
    rows = [[TIERS.get(name, name), *_maps(tier), tier["runtime"]] for name, tier in tiers.items()]
    caption = (
        f"Comparable with published figures: {comparable['preprocess']}, "
        f"scores from {comparable['score']:g}, NMS at IoU {comparable['iou']:g}"
    )
    return table(caption, columns, rows, "accuracy-comparable")


def _tiers_chart(board: Json) -> str:
    rows = [
        (
            TIERS.get(name, name),
            name in FLOATS,
            tier["box"]["map50"] or 0.0,
            tier["box"]["map50_95"] or 0.0,
        )
        for name, tier in board["tiers"].items()
    ]
    final = TIERS.get(board.get("final", ""), "")
    return charts_accuracy.tiers(rows, final, drop_of(board, "box"))


def drop_of(board: Json, what: str) -> float | None:
    """Points of mAP50-95 that int8 loses against the cut float model; None: not measured."""
    drop: float | None = ((board.get("drop") or {}).get(what) or {}).get("map50_95")
    return drop


def _agreement_table(agreement: Json | None) -> str | None:
    if not agreement or not agreement.get("outputs"):
        return None
    rows = [
        [one["name"], number(100 * one["within_one_quantum"], 2), number(one["largest"], 0)]
        for one in agreement["outputs"]
    ]
    columns = [Column("output"), Column("within one quantum, %", True)]
    columns.append(Column("largest difference, quanta", True))
    return table("LiteRT against TFLM on the same input, output by output", columns, rows)


def classes(metrics: Json) -> dict[str, Any] | None:
    """The table and chart of classes; None where int8 or float is missing."""
    board = metrics.get("board") or {}
    tiers, first, last = board.get("tiers", {}), board.get("reference"), board.get("final")
    if first not in tiers or last not in tiers or first == last:
        return None
    rows = []
    for one, other in zip(_per_class(tiers[first]), _per_class(tiers[last]), strict=True):
        rows.append((one, other, _change(one["map50_95"], other["map50_95"])))
    rows.sort(key=lambda row: (row[2] is None, row[2], row[0]["name"]))
    known = [row for row in rows if row[2] is not None]
    return {
        "table": _classes_table(rows),
        "chart": charts_accuracy.classes(
            [(one["name"], one["map50_95"], other["map50_95"]) for one, other, _ in known]
        )
        if len(known) > 1
        else None,
        "absent": [one["name"] for one, _, change in rows if change is None],
        "shown": min(len(known), charts_accuracy.MOST_CLASSES),
        "count": len(rows),
        "worse": sum(change < -1 for _, _, change in known if change is not None),
        "better": sum(change > 0 for _, _, change in known if change is not None),
    }


def _per_class(tier: Json) -> list[Json]:
    found: list[Json] = tier["box"]["per_class"]
    return found


def _change(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else 100 * (other - one)


def _classes_table(rows: list[tuple[Json, Json, float | None]]) -> str:
    columns = [Column("class")]
    for title in ("instances", "float mAP50-95", "int8 mAP50-95", "change", "float mAP50"):
        columns.append(Column(title, True))
    columns.append(Column("int8 mAP50", True))
    cells = [
        [
            one["name"],
            number(one["instances"], 0),
            number(one["map50_95"]),
            number(other["map50_95"]),
            number(change, 1, sign=True),
            number(one["map50"]),
            number(other["map50"]),
        ]
        for one, other, change in rows
    ]
    return table("Boxes class by class, as on the board; change in points", columns, cells)


def curves(found: Json, metrics: Json | None) -> str | None:
    """Precision over recall, the cut float model first; None where nothing was measured."""
    order = [name for name in TIERS if name in found["tiers"]]
    board = ((metrics or {}).get("board") or {}).get("tiers")
    mine = [name for name in order if not board or name in board]
    mine.sort(key=lambda name: name not in FLOATS)
    chosen = {name: found["tiers"][name]["box"] for name in mine if found["tiers"][name].get("box")}
    points = {
        name: (at["recall"], at["precision"])
        for name in chosen
        if (at := ((board or {}).get(name) or {}).get("at_threshold"))
    }
    return charts_accuracy.precision_recall(chosen, TIERS, points) if chosen else None


def cost_in_words(board: Json) -> str:
    """int8 against float, for the summary: −1.8 points."""
    drop = drop_of(board, "box")
    return "not measured" if drop is None else points(drop)
