"""Answers about a build in lines of text: plan, why, log."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from edgemake import sweep_words
from edgemake.build import Build
from edgemake.delivery import Delivery
from edgemake.runner import FAILURE
from edgemake.step import Step
from edgemake.store import LOG

COMPARED = 50
"""How many of a stage's artifacts, the latest, tell how long its steps take."""
GUESSED_SECONDS = 20.0
"""A step of so many seconds that never ran with its label may well take another time."""


def plan_lines(build: Build, steps: Sequence[Step]) -> Iterator[str]:
    """One line a step: reuse, run or may run, and the reason. Of a sweep its points come first,
    and with very many steps only how many there are of each stage."""
    told, counts, earlier = _Sums(), Counter[str](), Earlier(build)
    with build.resolver.still():
        if build.swept:
            yield from _points(build)
        points = sweep_words.shares(build) if build.swept else {}
        every = len(build.deliveries)
        for step in steps:
            word, reasons = _fate(build, step)
            counts[word] += 1
            earlier.add(step, word)
            told.add(step, word)
            if len(steps) <= sweep_words.EACH or not build.swept:
                share = points.get(build.resolver.key(step), [])
                reasons += [sweep_words.whose(share, every)] if share else []
                yield f"{word:<8} {step.stage:<12} {step.label:<28} {'; '.join(reasons)}".rstrip()
        if len(steps) > sweep_words.EACH and build.swept:
            yield from told.lines()
        if not build.swept:
            yield from _deliveries(build)
    known = [f"{counts[word]} {word}" for word in ("reuse", "run", "may run")]
    yield ", ".join(known) + earlier.words()


def _fate(build: Build, step: Step) -> tuple[str, list[str]]:
    """What a build would do with a step, and why."""
    verdict, forced = build.resolver.look(step), build.forced(step)
    if verdict.artifact is not None and not forced:
        return "reuse", []
    if verdict.action is None:
        return "may run", build.resolver.reasons(step, verdict)
    return "run", ["forgotten"] if forced else build.resolver.reasons(step, verdict)


def _deliveries(build: Build) -> Iterator[str]:
    for delivery in build.deliveries:
        yield f"{_delivered(build, delivery):<8} {'deliver':<12} {build.deliverer.path(delivery)}"
        if delivery.appendix and not delivery.waits:
            word = "reuse" if build.deliverer.is_attached(delivery) else "run"
            names = ", ".join(output.path for output in delivery.appendix)
            yield f"{word:<8} {'attach':<12} {names}"


def _delivered(build: Build, delivery: Delivery) -> str:
    if build.deliverer.refusals(delivery):
        return "refused"
    return "reuse" if build.deliverer.is_current(delivery) else "run"


def _points(build: Build) -> Iterator[str]:
    """Each point, what a build would do with its deliverable, and where that lies."""
    yield f"{sweep_words.counted(len(build.deliveries), 'point')}:"
    said = [" ".join(delivery.point) for delivery in build.deliveries]
    width = min(60, max(map(len, said), default=0))
    digits = len(str(len(said)))
    numbered = enumerate(zip(build.deliveries, said, strict=True), 1)
    for number, (delivery, point) in islice(numbered, sweep_words.EACH):
        path = build.deliverer.path(delivery).relative_to(build.project.root)
        yield f"{_delivered(build, delivery):<8} {number:>{digits}}  {point:<{width}}  {path}/"
    if len(said) > sweep_words.EACH:
        yield f"... and {sweep_words.counted(len(said) - sweep_words.EACH, 'point')} more"
    if build.refused:
        yield f"{len(build.refused)} more that cannot be built (doit needs --continue):"
        yield from sweep_words.refused_lines(build.refused)
    yield "steps:"


class _Sums:
    """How many steps of each stage do what."""

    def __init__(self) -> None:
        self._stages: dict[str, Counter[str]] = {}

    def add(self, step: Step, word: str) -> None:
        self._stages.setdefault(step.stage, Counter())[word] += 1

    def lines(self) -> Iterator[str]:
        for stage, counts in self._stages.items():
            for word, count in counts.items():
                yield f"{word:<8} {stage:<12} {sweep_words.counted(count, 'step')}"


class Earlier:
    """How long steps will take, by the records of those that ran: with the same label, or else
    the latest of the stage."""

    def __init__(self, build: Build) -> None:
        self._store = build.resolver.store
        self._known: dict[str, dict[str, float]] = {}
        self._seconds, self._unknown = 0.0, Counter[str]()
        self._guessed: dict[str, float] = {}
        """Long steps that never ran with their label -> the seconds of the latest of the stage."""

    def add(self, step: Step, word: str) -> None:
        """Count a step that has this fate."""
        if word == "reuse":
            return
        if step.stage not in self._known:
            self._known[step.stage] = self._records(step.stage)
        known = self._known[step.stage]
        if known:
            seconds = known.get(step.label, known[""])
            self._seconds += seconds
            if step.label not in known and seconds > GUESSED_SECONDS:
                self._guessed[f"{step.stage} ({step.label})"] = seconds
        else:
            self._unknown[step.stage] += 1

    def words(self) -> str:
        """The sum; stages that never ran are named, not guessed."""
        text = f"; about {self._seconds:.0f} s by earlier runs" if self._seconds else ""
        for name, seconds in self._guessed.items():
            text += f"; {name} never ran, and is taken to last {seconds:.0f} s like another"
        if self._unknown:
            text += f"; how long is not known of {', '.join(self._unknown)}, which never ran"
        return text

    def _records(self, stage: str) -> dict[str, float]:
        """Label -> seconds of its latest artifact; '': of the stage's latest."""
        found: dict[str, float] = {}
        for artifact in islice(self._store.records(stage), COMPARED):
            for label in ("", str(artifact.record["label"])):
                found.setdefault(label, float(artifact.record["seconds"]))
        return found


def why_lines(build: Build, step: Step) -> Iterator[str]:
    """What changed since the step's last artifact; for a current one, why it was made."""
    verdict = build.resolver.look(step)
    name = f"{step.stage} ({step.label})"
    reasons = build.resolver.reasons(step, verdict)
    if build.forced(step):
        yield f"{name} will run: forgotten"
    elif verdict.artifact is not None:
        yield f"{name} is current; it was last built because:"
    elif verdict.action is not None:
        yield f"{name} will run because:"
    else:
        yield f"{name} may run; that is known when an earlier step has run:"
    for reason in reasons:
        yield f"  {reason}"


def log_lines(build: Build, step: Step) -> Iterator[str]:
    """What the stage printed when this action failed or, else, when its artifact was made."""
    title, path = _log_of(build, step)
    yield f"== {title}{f': {path}' if path else ''}"
    if path is not None:
        yield path.read_text(errors="replace").rstrip("\n")


def _log_of(build: Build, step: Step) -> tuple[str, Path | None]:
    """(what this is, where it lies): the log of this action's failed run, or the artifact's."""
    verdict = build.resolver.look(step)
    if verdict.artifact is not None:
        return f"{step.stage}, built", verdict.artifact.path / LOG
    if verdict.action is not None:
        scratch = build.project.scratch / f"{step.stage}-{verdict.action.digest}"
        if (scratch / LOG).exists():
            reason = "stopped"
            if (scratch / FAILURE).exists():
                reason = f"failed: {json.loads((scratch / FAILURE).read_bytes())['error']}"
            return f"{step.stage}, {reason}", scratch / LOG
    return f"{step.stage} has not run yet", None
