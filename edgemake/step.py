"""What a plan is made of: steps and the edges between them. Pure data; nothing runs here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Output:
    """An edge: one declared output (a file or a directory) of an earlier step."""

    step: Step
    path: str


@dataclass(frozen=True)
class UserFile:
    """An edge: a file or a folder of the user's, which counts by its content.

    In a folder, files whose names match one of `ignore` (fnmatch patterns) do not count.
    """

    path: Path
    ignore: tuple[str, ...] = ()


@dataclass(frozen=True)
class UserFiles:
    """An edge: an ordered list of the user's files. A stage sees a folder of `000000<suffix>`, …"""

    paths: tuple[Path, ...]

    def names(self) -> tuple[str, ...]:
        """The names under which a stage sees the files, in order."""
        return tuple(f"{i:06d}{path.suffix.lower()}" for i, path in enumerate(self.paths))


Input = Output | UserFile | UserFiles


@dataclass(frozen=True, eq=False)
class Step:
    """One stage applied to concrete params and inputs; what doit sees as a task.

    `params` is a frozen dataclass of plain values (or a dict of them): content and logical
    names, never locations. `label` is for people and is part of no key; `resumable` and `network`
    say how to run the stage and are part of no key either.
    """

    stage: str
    params: Any
    inputs: Mapping[str, Input]
    outputs: tuple[str, ...]
    toolchain: str | None = None
    label: str = ""
    resumable: bool = False
    network: bool = False

    def __getitem__(self, output: str) -> Output:
        """The edge to one of this step's outputs. Raises KeyError for an undeclared one."""
        if output not in self.outputs:
            raise KeyError(f"stage {self.stage} declares no output {output!r}: {self.outputs}")
        return Output(self, output)

    def plain_params(self) -> dict[str, Any]:
        """The params as JSON values."""
        if is_dataclass(self.params) and not isinstance(self.params, type):
            return asdict(self.params)
        return dict(self.params)

    def parents(self) -> Iterator[Step]:
        """The steps whose outputs this one takes, each once."""
        seen: list[Step] = []
        for edge in self.inputs.values():
            if isinstance(edge, Output) and not any(edge.step is s for s in seen):
                seen.append(edge.step)
                yield edge.step


def in_order(roots: Iterable[Step]) -> list[Step]:
    """All steps behind `roots`, parents first, each object once."""
    done: dict[int, Step] = {}

    def visit(step: Step) -> None:
        if id(step) in done:
            return
        for parent in step.parents():
            visit(parent)
        done[id(step)] = step

    for root in roots:
        visit(root)
    return list(done.values())
