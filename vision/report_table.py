"""Tables of a report, as HTML. Standard library only: the last ones are filled in at delivery.

A table sorts by its headings (stages/templates/sort.js reads `data-sort`). Everything that comes
from outside, class names too, is escaped here.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

MARKS = {
    "good": ("✓", "pass"),
    "look": ("!", "look"),
    "bad": ("✗", "fail"),
    "none": ("–", ""),
}
"""Tone -> sign and word: nothing is told by its colour alone."""
TONE_OF_RESULT = {"pass": "good", "warn": "look", "fail": "bad"}
"""What a rule says -> tone; any other result is not judged."""


@dataclass(frozen=True)
class Cell:
    """One value as people read it."""

    text: str
    sort: float | None = None
    """Number by which it sorts; None: it sorts as text."""
    tone: str = ""
    """good, look, bad or none: a badge with the tone's sign."""
    strong: bool = False
    code: bool = False
    link: str = ""
    """Where it leads: a relative address."""

    def html(self) -> str:
        """What stands in the cell."""
        text = html.escape(self.text)
        if self.link:
            text = f'<a href="{html.escape(self.link)}">{text}</a>'
        if self.code:
            text = f"<code>{text}</code>"
        if self.strong:
            text = f"<strong>{text}</strong>"
        return badge(self.tone, self.text) if self.tone else text


@dataclass(frozen=True)
class Column:
    """A heading."""

    title: str
    number: bool = False
    """Set flush right, in figures of equal width."""
    wide: bool = False
    """Holds sentences."""
    about: str = ""
    """Shown when the mouse rests on it."""


def badge(tone: str, text: str) -> str:
    """A sign and a word in the tone's colour."""
    sign = MARKS[tone][0]
    return (
        f'<span class="badge {tone}"><span aria-hidden="true">{sign}</span> '
        f"{html.escape(text)}</span>"
    )


def number(value: float | None, digits: int = 3, sign: bool = False) -> Cell:
    """A figure; a dash where there is none, which sorts below all."""
    if value is None:
        return Cell("–", sort=float("-inf"))
    text = f"{value:+,.{digits}f}" if sign else f"{value:,.{digits}f}"
    if sign and not round(value, digits):
        text = f"±{0:.{digits}f}"
    return Cell(text.replace("-", "−"), sort=value)


Row = Sequence[Cell | str]


def table(
    caption: str,
    columns: Sequence[Column],
    rows: Sequence[Row],
    name: str = "",
    ids: Sequence[str] = (),
) -> str:
    """A table in a box that scrolls by itself where the screen is narrow; `ids`: of its rows, for
    links that lead to them."""
    heads = "".join(_head(column) for column in columns)
    marks = [f' id="{html.escape(one)}"' for one in ids] or [""] * len(rows)
    lines = "".join(
        f"<tr{mark}>" + "".join(_cell(c, columns[i], i == 0) for i, c in enumerate(row)) + "</tr>"
        for mark, row in zip(marks, rows, strict=True)
    )
    identity = f' id="{html.escape(name)}"' if name else ""
    label = html.escape(caption)
    return (
        f'<div class="scroll" role="region" aria-label="{label}" tabindex="0">'
        f"<table{identity}><caption>{label}</caption>"
        f"<thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def _head(column: Column) -> str:
    kind = _kind(column)
    about = f' title="{html.escape(column.about)}"' if column.about else ""
    return (
        f'<th scope="col" aria-sort="none"{kind}{about}>'
        f'<button type="button">{html.escape(column.title)}</button></th>'
    )


def _kind(column: Column) -> str:
    kinds = [name for name in ("number", "wide") if getattr(column, name)]
    return f' class="{" ".join(kinds)}"' if kinds else ""


def _cell(cell: Cell | str, column: Column, first: bool) -> str:
    if isinstance(cell, str):
        cell = Cell(cell)
    kind = _kind(column)
    sort = "" if cell.sort is None else f' data-sort="{_plain(cell.sort)}"'
    if first:
        return f'<th scope="row"{kind}{sort}>{cell.html()}</th>'
    return f"<td{kind}{sort}>{cell.html()}</td>"


def _plain(value: float) -> str:
    return "-1e99" if value == float("-inf") else f"{value:.10g}"
