"""The verdict on a model file as people read it: a line a rule, what to do, the figures."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from textwrap import wrap
from typing import Any

VERDICT = "verdict.json"
NARROW = 60
WORDS = {"pass": "ok", "warn": "look", "fail": "FAIL", "unproven": "?"}
"""What stands before a line."""
Row = tuple[str, str]


def tell(
    file: Path,
    target: tuple[str, str],
    figures: Callable[[dict[str, Any]], Sequence[Row]],
    artifact: Path,
) -> Iterator[str]:
    """Lines to print. `target`: the board's title and firmware; `figures`: rows of the figures."""
    verdict = json.loads((artifact / VERDICT).read_text(encoding="utf-8"))
    title, firmware = target
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 110
    yield f"{file} for {title}"
    yield f"rules of {firmware}"
    yield ""
    lines = verdict["lines"]
    left = max(len(line["rule"]) for line in lines)
    for line in lines:
        head = f" {WORDS[line['result']]:<4}  {line['rule']:<{left}}  "
        yield from _hung(head, _words(line), width)
        if line["remedy"]:
            yield from _hung(" " * len(head), f"-> {line['remedy']}", width)
    rows = figures(verdict["figures"]) if verdict["figures"] else ()
    if rows:
        yield ""
    for name, value in rows:
        yield from _hung(f"       {name:<{left}}  ", value, width)
    yield ""
    yield _sum(verdict, title)


def _words(line: Mapping[str, str]) -> str:
    """What was found; what is demanded only where it was not found, or cannot be told."""
    if line["result"] == "pass":
        same = line["found"] == line["demanded"]
        return line["found"] + ("" if same else f"  (demanded: {line['demanded']})")
    if line["result"] == "unproven":
        return line["found"]
    return f"{line['found']}; demanded: {line['demanded']}"


def _hung(head: str, text: str, width: int) -> Iterator[str]:
    """`text` behind `head`, its later lines below its first."""
    room = max(NARROW, width - len(head))
    parts = wrap(text, room, break_long_words=False, break_on_hyphens=False) or [""]
    yield f"{head}{parts[0]}".rstrip()
    yield from (" " * len(head) + part for part in parts[1:])


def _sum(verdict: Mapping[str, Any], title: str) -> str:
    counts = dict.fromkeys(WORDS, 0)
    for line in verdict["lines"]:
        counts[line["result"]] += 1
    told = [f"{counts['pass']} kept"]
    if counts["fail"]:
        broken = [line["rule"] for line in verdict["lines"] if line["result"] == "fail"]
        told.append(f"{counts['fail']} broken ({', '.join(broken)})")
    told += [f"{counts['warn']} to look at"] if counts["warn"] else []
    told += [f"{counts['unproven']} not provable here (?)"] if counts["unproven"] else []
    word = "nothing speaks against this file on" if verdict["passed"] else "REFUSED by"
    return f"{word} {title}: {', '.join(told)}"
