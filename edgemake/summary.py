"""The table at the end of a build: what was delivered, what ran, what was reused."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from textwrap import wrap

from edgemake.build import Build
from edgemake.deliver import rejected_path
from edgemake.delivery import Delivery
from edgemake.outstream import Patient


class Summary:
    """Prints one table a delivery. Plain text, so that a no-op loads nothing to draw it."""

    def __init__(self, build: Build, out: Patient) -> None:
        self._build, self._out = build, out

    def delivered(self, delivery: Delivery) -> None:
        """The figures, the steps, and how the model gets onto the board."""
        path = self._build.deliverer.path(delivery)
        self._print("delivered", path, delivery)
        for text in delivery.commands_for(path.relative_to(self._build.project.root)):
            self._out.write(text + "\n")

    def refused(self, delivery: Delivery) -> None:
        """The same table of what was kept aside; nothing when there was no verdict yet."""
        path = rejected_path(self._build.deliverer.path(delivery))
        if path.is_dir() and self._build.deliverer.refusals(delivery):
            self._print("REFUSED", path, delivery)

    def _print(self, word: str, path: Path, delivery: Delivery) -> None:
        shown = f"{path.relative_to(self._build.project.root)}/"
        figures = delivery.summary(path) if delivery.summary else []
        rows = [(word, shown), *figures, ("", ""), *self._steps(delivery)]
        self._out.write("\n" + _table(delivery.folder, rows, _width(self._out)) + "\n")

    def _steps(self, delivery: Delivery) -> list[tuple[str, str]]:
        rows, ran = [], []
        steps = self._build.steps_of(delivery)
        count = Counter(step.stage for step in steps)
        for step in steps:
            name = step.stage if count[step.stage] == 1 else f"{step.stage} {step.label}"
            artifact = self._build.resolver.look(step).artifact
            outcome = self._build.outcomes.get(self._build.resolver.key(step))
            if outcome is not None and outcome.word != "reused":
                ran.append(outcome.seconds)
                told = f"{outcome.word:<7}{outcome.seconds:7.1f} s  {in_short(outcome.why)}"
                rows.append((name, told))
            elif artifact is not None:
                took = artifact.record["seconds"]
                rows.append((name, f"reused {took:7.1f} s  when it was built"))
        rows.append(("", f"{len(ran)} run in {sum(ran):.1f} s, {len(rows) - len(ran)} reused"))
        return rows


def in_short(why: Sequence[str]) -> str:
    """The first reasons, and how many more there are."""
    return "; ".join(why[:2]) + (f"; and {len(why) - 2} more" if len(why) > 2 else "")


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
