"""Where benchmarks run: a copy of the project with its built chain; the project is left alone."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dodo
from benchmarks.measure import BenchmarkError, Contender, run, say
from edgemake.build import Build
from edgemake.delivery import Delivery
from edgemake.step import Step
from edgemake.store import Artifact

ROOT = Path(__file__).resolve().parent.parent
PLACE = ROOT / ".benchmarks"
"""Peers, kept between runs, and the workplace; git ignores it by the `.gitignore` made inside."""
DOIT = Path(sys.executable).parent / "doit"
COPIED = ("conf", "edgemake", "stages", "vision", "toolchains", "dodo.py", "pyproject.toml")


@dataclass(frozen=True)
class Workplace:
    """A copy of the project in which the chain of `overrides` is built, and room beside it."""

    folder: Path
    overrides: Sequence[str]
    delivery: Delivery
    chain: Sequence[tuple[Step, Artifact]]
    """The steps, parents first, and their artifacts (in the project itself, not in the copy)."""
    toolchains: Path
    programs: Mapping[str, Path]
    """Stage -> the folder with the programs of the toolchain it runs in."""

    @property
    def project(self) -> Path:
        """The copy."""
        return self.folder / "project"

    @property
    def executions(self) -> Path:
        """The copy's log of executed steps."""
        return self.project / "artifacts/executions.jsonl"

    def doit(self, *more: str, name: str = "edgemake") -> Contender:
        """edgemake's doit in the copy, with the copy's own engine."""
        command = [str(DOIT), *self.overrides, *more]
        return Contender(name, command, self.project, {"PYTHONPATH": str(self.project)})

    def executed(self) -> list[str]:
        """The stages that were executed in the copy, in order."""
        lines = self.executions.read_text().splitlines() if self.executions.exists() else []
        return [json.loads(line)["stage"] for line in lines]

    def artifact(self, stage: str) -> Artifact:
        """The chain's artifact of a stage."""
        return next(artifact for step, artifact in self.chain if step.stage == stage)

    def params(self, stage: str) -> dict[str, Any]:
        """The params of a stage in the chain."""
        return next(step.plain_params() for step, _ in self.chain if step.stage == stage)


def prepared(overrides: Sequence[str]) -> Workplace:
    """Copy the built chain and check that nothing of it has to run.

    Raises BenchmarkError when it is not built, UserError for wrong overrides.
    """
    build = Build(dodo.PROJECT, dodo.plan(overrides, keep=False), writable=False)
    found = [(step, verdict.artifact) for step, verdict in build.verdicts()]
    chain = [(step, artifact) for step, artifact in found if artifact is not None]
    command = f"doit {' '.join(overrides)}"
    if len(chain) < len(found):
        raise BenchmarkError(f"build the chain first, it is what the benchmarks measure: {command}")
    [delivery] = build.deliveries
    PLACE.mkdir(exist_ok=True)
    (PLACE / ".gitignore").write_text("*\n")
    place = PLACE / "work"
    shutil.rmtree(place, ignore_errors=True)
    programs = {
        step.stage: build.toolchains.get(step.toolchain).python.parent
        for step, _ in chain
        if step.toolchain
    }
    work = Workplace(place, list(overrides), delivery, chain, build.project.toolchains, programs)
    say(f"copying the built chain of {command}")
    _copy(work)
    for _ in range(2):  # the first run fills the caches of the copy
        run(work.doit())
    if work.executed():
        raise BenchmarkError(f"{work.executed()} were executed in a copy of a built chain")
    return work


def _copy(work: Workplace) -> None:
    copy_sources(work, work.project)
    for _, artifact in work.chain:
        store = work.project / "artifacts/store"
        shutil.copytree(artifact.path, store / artifact.stage / artifact.digest)


def copy_sources(work: Workplace, project: Path) -> None:
    """The project without any artifact, with the same installed toolchains."""
    skip = shutil.ignore_patterns("__pycache__")
    for name in COPIED:
        source, target = ROOT / name, project / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=skip)
        else:
            shutil.copyfile(source, target)
    (project / ".toolchains").symlink_to(work.toolchains)
