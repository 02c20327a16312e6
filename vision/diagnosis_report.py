"""Puts diagnosis.json together: what every stage that diagnoses does, whatever the files."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vision.diagnosis import SETS, Measured, evenly
from vision.findings import findings

if TYPE_CHECKING:
    from vision.pair import Pair
    from vision.remedies import Chosen

SCHEMA = 1
"""Version of diagnosis.json; see docs/diagnose.md."""


def diagnose(
    pair: Pair,
    inputs: Mapping[str, Path],
    images: int,
    threshold: float,
    chosen: Chosen,
    progress: Callable[[int, int], None],
) -> dict[str, Any]:
    """diagnosis.json of both forms of a network.

    `inputs`: calibration.npy and perhaps validation.npy; `images`: how many of each are run;
    `threshold`: the firmware's, of scores; `progress` takes images done and all.
    """
    import numpy as np

    from vision.calibration_checks import calibration_checks

    files = dict(zip(SETS, ("calibration.npy", "validation.npy"), strict=True))
    loaded = {s: np.load(inputs[file]) for s, file in files.items() if file in inputs}
    checks = calibration_checks(loaded[SETS[0]], loaded.get(SETS[1]))
    sets = {name: evenly(pixels, images) for name, pixels in loaded.items() if len(pixels)}
    measured = Measured(pair, sets)
    measured.run(progress)
    report: dict[str, Any] = {
        "schema": SCHEMA,
        "images": {name: len(sets.get(name, ())) for name in SETS},
        "runtime": pair.runtime,
        "imgsz": int(loaded[SETS[0]].shape[1]),
        "tensors": measured.tensors(),
        "outputs": measured.outputs(threshold),
        "calibration": checks,
    }
    report["findings"] = findings(report, chosen)
    return report


def write(report: Mapping[str, Any], target: Path) -> None:
    """Writes diagnosis.json, and prints what was found: it stands in the step's log."""
    text = json.dumps(report, indent=1, ensure_ascii=False) + "\n"
    target.write_text(text, encoding="utf-8")
    for finding in report["findings"]:
        advice = f" -> {finding['try']}" if finding["try"] else ""
        print(f"{finding['level']}: {finding['what']} ({finding['evidence']}){advice}")
