"""The table at the end of a build: what was delivered, what ran, what was reused."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from textwrap import wrap

from edgemake.build import Build
from edgemake.deliver import Delivery
from edgemake.outstream import Patient

Outcomes = Mapping[str, tuple[str, float, str]]
"""Request key -> (outcome, seconds, reason) of the steps that ran in this build."""


def print_summary(
    build: Build, deliveries: Sequence[Delivery], outcomes: Outcomes, out: Patient
) -> None:
    """Print one table a delivery. Plain text, so that a no-op loads nothing to draw it."""
    for delivery in deliveries:
        path = build.deliverer.path(delivery).relative_to(build.project.root)
        rows = [*_facts(build, delivery), ("", ""), *_steps(build, outcomes, delivery)]
        out.write("\n" + _table(delivery.folder, rows, _width(out)) + "\n")
        for text in delivery.commands_for(path):
            out.write(text + "\n")


def _facts(build: Build, delivery: Delivery) -> list[tuple[str, str]]:
    path = build.deliverer.path(delivery)
    shown = path.relative_to(build.project.root)
    return [("delivered", f"{shown}/"), *(delivery.summary(path) if delivery.summary else [])]


def _steps(build: Build, outcomes: Outcomes, delivery: Delivery) -> list[tuple[str, str]]:
    rows = []
    for step in build.steps_of(delivery):
        artifact = build.resolver.look(step).artifact
        key = build.resolver.key(step)
        if key in outcomes:
            outcome, seconds, reason = outcomes[key]
            rows.append((step.stage, f"{outcome:<7}{seconds:7.1f} s  {reason}"))
        elif artifact is not None:
            took = artifact.record["seconds"]
            rows.append((step.stage, f"reused {took:7.1f} s  when it was built"))
    keys = {build.resolver.key(step) for step in build.steps_of(delivery)}
    ran = [seconds for key, (_, seconds, _) in outcomes.items() if key in keys]
    rows.append(("", f"{len(ran)} run in {sum(ran):.1f} s, {len(rows) - len(ran)} reused"))
    return rows


def _table(title: str, rows: list[tuple[str, str]], width: int) -> str:
    left = max(len(name) for name, _ in rows)
    room = max(40, width - left - 3)
    lines = [f"-- {title} ".ljust(min(width, left + room + 3), "-")]
    for name, value in rows:
        for head, text in zip_longest(
            [name], wrap(value, room, break_long_words=False, break_on_hyphens=False) or [""]
        ):
            lines.append(f" {head or '':<{left}}  {text}".rstrip())
    return "\n".join(lines)


def _width(out: Patient) -> int:
    return shutil.get_terminal_size().columns if out.isatty() else 110
