"""Data sets that ultralytics downloads by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def download(yaml: str, scratch: Path) -> dict[str, Any]:
    """ultralytics' description of the data set, which now lies under `scratch`.

    Raises whatever ultralytics makes of a missing network or a broken archive.
    """
    import ultralytics.data.utils as data_utils

    data_utils.DATASETS_DIR = scratch / "datasets"  # otherwise a folder beside the git checkout
    data_utils.check_font = lambda *_: None  # for plots only, and another download
    found: dict[str, Any] = data_utils.check_det_dataset(yaml)
    return {**found, "train": _strings(found["train"]), "val": _strings(found["val"])}


def _strings(paths: Any) -> list[str]:
    return [str(path) for path in (paths if isinstance(paths, list) else [paths])]
