"""Deliverables: real copies of a package where people look, or the reasons why not."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from edgemake.delivery import Delivery, Outcome
from edgemake.digest import digest_of, walk
from edgemake.errors import StepFailed, UserError
from edgemake.exchange import carry_over, replace_folder
from edgemake.project import group_bits
from edgemake.provenance import PROVENANCE, shareable, without_places
from edgemake.resolve import Resolver
from edgemake.step import Step, in_order
from edgemake.store import Artifact, discard, unique, write_atomically

REJECTED = "REJECTED.txt"
SCHEMA = 1
BOARD = "the board"
"""Who says no, where a verdict's `who` does not say."""


class Deliverer:
    """Puts deliverables below artifacts/."""

    def __init__(self, resolver: Resolver, outcomes: Mapping[str, Outcome]) -> None:
        """`outcomes`: request key -> outcome of the steps that ran in this build, as it goes on."""
        self._resolver, self._outcomes = resolver, outcomes
        self._project = resolver.project

    def path(self, delivery: Delivery) -> Path:
        """Where the deliverable lies. Raises UserError for a name that leads elsewhere."""
        for name in (delivery.folder, delivery.name):
            if not name or name.startswith(".") or "/" in name or "\0" in name:
                raise UserError(
                    f"a deliverable cannot be called {name!r}: that must be the plain name of a "
                    "folder, without '/' and not beginning with '.'"
                )
        key = delivery.apart or self._resolver.key(delivery.package)[:8]
        return self._project.artifacts / delivery.folder / f"{delivery.name}-{key}"

    def is_current(self, delivery: Delivery) -> bool:
        """Whether the deliverable is there, whole, and made of today's artifacts."""
        looks = [self._resolver.look(step) for step in in_order(delivery.roots())]
        if any(look.artifact is None for look in looks) or self.refusals(delivery):
            return False
        path, told = self.path(delivery), self._told(delivery)
        return (
            path.is_dir()
            and not rejected_path(path).exists()
            and told.get("lineage") == self._lineage(delivery)
            and self._whole(path, told.get("files"))
        )

    def is_attached(self, delivery: Delivery) -> bool:
        """Whether the appendix lies there, whole, and made of today's artifacts."""
        return (
            self.is_current(delivery)
            and self._has_appendix(delivery)
            and self._told(delivery).get("appendix") == self._appendix_lineage(delivery)
        )

    def deliver(self, delivery: Delivery) -> None:
        """Publish the package, or, when a verdict says no, keep it aside and raise StepFailed.

        The appendix comes along where it is there already. What people put into the folder
        beside our files stays there.
        """
        package = self._artifact(delivery.package)
        final = self.path(delivery)
        rejected = rejected_path(final)
        refusals = self.refusals(delivery)
        made = final.with_name(f".{final.name}.{unique()}")
        made.mkdir(parents=True)
        try:
            for name in package.outputs:
                _copy(package.path / name, made / name)
            appended = self._has_appendix(delivery)
            self._describe(made, delivery, with_appendix=appended)
            if refusals:
                (made / REJECTED).write_text("\n".join(refusals) + "\n")
            _open_to_all(made)
            files = [name for name, _ in walk(made)]
            ours = {*files, *self._told(delivery).get("files", ()), REJECTED}
            for old in (rejected,) if refusals else (final, rejected):
                carry_over(old, made, ours)
            replace_folder(made, rejected if refusals else final)
        finally:
            discard(made)
        if refusals:
            kept = " The last good deliverable is untouched." if final.exists() else ""
            raise StepFailed(
                f"{self._who_refuses(delivery)} this model:\n  "
                + "\n  ".join(refusals)
                + f"\nThe files are kept in {rejected}.{kept}"
            )
        discard(rejected)
        self._finish(delivery, files, appended=appended)

    def explain_refused(self, delivery: Delivery) -> None:
        """Put the appendix beside the files of a refused model, if it has come to one."""
        rejected = rejected_path(self.path(delivery))
        there = all((rejected / output.path).exists() for output in delivery.appendix)
        if rejected.is_dir() and not there and self._has_appendix(delivery):
            with contextlib.suppress(StepFailed):  # it is still refused
                self.deliver(delivery)

    def attach(self, delivery: Delivery) -> None:
        """Put the appendix beside the package that was delivered, file by file."""
        final = self.path(delivery)
        made = final.with_name(f".{final.name}.{unique()}")
        made.mkdir(parents=True)
        try:
            self._describe(made, delivery, with_appendix=True)
            _open_to_all(made)
            fresh = sorted(path.name for path in made.iterdir())
            for name in fresh:
                discard(final / name)
                (made / name).rename(final / name)
        finally:
            discard(made)
        files = {*self._told(delivery).get("files", ()), *fresh}
        self._finish(delivery, sorted(files), appended=True)

    def _finish(self, delivery: Delivery, files: list[str], *, appended: bool) -> None:
        """Note what was delivered, so that it is known to be whole; tell who wants to know."""
        final = self.path(delivery)
        digests = {name: self._resolver.digests.path(final / name, trusted=True) for name in files}
        note = {"lineage": self._lineage(delivery), "files": digests}
        if appended:
            if delivery.track is not None:
                delivery.track.tell(final)
            note["appendix"] = self._appendix_lineage(delivery)
        write_atomically(self._note(delivery), json.dumps(note).encode())

    def _describe(self, made: Path, delivery: Delivery, *, with_appendix: bool) -> None:
        """Write the appendix, if it is there, and what everything was made from."""
        if with_appendix:
            for output in delivery.appendix:
                _copy(self._artifact(output.step).path / output.path, made / output.path)
        roots = delivery.every_root() if with_appendix else delivery.roots()
        steps = {self._resolver.key(step): step for step in in_order(roots)}.values()
        records = {}
        for step in steps:
            artifact = self._artifact(step)
            records[f"{step.stage}:{artifact.digest[:8]}"] = shareable(artifact.record)
        config = without_places(delivery.config)
        provenance = {"schema": SCHEMA, "config": config, "steps": records}
        text = json.dumps(provenance, indent=1, sort_keys=True)
        (made / PROVENANCE).write_text(text + "\n")
        if with_appendix and delivery.complete is not None:
            told = [self._facts(step) for step in steps]
            delivery.complete(made, {"config": config, "steps": told})

    def _facts(self, step: Step) -> dict[str, Any]:
        """What a person wants to know of a step: what it did in this build, and why."""
        artifact = self._artifact(step)
        record, outcome = artifact.record, self._outcomes.get(self._resolver.key(step))
        reused = Outcome("reused", record["seconds"], tuple(record["why"]))
        told = outcome or reused
        parents = [self._artifact(parent) for parent in step.parents()]
        return {
            "stage": step.stage,
            "label": step.label,
            "digest": artifact.digest,
            "outcome": told.word,
            "seconds": told.seconds,
            "why": list(told.why),
            "parents": [f"{parent.record['stage']}:{parent.digest[:8]}" for parent in parents],
            "toolchain": record["preimage"]["toolchain"],
            "packages": record["packages"],
            "outputs": record["outputs"],
        }

    def _has_appendix(self, delivery: Delivery) -> bool:
        return all(
            self._resolver.look(output.step).artifact is not None for output in delivery.appendix
        )

    def _appendix_lineage(self, delivery: Delivery) -> str:
        tracked = delivery.track.name if delivery.track else ""
        steps = in_order(output.step for output in delivery.appendix)
        return digest_of([[self._artifact(step).digest for step in steps], tracked])

    def _who_refuses(self, delivery: Delivery) -> str:
        """The boards, or whoever else the verdicts that say no name as their author."""
        found = dict.fromkeys(
            verdict.get("who", BOARD)
            for verdict in self._verdicts(delivery)
            if not verdict["passed"]
        )
        return f"{' and '.join(found)} would refuse"

    def refusals(self, delivery: Delivery) -> list[str]:
        """Every failed line of every verdict, in words."""
        lines = []
        for verdict in self._verdicts(delivery):
            if not verdict["passed"]:
                failed = [line for line in verdict["lines"] if line["result"] == "fail"]
                who = verdict.get("who", BOARD)
                lines += [_sentence(who, line) for line in failed] or ["the verdict says no"]
        return lines

    def _verdicts(self, delivery: Delivery) -> Iterator[dict[str, Any]]:
        """Those that are there already."""
        for output in delivery.verdicts:
            artifact = self._resolver.look(output.step).artifact
            if artifact is not None:
                yield json.loads((artifact.path / output.path).read_bytes())

    def _artifact(self, step: Step) -> Artifact:
        artifact = self._resolver.look(step).artifact
        if artifact is None:
            raise StepFailed(f"{step.stage} has no artifact")
        return artifact

    def _lineage(self, delivery: Delivery) -> str:
        return digest_of([self._artifact(s).digest for s in in_order(delivery.roots())])

    def _note(self, delivery: Delivery) -> Path:
        path = self.path(delivery)
        return self._project.state / "deliverables" / f"{path.parent.name}--{path.name}.json"

    def _told(self, delivery: Delivery) -> Mapping[str, Any]:
        """What was noted of the last delivery: `lineage`, and `files` with their digests."""
        try:
            told = json.loads(self._note(delivery).read_bytes())
        except (OSError, ValueError):
            return {}
        return told if isinstance(told, dict) else {}

    def _whole(self, path: Path, files: Mapping[str, str] | None) -> bool:
        """Whether the files that were delivered are what they were; others do not count."""
        try:
            found = {name: self._resolver.digests.file(path / name) for name in files or ()}
        except UserError:
            return False
        return bool(files) and found == files


def rejected_path(final: Path) -> Path:
    """Where the files of a refused model are kept."""
    return final.with_name(final.name + ".rejected")


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copyfile(source, target)


def _open_to_all(folder: Path) -> None:
    """What is in the store may not be changed; what people take away may."""
    group = group_bits(folder)
    for file in folder.rglob("*"):
        os.chmod(file, 0o755 | group if file.is_dir() else 0o644 | group & stat.S_IWGRP)


def _sentence(who: str, line: Mapping[str, Any]) -> str:
    demands = "demand" if who.endswith("s") else "demands"
    text = f"{line['rule']}: {line['found']}, {who} {demands} {line['demanded']}"
    return f"{text}. {line['remedy']}" if line.get("remedy") else text
