"""What xslim and xquant say while they work: progress, warnings, and why they gave up."""

from __future__ import annotations

import re
from collections.abc import Sequence

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_BAR = re.compile(r"^(?P<phase>[^|]*?)\s*:?\s+(?P<percent>\d{1,3})%\|")
"""A progress bar of tqdm."""
_WARNING = re.compile(r"\| WARNING\s*\| (?P<message>.+)$")
"""A line of loguru, in the tools' format: time | module | level | message."""
_RAISED = re.compile(r"^[A-Za-z_][\w.]*(Error|Exception|Interrupt)\b")
"""The last line of a traceback."""
_EXPECTED = "convert ai.onnx version"
"""A warning that says no more than that `quant.opset` is not `export.opset`."""
_KNOWN = (
    (
        "must include dtype information",
        "this xquant (1.2.1 built before March 2025) cuts only networks below opset 13: add "
        "export.opset=12, or take a newer wheel or quant=xslim",
    ),
    (
        "non-existent tensor names",
        "the tool renamed the tensors to cut at; try export.simplify=false",
    ),
    (
        "No Adapter From Version",
        "ONNX cannot bring this network down to quant.opset: set it to the network's own opset",
    ),
    (
        "No module named",
        "the wheel needs a package that its toolchain lacks: see toolchains/xquant.in",
    ),
)
"""Words of an error -> what it means and what helps."""


def plain(line: str) -> str:
    """The line without colours and without its end."""
    return _COLOUR.sub("", line).rstrip()


def progress_of(line: str) -> tuple[int, str] | None:
    """Percent and phase, from a progress bar; None for any other line."""
    found = _BAR.match(line)
    return (min(int(found["percent"]), 100), found["phase"]) if found else None


def warning_of(line: str) -> str | None:
    """The message of a warning that a person should see; None for any other line."""
    found = _WARNING.search(line)
    if found is None or found["message"].startswith(_EXPECTED):
        return None
    return found["message"]


def reason(lines: Sequence[str]) -> str:
    """Why a tool that wrote these lines gave up, with the remedy where one is known."""
    said = [line for line in lines if line.strip() and progress_of(line) is None]
    raised = [line for line in said if _RAISED.match(line)]
    last = (raised or said or ["no message"])[-1].strip()
    for words, remedy in _KNOWN:
        if words in last:
            return f"{remedy} ({last})"
    return last
