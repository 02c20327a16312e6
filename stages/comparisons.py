"""What `doit compare` is asked for: which deliverables, which targets, and where the page goes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgemake.errors import UserError, did_you_mean

PAGE = "compare.html"
MADE_BY = b'content="doit compare"'
"""Stands near the beginning of every page of this command."""
MOST = 26
"""Models are called by one letter each."""
NEEDS = (
    "doit compare needs two models or more: folders of deliverables (doit compare A B), or a list "
    "of targets (doit compare target=grove_v2,xiao_esp32s3)"
)
SHOWN = 6
"""Names listed in one message."""


@dataclass(frozen=True)
class Wanted:
    """What to compare, and where to put the page."""

    folders: tuple[tuple[str, Path], ...]
    """(target/name, folder) of deliverables."""
    targets: tuple[tuple[str, ...], ...]
    """The overrides of each config whose model is built as far as it is missing."""
    tools: tuple[str, ...]
    """Overrides of a config that says where tools lie, when there are no targets."""
    out: Path

    @property
    def page(self) -> Path:
        """Where the page goes."""
        return self.out / PAGE


def wanted(root: Path, entries: Sequence[str], overrides: Sequence[str]) -> Wanted:
    """`root`: the project's folder; `entries`: words of the command line without '='.

    Raises UserError before anything is built.
    """
    places = [word.removeprefix("out=") for word in overrides if word.startswith("out=")]
    if len(places) > 1:
        raise UserError(f"out= is given {len(places)} times; give one folder")
    rest = [word for word in overrides if not word.startswith("out=")]
    asked = Wanted(
        folders=_distinct([found(root / "artifacts", word) for word in entries]),
        targets=tuple(each_target(rest)),
        tools=(*rest, f"target={_any_board(root / 'conf')}"),
        out=Path(places[0] if places else ".").expanduser(),
    )
    count = len(asked.folders) + len(asked.targets)
    if count < 2:
        raise UserError(NEEDS)
    if count > MOST:
        raise UserError(f"doit compare takes at most {MOST} models, found {count}")
    if not asked.targets:
        _refuse_overrides(rest)
    _check_place(asked)
    return asked


def each_target(overrides: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """The overrides with each target of `target=a,b` alone; nothing without one.

    A plain split of that one word: what a comparison means by a list. Raises UserError.
    """
    said = [i for i, word in enumerate(overrides) if word.startswith("target=")]
    if len(said) > 1:
        raise UserError("target= is given twice; list the targets in one: target=a,b")
    for i in said:
        names = overrides[i].removeprefix("target=").split(",")
        for position, name in enumerate(names):
            if not name:
                raise UserError(f"{overrides[i]}: a target is empty; say target=a,b")
            if name in names[:position]:
                raise UserError(f"{overrides[i]}: {name} is in it twice; a model is compared once")
            yield (*overrides[:i], f"target={name}", *overrides[i + 1 :])


def _any_board(conf: Path) -> str:
    """A target for a config of which nothing but the toolchains is read."""
    return min(path.stem for path in conf.glob("target/*.yaml"))


def found(artifacts: Path, word: str) -> tuple[str, Path]:
    """(target/name, folder) of the deliverable that `word` means: its path, its name below
    artifacts/, the beginning of one, or its key. Raises UserError."""
    known = _deliverables(artifacts)
    name = word.strip("/").removeprefix("artifacts/")
    if name in known:
        return name, known[name]
    path = Path(word).expanduser()
    if path.is_dir():
        path = path.resolve()
        return f"{path.parent.name}/{path.name}", path
    if path.is_file():
        raise UserError(f"{word} is a file; give the folder of the deliverable that it lies in")
    hits = [full for full in known if _means(name, full)]
    if len(hits) == 1:
        return hits[0], known[hits[0]]
    if hits:
        more = f" and {len(hits) - SHOWN} more" if len(hits) > SHOWN else ""
        raise UserError(
            f"{word!r} is the beginning of {len(hits)} deliverables: {', '.join(hits[:SHOWN])}"
            f"{more}; say more of the name"
        )
    hint = did_you_mean(name, known) or f"; {len(known) or 'none'} are there"
    raise UserError(f"there is no deliverable {word!r} in {artifacts}, and no such folder{hint}")


def _means(word: str, full: str) -> bool:
    """Whether `word` begins target/name or the name alone, or is the name's key."""
    plain = full.partition("/")[2]
    return full.startswith(word) or plain.startswith(word) or plain.endswith(f"-{word}")


def _deliverables(artifacts: Path) -> dict[str, Path]:
    """target/name -> folder, of what was delivered or refused in this project."""
    paths = sorted(artifacts.glob("*/*/provenance.json"))
    return {
        f"{path.parent.parent.name}/{path.parent.name}": path.parent
        for path in paths
        if not path.parent.parent.name.startswith(".") and not path.parent.name.startswith(".")
    }


def _distinct(folders: list[tuple[str, Path]]) -> tuple[tuple[str, Path], ...]:
    """Raises UserError for a folder that is named twice."""
    seen: set[Path] = set()
    for name, folder in folders:
        if folder.resolve() in seen:
            raise UserError(f"{name} is given twice; a model is compared once")
        seen.add(folder.resolve())
    return tuple(folders)


def _refuse_overrides(shared: Sequence[str]) -> None:
    """Folders are compared as they are: nothing can be chosen but where tools lie."""
    for word in shared:
        if not word.lstrip("+").startswith(("toolchain=", "toolchain.")):
            raise UserError(
                f"{word}: deliverables are compared as they are; with overrides say which targets "
                "to build: doit compare target=a,b"
            )


def _check_place(asked: Wanted) -> None:
    """Refuses a place that cannot be written to, or holds another file of the page's name."""
    out = asked.out
    there = next(path for path in (out, *out.absolute().parents) if path.exists())
    if not there.is_dir():
        raise UserError(f"out={out}: {there} is a file; give a folder")
    if not os.access(there, os.W_OK):
        raise UserError(f"out={out}: {there.absolute()} cannot be written to; say out=FOLDER")
    page = asked.page
    if page.is_dir() or (page.exists() and not _is_ours(page)):
        raise UserError(
            f"{page.absolute()} is there already and was not made by doit compare; move it, or say "
            "out=FOLDER to put the page elsewhere"
        )


def _is_ours(page: Path) -> bool:
    try:
        with open(page, "rb") as file:
            return MADE_BY in file.read(2000)
    except OSError:
        return False
