"""What only the board can show: `target.contract.unproven`, with what is known of it here."""

from __future__ import annotations

from collections.abc import Iterator

from vision.contract import Facts, Line, Rules, unproven

LATENCY, ARENA = "latency on the board", "arena on the board"
"""Keys of `unproven` of which a tool gives an estimate."""
DEMANDED = "seen on the board"


def on_the_board(rules: Rules, facts: Facts) -> Iterator[Line]:
    """A line for each."""
    cost = facts.cost
    known = {}
    if cost.latency_ms is not None:
        known[LATENCY] = f"{cost.latency_ms:.1f} ms by {cost.tool}'s estimate"
    if cost.arena_bytes is not None:
        known[ARENA] = f"{cost.arena_bytes} bytes by {cost.tool}"
    yield from board_lines(rules.unproven, known)


def board_lines(reasons: dict[str, str], known: dict[str, str]) -> Iterator[Line]:
    """`reasons`: rule -> why; `known`: rule -> what is known of it here."""
    for rule, why in reasons.items():
        found = known.get(rule, "not known here")
        yield unproven(rule, found, DEMANDED, why, key="contract.unproven")
