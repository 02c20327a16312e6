"""Figures in words: bytes, times, points of accuracy."""

from __future__ import annotations

KIB = 1024
BOUND = 2 * KIB * KIB
"""From there on sizes are given in MiB."""


def size(count: float) -> str:
    """Bytes as firmware documents give them: KiB below 2 MiB, MiB from there."""
    if count < KIB:
        return f"{count:,.0f} bytes"
    if count < BOUND:
        return f"{count / KIB:,.0f} KiB"
    return f"{count / KIB / KIB:,.2f} MiB"


def of_limit(count: float, limit: float) -> str:
    """Both in the unit of the limit: 293 of 1,109 KiB."""
    if limit < BOUND:
        return f"{count / KIB:,.0f} of {limit / KIB:,.0f} KiB"
    return f"{count / KIB / KIB:,.2f} of {limit / KIB / KIB:,.2f} MiB"


def points(drop: float) -> str:
    """What int8 does to a mAP, points: a loss of 1.8 is −1.8 points."""
    change = -round(drop, 1) + 0.0
    return f"{change:+.1f} points".replace("-", "−").replace("+0.0", "±0.0")


def plural(count: int, word: str, many: str = "") -> str:
    """1 rule, 2 rules."""
    return f"{count:,} {word if count == 1 else many or word + 's'}"
