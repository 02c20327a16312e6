"""What the points of a sweep differ in: the axes, their values, and short names for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

REMOVED = "removed"
"""The value of a key that a point takes away (`~key`)."""


@dataclass(frozen=True)
class Axis:
    """One key that the points give different values."""

    key: str
    values: tuple[str, ...]
    """As they were written, in order of appearance, each once; '' for points that do not say."""

    @property
    def numbers(self) -> bool:
        """Whether all values are numbers."""
        return all(as_number(value) is not None for value in self.values)


def axes(points: Sequence[Sequence[str]]) -> list[Axis]:
    """The axes of `points`, each the overrides that tell it from the others."""
    told = [values_of(point) for point in points]
    keys = dict.fromkeys(key for values in told for key in values)
    return [Axis(key, tuple(dict.fromkeys(values.get(key, "") for values in told))) for key in keys]


def values_of(point: Iterable[str]) -> dict[str, str]:
    """Key -> value of a point's overrides; the last one counts."""
    found = {}
    for word in point:
        key, given, value = word.lstrip("+~").partition("=")
        found[key] = REMOVED if word.startswith("~") or not given else value
    return found


def as_number(text: str) -> float | None:
    """The finite number that a value is; None for words."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) < float("inf") else None


def short_names(keys: Sequence[str], taken: Iterable[str] = ()) -> dict[str, str]:
    """Key -> the last part of its name, or as many as tell it from the others and from `taken`."""
    used = set(taken)
    return {key: _short(key, [*(other for other in keys if other != key)], used) for key in keys}


def _short(key: str, others: Sequence[str], taken: set[str]) -> str:
    parts = key.split(".")
    for count in range(1, len(parts)):
        name = ".".join(parts[-count:])
        if name not in taken and not any(f".{other}".endswith(f".{name}") for other in others):
            return name
    return key
