"""Answers about a build in lines of text: plan, why, log."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from edgemake.build import Build
from edgemake.runner import FAILURE
from edgemake.step import Step
from edgemake.store import LOG


def plan_lines(build: Build, steps: Sequence[Step]) -> Iterator[str]:
    """One line a step: reuse, run or may run, and the reason."""
    counts = {"reuse": 0, "run": 0, "may run": 0}
    seconds = 0.0
    for step in steps:
        verdict = build.resolver.look(step)
        forced = build.forced(step)
        if verdict.artifact is not None and not forced:
            word, reasons = "reuse", []
        elif verdict.action is None:
            word, reasons = "may run", build.resolver.reasons(step, verdict)
        else:
            word = "run"
            reasons = ["forgotten"] if forced else build.resolver.reasons(step, verdict)
        counts[word] += 1
        yield f"{word:<8} {step.stage:<12} {step.label:<28} {'; '.join(reasons)}".rstrip()
        if word != "reuse":
            seconds += _last_seconds(build, step)
    for delivery in build.deliveries:
        word = "reuse" if build.deliverer.is_current(delivery) else "run"
        if build.deliverer.refusals(delivery):
            word = "refused"
        yield f"{word:<8} {'deliver':<12} {build.deliverer.path(delivery)}"
        if delivery.appendix and not delivery.waits:
            word = "reuse" if build.deliverer.is_attached(delivery) else "run"
            names = ", ".join(output.path for output in delivery.appendix)
            yield f"{word:<8} {'attach':<12} {names}"
    told = ", ".join(f"{count} {word}" for word, count in counts.items())
    yield f"{told}; about {seconds:.0f} s by earlier runs" if seconds else told


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


def _last_seconds(build: Build, step: Step) -> float:
    times = [
        (a.record["finished"], a.record["seconds"])
        for a in build.resolver.store.records(step.stage)
    ]
    return float(max(times)[1]) if times else 0.0
