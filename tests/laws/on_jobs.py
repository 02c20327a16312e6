"""The toy project with the project's own config group `executor`."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from lab import PYPROJECT, Lab

CONF = PYPROJECT.parent / "conf/executor"


def with_executors(root: Path) -> Lab:
    """A fresh toy project in which `executor=…` can be said."""
    lab = Lab.make(root)
    shutil.copytree(CONF, root / "conf/executor")
    lab.edit("conf/executor/slurm.yaml", "\n  train: {minutes: 1440}", " {}")  # no such stage here
    lab.edit("dodo.py", "    proof:", "    executor: dict[str, Any]\n    proof:")
    lab.edit("dodo.py", "Plan(deliveries, ", "Plan(deliveries, executor=config.executor, ")
    lab.write(
        "conf/config.yaml",
        "defaults:\n  - executor: local\n  - _self_\n" + (root / "conf/config.yaml").read_text(),
    )
    return lab


def jobs(lab: Lab, stage: str) -> list[str]:
    """Ids of the jobs that run steps of the stage."""
    notes = sorted(lab.root.glob(f"artifacts/.jobs/{stage}-*/job.json"))
    return [str(json.loads(path.read_bytes())["id"]) for path in notes]


def until(there: Callable[[], bool], seconds: float) -> bool:
    """Whether it comes true in time."""
    deadline = time.monotonic() + seconds
    while not there() and time.monotonic() < deadline:
        time.sleep(0.05)
    return there()
