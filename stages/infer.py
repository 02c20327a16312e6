"""Runs a target's int8 file on the user's pictures, as the board would, and draws what it finds."""

from __future__ import annotations

from dataclasses import dataclass

from edgemake.work import StageError, Work


@dataclass(frozen=True)
class Params:
    """How pictures are brought to size, and what counts as found."""


def run(params: Params, work: Work) -> None:
    """Writes result/."""
    raise StageError("not built yet")
