"""The config explained by its own schema: every key, its value, what it means and what it takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args, get_origin

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
        if field.name not in values:
            continue
        key, value = f"{prefix}{field.name}", values[field.name]
        inner = _struct_of(field.type, value)
        if inner is not None:
            yield from rows(inner, value, f"{key}.")
        else:
            yield key, value, words_of(field.type)


def markdown(
    struct: type[msgspec.Struct], values: Mapping[str, Any], options: Mapping[str, list[str]]
) -> str:
    """A page: the groups with their options, then all rows, one table a section."""
    found: dict[str, list[str]] = {}
    for key, value, words in rows(struct, values):
        section = key.partition(".")[0]
        shown = msgspec.json.encode(value).decode()
        shown = shown if len(shown) <= 40 else "…"
        found.setdefault(section, []).append(f"| `{key}` | `{shown}` | {words} |")
    head = "| key | value | meaning |\n|---|---|---|\n"
    groups = "\n".join(f"- `{name}=`{', '.join(names)}" for name, names in options.items())
    tables = [f"## {name}\n\n{head}" + "\n".join(lines) for name, lines in found.items()]
    return "\n\n".join([_INTRODUCTION + groups, *tables])


def _struct_of(kind: Any, value: Any) -> type[msgspec.Struct] | None:
    """The struct that holds `value`, by its tag in a union."""
    members = [k for k in (get_args(kind) or (kind,)) if _is_struct(k)]
    if len(members) > 1 and isinstance(value, Mapping):
        members = [k for k in members if k.__struct_config__.tag == value.get("kind")]
    return members[0] if members else None


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
