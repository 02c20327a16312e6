"""What a config delivers, as the program says it. Pure data; nothing is delivered here."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgemake.step import Output, Step


@dataclass(frozen=True)
class Outcome:
    """How a step of this build ended."""

    word: str
    """built, reused, different, …"""
    seconds: float
    why: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Delivery:
    """What one config delivers: all outputs of `package`, if every verdict says `passed`."""

    folder: str
    """Folder below artifacts/: the target's name."""
    name: str
    """Made of everything that varies; a short request key is added."""
    package: Step
    verdicts: tuple[Output, ...] = ()
    """JSON files with `passed` and `lines` of {rule, result, found, demanded, remedy}."""
    config: Mapping[str, Any] = field(default_factory=dict)
    """The composed config, for the provenance."""
    summary: Callable[[Path], list[tuple[str, str]]] | None = None
    """Rows for the table at the end, read from the delivered folder."""
    commands: Mapping[str, str] = field(default_factory=dict)
    """Way of delivery -> command that puts the model on the board; {model} is `model`'s path."""
    model: str = "model"
    """The output of `package` that the board runs."""
    appendix: tuple[Output, ...] = ()
    """What is put beside the package as soon as it is there: metrics, a report."""
    waits: bool = False
    """Whether nothing is delivered before the appendix is there."""
    complete: Callable[[Path, Mapping[str, Any]], None] | None = None
    """Fills into the appendix, in the folder given, what only a build knows: the `facts`."""
    track: Tracker | None = None
    measures: Callable[[], Measures] | None = None
    """Its figures, for those who search for good ones; asked for only then."""
    point: tuple[str, ...] = ()
    """The overrides that tell this point from the others of its sweep; empty outside of one."""
    apart: str = ""
    """Ends the folder's name in place of the package's key, where several points of a sweep
    deliver one package with different appendices or verdicts."""

    def commands_for(self, path: Path) -> list[str]:
        """The commands, with the place where the deliverable lies filled in."""
        return [
            f"put it on the board ({way}):\n  {text.replace('{model}', str(path / self.model))}"
            for way, text in self.commands.items()
        ]

    def roots(self) -> list[Step]:
        """The steps that must have run before anything can be delivered."""
        waited = self.appendix if self.waits else ()
        return [self.package, *(output.step for output in (*self.verdicts, *waited))]

    def every_root(self) -> list[Step]:
        """The roots, and the steps of the appendix."""
        return [*self.roots(), *(output.step for output in self.appendix)]


@dataclass(frozen=True)
class Tracker:
    """Who is told of a deliverable once its appendix is there."""

    name: str
    """Where it goes: told again when that changes."""
    tell: Callable[[Path], object]
    """Takes the folder. Raises UserError when it cannot be told."""


@dataclass(frozen=True)
class Measures:
    """Figures of a deliverable."""

    names: Collection[str]
    """Of those that it will have."""
    read: Callable[[Path, str], float | None]
    """One of them, from the delivered folder; None: it is not there."""
