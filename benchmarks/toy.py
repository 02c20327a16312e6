"""A project of equal steps that do nothing, on the real engine. Its dodo.py imports this module."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from edgemake.config import load
from edgemake.delivery import Delivery
from edgemake.plan import Plan
from edgemake.project import Project
from edgemake.step import Step, UserFile

INPUT = "input.txt"
"""Every step takes this file: when it changes, all must run."""


class Toy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The config: how many steps, and where they run."""

    steps: int
    executor: dict[str, Any]


def write(folder: Path, steps: int, pyproject: Path) -> None:
    """Make the project: the engine's plugins, a config, a stage that only leaves an empty file."""
    for name, text in {
        "pyproject.toml": pyproject.read_text(),
        "dodo.py": "from benchmarks.toy import plan, project\n\nPROJECT = project()\n",
        "conf/config.yaml": f"defaults: [executor: local, _self_]\nsteps: {steps}\n",
        "stages/__init__.py": "",
        "stages/nothing.py": 'def run(params, work):\n    (work.out / "empty").touch()\n',
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    shutil.copytree(pyproject.parent / "conf/executor", folder / "conf/executor")


def project() -> Project:
    """The project that doit was started in."""
    return Project(Path.cwd())


def plan(overrides: Sequence[str], *, keep: bool = True) -> Plan:
    """The steps, which depend on the input and not on each other, and a delivery for each."""
    config = load(project(), overrides, Toy, keep=keep)
    source = UserFile(project().root / INPUT)
    steps = [
        Step("nothing", {"number": i}, {"input": source}, ("empty",), label=str(i))
        for i in range(config.steps)
    ]
    deliveries = [Delivery("toy", step.label, step) for step in steps]
    return Plan(deliveries, executor=config.executor)
