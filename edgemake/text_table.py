"""Tables of text: on a terminal as wide as it is, elsewhere for the eye and for `grep`."""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Iterator

from rich import box
from rich.console import Console
from rich.table import Table

WIDTH = 100
"""Characters a line where no terminal says otherwise."""


def room(width: int | None) -> tuple[int, bool]:
    """(characters a line, whether a person watches): of the terminal, unless `width` is given."""
    terminal = width is None and sys.stdout.isatty()
    return width or (shutil.get_terminal_size().columns if terminal else WIDTH), terminal


def bare_table() -> Table:
    """A table with a line below its heads, and no other."""
    return Table(box=box.SIMPLE_HEAD, padding=(0, 0, 0, 1), pad_edge=False, show_edge=False)


def printed(table: Table, width: int, terminal: bool) -> Iterator[str]:
    """The table, line by line; in colour on a terminal alone."""
    text = io.StringIO()
    console = Console(file=text, width=width, force_terminal=terminal, highlight=False)
    console.print(table)
    yield from (line.rstrip() for line in text.getvalue().rstrip("\n").split("\n"))
