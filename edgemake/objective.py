"""`objective=`: which figures of a deliverable a search aims at, and which way."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import inf, isfinite

from edgemake.errors import UserError, did_you_mean

WORD = "objective="
_WAYS = {"max": "maximize", "min": "minimize"}


@dataclass(frozen=True)
class Objective:
    """Figures by name, each with the way that is better: `maximize` or `minimize`.

    What a job gives to Hydra's sweeper is one number a figure; a lone figure's is no list.
    """

    goals: tuple[tuple[str, str], ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.goals)

    @property
    def directions(self) -> tuple[str, ...]:
        return tuple(way for _, way in self.goals)

    @property
    def worst(self) -> float | list[float]:
        """What a refused model is worth: searches then keep away from the like of it."""
        return _alone([-inf if way == "maximize" else inf for way in self.directions])

    def values(self, figures: Mapping[str, float | None]) -> float | list[float] | None:
        """What a deliverable with these figures is worth; None where one is missing."""
        found = [figures.get(name) for name in self.names]
        known = [float(value) for value in found if value is not None and isfinite(value)]
        return _alone(known) if len(known) == len(found) else None

    def __str__(self) -> str:
        return ",".join(f"{name}:{_short(way)}" for name, way in self.goals)


def parsed(word: str, known: Collection[str]) -> Objective:
    """Reads `objective=NAME:max`, `objective=[NAME:max,NAME:min]`. Raises UserError."""
    text = re.sub(r"^\[(.*)\]$", r"\1", word.removeprefix(WORD).strip().strip("'\""))
    parts = [part.strip() for part in text.split(",") if part.strip()]
    goals = [_goal(part, known) for part in parts]
    names = [name for name, _ in goals]
    if not goals:
        raise UserError(f"{word!r} names no figure; say {WORD}NAME:max or {WORD}NAME:min")
    if twice := [name for name in names if names.count(name) > 1]:
        raise UserError(f"{word!r} names {twice[0]} twice; name each figure once")
    return Objective(tuple(goals))


def _goal(part: str, known: Collection[str]) -> tuple[str, str]:
    name, colon, way = (piece.strip() for piece in part.rpartition(":"))
    if not colon:
        name, way = part, ""
    if name not in known:
        raise UserError(f"{WORD}{part}: there is no figure {name!r}{_hint(name, known)}")
    if way not in (*_WAYS, *_WAYS.values()):
        raise UserError(f"{WORD}{part}: say which way is better: {name}:max or {name}:min")
    return name, _WAYS.get(way, way)


def _hint(name: str, known: Collection[str]) -> str:
    """'; did you mean …?' with the first of `known`, which has what matters most first, that has
    the words of `name` in it, whole or begun: map -> board.final.box.map50_95."""
    words = [word for word in name.split(".") if word]
    for one in known:
        parts = iter(one.split("."))
        if words and all(any(part.startswith(word) for part in parts) for word in words):
            return f"; did you mean {one!r}?"
    firsts = {one.rpartition(".")[2]: one for one in reversed(list(known))}
    return did_you_mean(name, known if "." in name else firsts.values())


def _short(way: str) -> str:
    return next(short for short, long in _WAYS.items() if long == way)


def _alone(values: list[float]) -> float | list[float]:
    return values[0] if len(values) == 1 else values
