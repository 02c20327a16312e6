"""What `doit compare` prints, read from compare.json, and the page that it hands out."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgemake.errors import UserError

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

LABEL = 34
"""Characters of the column of labels."""
COLUMN = 14
"""Characters of a model's column; two more lie between columns."""


def hand_out(page: Path, artifact: Path) -> Iterator[str]:
    """Copies the page where the user wants it; what to tell him, line by line."""
    compared = json.loads((artifact / "compare.json").read_text(encoding="utf-8"))
    yield from lines(compared)
    try:
        page.parent.mkdir(parents=True, exist_ok=True)
        page.unlink(missing_ok=True)
        shutil.copyfile(artifact / "compare.html", page)
    except OSError as fault:
        raise UserError(
            f"{fault.filename}: {fault.strerror}; say out=FOLDER to put the page elsewhere"
        ) from None
    yield f"\nwrote {page}"


def lines(compared: Mapping[str, Any], *, width: int | None = None) -> Iterator[str]:
    """The comparison as text: names, tables, fronts, notes."""
    from edgemake.text_table import printed, room

    width, terminal = room(width)
    for entry in compared["entries"]:
        refused = "" if entry["passed"] else "  (the board would refuse it)"
        yield f"{entry['letter']}  {entry['name']}{refused}"
    for columns in _blocks(len(compared["entries"]), max(1, (width - LABEL) // (COLUMN + 2))):
        yield ""
        yield from printed(_table(compared, columns), width, terminal)
    yield "* best of its row, where figures can be compared and are not all the same"
    for text in (*_fronts(compared), *(f"- {note}" for note in compared["notes"])):
        yield from _wrapped(text, width)


def _blocks(count: int, most: int) -> Iterator[range]:
    """`count` columns in blocks of about the same size, none larger than `most`."""
    blocks = -(-count // most)
    for i in range(blocks):
        yield range(i * count // blocks, (i + 1) * count // blocks)


def _table(compared: Mapping[str, Any], columns: range) -> Table:
    """The models of `columns` side by side."""
    from rich.text import Text

    from edgemake.text_table import bare_table

    table = bare_table()
    table.add_column("", width=LABEL)
    for i in columns:
        entry = compared["entries"][i]
        head = Text(f"{entry['letter']}  \n{entry['target'][:COLUMN]}  ")
        table.add_column(head, justify="right", min_width=COLUMN, overflow="fold")
    for section in compared["sections"]:
        table.add_section()
        table.add_row(Text(section["title"], style="bold"))
        for row in section["rows"]:
            cells = [_cell(row["texts"][i], best=i in row["best"]) for i in columns]
            table.add_row(Text(f"  {row['label']}"), *cells)
    if compared["differences"]:
        table.add_section()
        table.add_row(Text("Where their configs differ", style="bold"))
    for row in compared["differences"]:
        cells = [_cell(row["values"][i]) for i in columns]
        table.add_row(Text(f"  {row['key']}", overflow="fold"), *cells)
    return table


def _cell(text: str, *, best: bool = False) -> Text:
    from rich.text import Text

    return Text(f"{text} *" if best else f"{text}  ", style="bold" if best else "", overflow="fold")


def _fronts(compared: Mapping[str, Any]) -> Iterator[str]:
    """Which models no other beats in both accuracy and a cost."""
    for chart in compared["charts"]:
        if len(chart["points"]) > 1:
            beaten = [point["letter"] for point in chart["points"] if not point["front"]]
            told = f" (beaten: {', '.join(beaten)})" if beaten else ""
            against = f"{chart['accuracy']} against {chart['label']}"
            yield f"- Pareto front, {against}: {', '.join(chart['front'])}{told}"


def _wrapped(text: str, width: int) -> Iterator[str]:
    from textwrap import wrap

    yield from wrap(
        text, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )
