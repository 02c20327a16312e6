"""One validated config for a command line; Hydra is loaded only for a line not seen before."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import Any, TypeVar

import msgspec

from edgemake.digest import Digests, digest_of
from edgemake.errors import UserError, did_you_mean
from edgemake.manual import choices_of, examples_of, words_of
from edgemake.project import Project
from edgemake.store import write_atomically

T = TypeVar("T", bound=msgspec.Struct)

_KEPT = 200
"""Configs of single builds that are remembered, …"""
_KEPT_SWEEPS = 20
"""… and of how many sweeps, …"""
_REMEMBERED = 200
"""… if these have no more points: with more, building takes so long that composing is nothing."""


def overrides_of(arguments: Sequence[str]) -> list[str]:
    """The Hydra overrides on a command line, in their order; the rest is doit's."""
    return [arg for arg in arguments if is_override(arg)]


def is_override(argument: str) -> bool:
    """`key=value` in all forms, and `~key`; no path, which begins with . or /."""
    return not argument.startswith(("-", ".", "/")) and (
        "=" in argument or argument.startswith("~")
    )


def load(project: Project, overrides: Sequence[str], schema: type[T], *, keep: bool = True) -> T:
    """Compose, validate and return the config. With `keep` its values are remembered by the
    content of `conf/` and the overrides. Raises UserError."""
    known = Remembered(project, "configs", list(overrides), keep=keep)
    try:
        return msgspec.json.decode(known.read(), type=schema)
    except (OSError, msgspec.DecodeError):
        pass
    from edgemake.compose import composed

    plain = composed(project.root / "conf", overrides)
    config = validated(plain, schema)
    known.write(plain, most=_KEPT)
    return config


def load_each(
    project: Project, points: Sequence[Sequence[str]], schema: type[T], *, keep: bool = True
) -> Iterator[T | UserError]:
    """`load` for each point of a sweep: its config, or what `load` would have raised."""
    known = Remembered(project, "sweeps", [list(point) for point in points], keep=keep)
    try:
        yield from msgspec.json.decode(known.read(), type=list[schema])  # type: ignore[valid-type]
        return
    except (OSError, msgspec.DecodeError):
        pass
    from edgemake.compose_many import Composer

    composer, sound = Composer(project.root / "conf"), list[dict[str, Any]]()
    for point in points:
        try:
            plain = composer.composed(point)
            yield validated(plain, schema)
            sound.append(plain)
        except UserError as error:
            yield error
    if len(sound) == len(points) <= _REMEMBERED:
        known.write(sound, most=_KEPT_SWEEPS)


class Remembered:
    """A small file that what was made of `conf/` and some words is remembered in."""

    def __init__(self, project: Project, folder: str, words: Any, *, keep: bool) -> None:
        """`keep`: whether anything may be written to disk."""
        digests = Digests(project.host_state / "digests.sqlite3", writable=keep)
        key = digest_of([digests.tree(project.root / "conf"), words])
        digests.save()
        self._path, self._keep = project.state / folder / f"{key}.json", keep

    def read(self) -> bytes:
        """Raises OSError when nothing is remembered."""
        return self._path.read_bytes()

    def write(self, value: Any, *, most: int) -> None:
        """Remember a value; of all files beside it the newest `most` are kept."""
        if not self._keep:
            return
        write_atomically(self._path, json.dumps(value).encode())
        for old in sorted(self._path.parent.iterdir(), key=lambda p: -p.stat().st_mtime)[most:]:
            old.unlink(missing_ok=True)


def validated(plain: dict[str, Any], schema: type[T]) -> T:
    """Plain values as the schema's structs. Raises UserError naming key, value and the demand."""
    try:
        return msgspec.convert(plain, schema)
    except msgspec.ValidationError as error:
        words, _, where = str(error).partition(" - at ")
        place = re.search(r"\$([^`]*)", where)  # also in: `key` in `$.some.dict`
        path = place[1].removeprefix(".") if place else ""
        path = _with_keys(path, str(error), plain, schema)
        raise UserError(_sentence(words, path, plain, schema)) from None


def _with_keys(path: str, fault: str, plain: dict[str, Any], schema: type[Any]) -> str:
    """`a[...].b` as msgspec tells a place inside a mapping -> `a.key.b`, by the key without which
    the fault is another one, or none."""
    while "[...]" in path:
        before, _, after = path.partition("[...]")
        keys = list(_value(plain, before))
        guilty = [key for key in keys if _fault_without(before, key, plain, schema) != fault]
        path = f"{before}.{(guilty or keys)[0]}{after}"
    return path


def _fault_without(path: str, key: str, plain: dict[str, Any], schema: type[Any]) -> str | None:
    changed = deepcopy(plain)
    del _value(changed, path)[key]
    try:
        msgspec.convert(changed, schema)
    except msgspec.ValidationError as error:
        return str(error)
    return None


def _sentence(words: str, path: str, plain: dict[str, Any], schema: type[Any]) -> str:
    section = f"{path}." if path else ""
    if unknown := re.search(r"unknown field `(.+?)`", words):
        known = [field.name for field in _fields(plain, path, schema)]
        hint = did_you_mean(unknown[1], known)
        return f"there is no key {section}{unknown[1]}{hint}"
    if absent := re.search(r"missing required field `(.+?)`", words):
        return f"{section}{absent[1]} is missing; it was removed, and has no default"
    if "Invalid value" in words and "kind" in path:
        return f"{path}: {_value(plain, path)!r} is not a kind of it"
    found, (parent, _, name) = _value(plain, path), path.rpartition(".")
    name = name.partition("[")[0]  # also an item of a list
    fields = [field for field in _fields(plain, parent, schema) if field.name == name]
    if found is None and fields:
        return _unset(path, fields[0].type)
    if "enum value" in words:
        choices = [c for field in fields for cs in choices_of(field.type) for c in cs]
        return f"{path}: {found!r} is none of its values{did_you_mean(str(found), choices)}"
    return f"{path}: {words[0].lower()}{words[1:]}, found {found!r}"


def _unset(path: str, kind: Any) -> str:
    """A key left open on purpose, for the user to fill, or emptied by the user."""
    meaning = words_of(kind)
    example = next(examples_of(kind), "…")
    return f"{path} is not set{f': {meaning}' if meaning else ''}. Say {path}={example}"


def _value(plain: Any, path: str) -> Any:
    for part in re.findall(r"[^.\[\]]+", path):
        if isinstance(plain, dict):
            plain = plain.get(part)
        elif isinstance(plain, list) and part.isdigit():
            plain = plain[int(part)]
    return plain


def _fields(plain: Any, path: str, schema: type[Any]) -> list[msgspec.structs.FieldInfo]:
    """Fields of the struct at `path`; in a tagged union those of the chosen one."""
    types: list[Any] = [schema]
    kind = _value(plain, path)
    for part in [p for p in path.split(".") if p]:
        types = [
            member
            for struct in types
            for field in msgspec.structs.fields(struct)
            if field.name == part
            for member in (getattr(field.type, "__args__", None) or (field.type,))
            if isinstance(member, type) and issubclass(member, msgspec.Struct)
        ]
    if isinstance(kind, dict) and "kind" in kind:
        types = [t for t in types if t.__struct_config__.tag == kind["kind"]] or types
    return [field for struct in types for field in msgspec.structs.fields(struct)]
