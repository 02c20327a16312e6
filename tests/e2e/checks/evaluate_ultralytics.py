"""Prints what ultralytics' own validation says of a checkpoint: mAP50 and mAP50-95, by boxes and
for a pose network by keypoints. Runs in toolchain `torch`."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path


def main(checkpoint: Path, data: Path, task: str, side: int) -> dict[str, list[float]]:
    """`data`: the canonical data set. It is copied: label caches would be written beside it."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"YOLO_OFFLINE": "true", "YOLO_CONFIG_DIR": folder}
        from ultralytics import YOLO

        copy = Path(folder, "data")
        shutil.copytree(data, copy)
        yaml = copy / "data.yaml"
        yaml.write_text(f"path: {copy}\n{yaml.read_text()}")
        found = YOLO(checkpoint, task=task).val(
            data=yaml, imgsz=side, rect=False, workers=0, plots=False, project=folder
        )
        kinds = {"box": found.box} | ({"keypoints": found.pose} if task == "pose" else {})
        return {name: [float(kind.map50), float(kind.map)] for name, kind in kinds.items()}


print("\n" + json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))))
