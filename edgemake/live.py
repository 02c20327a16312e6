"""Progress bars of the steps that run now. Loaded only on a terminal, when something runs."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn


class Live:
    """A bar for each running step, below what is printed."""

    def __init__(self) -> None:
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("[bold]{task.description:<12}"),
            BarColumn(bar_width=24),
            TimeElapsedColumn(),
            TextColumn("{task.fields[words]}", markup=False),
            console=Console(highlight=False),
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}
        self._progress.start()

    def show(self, name: str, done: float, total: float, text: str) -> None:
        """Update the bar of `name`; a total of 0 is a bar that only moves."""
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(name, total=None, words=text)
        self._progress.update(self._tasks[name], total=total or None, completed=done, words=text)

    def hide(self, name: str) -> None:
        """The step has ended."""
        if name in self._tasks:
            self._progress.remove_task(self._tasks.pop(name))

    def print(self, text: str) -> None:
        """Print above the bars."""
        self._progress.console.print(text, markup=False, soft_wrap=True)

    def close(self) -> None:
        """Remove the bars."""
        self._progress.stop()
