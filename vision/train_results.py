"""What ultralytics says of a training, without what differs from run to run."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

FIGURES = {
    "map50": "metrics/mAP50(B)",
    "map50_95": "metrics/mAP50-95(B)",
    "precision": "metrics/precision(B)",
    "recall": "metrics/recall(B)",
}
"""Key of train.json -> ultralytics' name; (B): of the boxes."""
KEYPOINT_FIGURES = {
    "pose_map50": "metrics/mAP50(P)",
    "pose_map50_95": "metrics/mAP50-95(P)",
}
"""The same of the keypoints, by object keypoint similarity; of pose networks only."""


def figures(metrics: Mapping[str, float]) -> dict[str, float]:
    """Key of train.json -> figure of the best epoch, five digits."""
    more = KEYPOINT_FIGURES if KEYPOINT_FIGURES["pose_map50"] in metrics else {}
    return {key: round(float(metrics[name]), 5) for key, name in (FIGURES | more).items()}


def write_curves(source: Path, target: Path) -> int:
    """Copies results.csv without its seconds, which differ; how many epochs there are."""
    rows = without_time(source)
    with target.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return len(rows)


def without_time(curves: Path) -> list[dict[str, str]]:
    """The rows of ultralytics' results.csv but for the column `time`."""
    with curves.open(newline="") as stream:
        rows = [
            {key.strip(): value for key, value in row.items()} for row in csv.DictReader(stream)
        ]
    for row in rows:
        row.pop("time", None)
    return rows
