"""Many lines of overrides to composed configs: where only plain values differ, Hydra runs once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgemake.compose import composed, parse, resolved, unresolved
from edgemake.compose_hints import groups
from edgemake.errors import UserError


class Composer:
    """`composed` for the points of a sweep; each point gets exactly what that would give it.

    Hydra takes group choices first, then values, one after the other. So what it made of one
    choice of groups is the base of all points with that choice, into which their plain values are
    put. Whatever is more than a plain value (`+key`, `~key`, a dict) belongs to the base.
    """

    def __init__(self, conf: Path) -> None:
        self._conf = conf
        self._groups = {parent for name in groups(conf) for parent in _with_parents(name)}
        self._parsed: dict[str, _Said] = {}
        self._bases: dict[tuple[str, ...], _Base | str] = {}
        self._unknown: dict[tuple[tuple[str, ...], str], str] = {}

    def composed(self, overrides: Sequence[str]) -> dict[str, Any]:
        """As the function of that name. Raises UserError. What is returned may not be changed:
        configs share their parts."""
        said = [self._said(text) for text in overrides]
        last = max((i for i, one in enumerate(said) if not (one.group or one.plain)), default=-1)
        values = [one for one in said[last + 1 :] if not one.group]
        names = tuple(one.text for i, one in enumerate(said) if i <= last or one.group)
        base = self._base(names)
        for one in values:
            if not base.has(one.key):
                self._refuse_unknown(names, one)
        plain = base.with_values(values)
        return composed(self._conf, overrides) if plain is None else plain

    def _said(self, text: str) -> _Said:
        if text not in self._parsed:
            self._parsed[text] = _Said.of(text, self._groups)
        return self._parsed[text]

    def _base(self, names: tuple[str, ...]) -> _Base:
        if names not in self._bases:
            try:
                self._bases[names] = _Base.of(unresolved(self._conf, names))
            except UserError as error:
                self._bases[names] = str(error)
        found = self._bases[names]
        if isinstance(found, str):
            raise UserError(found)
        return found

    def _refuse_unknown(self, names: tuple[str, ...], one: _Said) -> None:
        """Raises UserError as `composed` does: slow, so once for all values of a key."""
        mark = (names, one.key)
        if mark not in self._unknown:
            try:
                composed(self._conf, [*names, one.text])
                self._unknown[mark] = ""
            except UserError as error:
                if one.text in str(error):  # it is about this value
                    raise
                self._unknown[mark] = str(error)
        if self._unknown[mark]:
            raise UserError(self._unknown[mark])


@dataclass(frozen=True)
class _Said:
    """One override, parsed."""

    text: str
    key: str
    value: Any
    group: bool
    """Whether Hydra takes it as a choice, before all values."""
    plain: bool
    """Whether it replaces one value, or one list, by another."""

    @classmethod
    def of(cls, text: str, known: set[str]) -> _Said:
        """`known`: every group, and the folders of groups. Raises UserError."""
        parsed = parse(text)
        key, value = str(parsed.key_or_group), parsed.value()
        special = parsed.is_delete() or parsed.is_add() or parsed.package is not None
        simple = not special and not re.search(r"[/\[\]]|^hydra\b", key)
        return cls(
            text,
            key,
            value,
            group=key in known and not isinstance(value, dict),
            plain=simple and _is_plain(value) and "???" not in _texts(value),
        )


@dataclass(frozen=True)
class _Base:
    """What one choice of groups gives, for plain values to be put in."""

    values: dict[str, Any]
    resolved: bool
    """Whether it is without interpolations."""
    whole: bool
    """Whether no value is missing."""

    @classmethod
    def of(cls, values: dict[str, Any]) -> _Base:
        texts = list(_texts(values))
        return cls(values, not any("${" in text for text in texts), "???" not in texts)

    def has(self, key: str) -> bool:
        """Whether a plain value or a list stands there."""
        node: Any = self.values
        for part in key.split("."):
            if not isinstance(node, dict) or part not in node:
                return False
            node = node[part]
        return not isinstance(node, dict)

    def with_values(self, said: Sequence[_Said]) -> dict[str, Any] | None:
        """The config with these values; None where it takes the whole of Hydra to tell."""
        if not self.whole or not all(self.has(one.key) for one in said):
            return None
        plain = dict(self.values)
        for one in said:
            _put(plain, one.key.split("."), one.value)
        if self.resolved and not any("${" in text for one in said for text in _texts(one.value)):
            return plain
        return resolved(plain)


def _put(plain: dict[str, Any], path: Sequence[str], value: Any) -> None:
    """Set one value; the dicts on the way to it are replaced by copies."""
    for part in path[:-1]:
        plain[part] = dict(plain[part])
        plain = plain[part]
    plain[path[-1]] = value


def _is_plain(value: Any) -> bool:
    if isinstance(value, list):
        return all(_is_plain(item) for item in value)
    return value is None or isinstance(value, str | int | float)


def _texts(value: Any) -> Iterator[str]:
    """Every string in a value."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str):
        yield value


def _with_parents(group: str) -> Iterator[str]:
    parts = group.split("/")
    return ("/".join(parts[:end]) for end in range(1, len(parts) + 1))
