"""The config explained by its own schema: every key, its value, what it means and what it takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec
from msgspec import Meta

_INTRODUCTION = """\
# Configuration

Made from the schema by `doit config --markdown target=grove_v2 > docs/config.md`; a test keeps it
so. Any key can be given on the command line, in every form that Hydra knows. The values here are
the defaults; `doit config key=value …` shows them with your overrides. A group is chosen whole:

"""

Row = tuple[str, Any, str]
"""(dotted key, value, what it means and takes)"""


def rows(
    struct: type[msgspec.Struct], values: Mapping[str, Any], prefix: str = ""
) -> Iterator[Row]:
    """Every leaf of a config of this schema, in the schema's order; plain values."""
    for field in msgspec.structs.fields(struct):
        if field.name in values:
            yield from _rows(field.type, values[field.name], f"{prefix}{field.name}")


def _rows(kind: Any, value: Any, key: str) -> Iterator[Row]:
    inner, item = _struct_of(kind, value), _item_of(kind)
    if inner is not None and isinstance(value, Mapping):
        yield from rows(inner, value, f"{key}.")
    elif item is not None and value:
        for name, member in value.items():
            yield from _rows(item, member, f"{key}.{name}")
    else:
        yield key, value, words_of(kind)


def markdown(
    struct: type[msgspec.Struct], values: Mapping[str, Any], options: Mapping[str, list[str]]
) -> str:
    """A page: the groups with their options, then all rows, one table a section.

    After a section stand the keys that its other kinds have instead.
    """
    found: dict[str, list[str]] = {}
    for key, value, words in rows(struct, values):
        section = key.partition(".")[0]
        shown = msgspec.json.encode(value).decode()
        shown = shown if len(shown) <= 40 else "…"
        found.setdefault(section, []).append(f"| `{key}` | `{shown}` | {words} |")
    head = "| key | value | meaning |\n|---|---|---|\n"
    groups = "\n".join(f"- `{name}=`{', '.join(names)}" for name, names in options.items())
    parts = []
    for name, lines in found.items():
        parts.append(f"## {name}\n\n{head}" + "\n".join(lines))
        parts += _other_kinds(struct, name, values[name])
    return "\n\n".join([_INTRODUCTION + groups, *parts])


def _other_kinds(struct: type[msgspec.Struct], section: str, values: Any) -> Iterator[str]:
    """A table for each other kind of a section, of the keys that the chosen one does not have."""
    [field] = [f for f in msgspec.structs.fields(struct) if f.name == section]
    chosen, members = _struct_of(field.type, values), _structs_in(field.type)
    known = {key for key, _ in _leaves(chosen, f"{section}.")} if chosen else set()
    for member in members:
        lines = [f"| `{k}` | {w} |" for k, w in _leaves(member, f"{section}.") if k not in known]
        if member is not chosen and lines:
            title = f"Other keys of kind `{member.__struct_config__.tag}`:"
            yield "\n".join([title, "", "| key | meaning |", "|---|---|", *lines])


def _leaves(struct: type[msgspec.Struct], prefix: str) -> Iterator[tuple[str, str]]:
    """(dotted key, meaning) of all that a struct can hold; `<name>` stands for any name."""
    for field in msgspec.structs.fields(struct):
        kind, key = field.type, f"{prefix}{field.name}"
        while (item := _item_of(kind)) is not None:
            kind, key = item, f"{key}.<name>"
        inner = _structs_in(kind)
        for member in inner:
            yield from _leaves(member, f"{key}.")
        if not inner:
            yield key, words_of(field.type)


def _structs_in(kind: Any) -> list[type[msgspec.Struct]]:
    """The members of a union that are structs, or the struct itself."""
    members = get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)
    return [member for member in members if _is_struct(member)]


def _struct_of(kind: Any, value: Any) -> type[msgspec.Struct] | None:
    """The struct that holds `value`, by its tag in a union."""
    members = _structs_in(kind)
    if len(members) > 1 and isinstance(value, Mapping):
        members = [k for k in members if k.__struct_config__.tag == value.get("kind")]
    return members[0] if members else None


def _item_of(kind: Any) -> Any:
    """What a mapping holds, if that is structs in the end; None otherwise."""
    if get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if get_origin(kind) is not dict:
        return None
    item = get_args(kind)[1]
    return item if _structs_in(item) or _item_of(item) is not None else None


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def words_of(kind: Any) -> str:
    """The description of a field, its choices and its range; the outermost annotation describes."""
    metas = list(_metas(kind))
    described = [meta.description for meta in metas if meta.description]
    limits = [
        f"{sign} {bound:g}"
        for meta in metas
        for sign, bound in ((">", meta.gt), (">=", meta.ge), ("<", meta.lt), ("<=", meta.le))
        if bound is not None
    ]
    limits += [f"one of {', '.join(choices)}" for choices in choices_of(kind)]
    return (described[-1] if described else "") + (f" ({', '.join(limits)})" if limits else "")


def examples_of(kind: Any) -> Iterator[str]:
    """The examples that a field's annotations give."""
    for meta in _metas(kind):
        yield from map(str, meta.examples or ())


def choices_of(kind: Any) -> Iterator[list[str]]:
    """The values of each Literal in a type."""
    if get_origin(kind) is Literal:
        yield [str(choice) for choice in get_args(kind)]
    else:
        for inner in get_args(kind):
            yield from choices_of(inner)


def _metas(kind: Any) -> Iterator[Meta]:
    for inner in get_args(kind):
        yield from _metas(inner)
    for meta in getattr(kind, "__metadata__", ()):
        if isinstance(meta, Meta):
            yield meta
