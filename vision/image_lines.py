"""The lines of an image list, as editors and other systems leave them. Core Python only."""

from __future__ import annotations

import codecs
import os
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

LONGEST = 120
"""Characters of a line that a message repeats."""


def entries(path: Path) -> Iterator[tuple[int, str]]:
    """(line number, what stands there) without blank lines and comments.

    Raises ValueError, naming the line, when the file is no text.
    """
    for number, line in enumerate(re.split(r"\r\n|\r|\n", _text(path)), start=1):
        entry = line.strip()
        if entry and not entry.startswith("#"):
            yield number, entry


def image_of(folder: Path, entry: str) -> str | None:
    """The path that a line of a list in `folder` names, with slashes; None if there is no file."""
    return next((text for text in _readings(entry) if _is_file(folder / text)), None)


def why_not(folder: Path, entry: str) -> str:
    """What to say of a line that names no file."""
    shown = entry if len(entry) <= LONGEST else f"{entry[:LONGEST]}…"
    for text in _readings(entry):
        if os.path.isdir(folder / text):
            return f"a folder, not an image: {shown}; a list names images, or give the folder alone"
    if re.match(r"[A-Za-z]:[\\/]", entry):
        return f"a path of another system: {shown}; write it relative to the list"
    if _is_file(folder / entry.split(maxsplit=1)[0]):
        return f"more than an image's path: {shown}"
    return f"no such image: {shown}{_near(folder / entry)}"


def _readings(entry: str) -> Iterator[str]:
    """What may be meant: as written, without quotes, ~ as home, Windows' slashes, an accent as
    part of its letter or on its own (as macOS writes it).
    """
    bare = [entry]
    if len(entry) > 2 and entry[0] == entry[-1] and entry[0] in "\"'":
        bare.append(entry[1:-1])
    for text in bare:
        for path in dict.fromkeys((text, text.replace("\\", "/"))):
            home = os.path.expanduser(path)
            yield home
            yield unicodedata.normalize("NFC", home)
            yield unicodedata.normalize("NFD", home)


def _is_file(path: Path) -> bool:
    return os.path.isfile(path)  # False also for a name that is too long


def _near(path: Path) -> str:
    """A hint when the folder holds a file of nearly this name."""
    import difflib  # slow to load, and seldom needed

    try:
        known = [entry.name for entry in os.scandir(path.parent)]
    except (OSError, ValueError):
        return ""
    same = [name for name in known if name.lower() == path.name.lower()]
    close = same or difflib.get_close_matches(path.name, known, n=1, cutoff=0.85)
    return f"; did you mean {close[0]}?" if close else ""


def _text(path: Path) -> str:
    """A text file as editors leave it: UTF-8 with or without a mark, or UTF-16 with one."""
    raw = path.read_bytes()
    sixteen = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = raw.decode("utf-16" if sixteen else "utf-8-sig")
    except UnicodeDecodeError as fault:
        line = raw.count(b"\n", 0, fault.start) + 1
        raise ValueError(
            f"{path} is not a UTF-8 text file with one image path a line (line {line}); save it "
            "as UTF-8"
        ) from None
    if "\0" in text:
        raise ValueError(f"{path} is not a text file with one image path a line; save it as UTF-8")
    return text
