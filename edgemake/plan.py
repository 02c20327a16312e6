"""What a command line asks for, as the program says it. Pure data; nothing runs here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from edgemake.delivery import Delivery
from edgemake.resources import Needs
from edgemake.step import Step

if TYPE_CHECKING:
    from edgemake.endings import Ending


@dataclass(frozen=True, eq=False)
class Errand:
    """A step that is run for its own sake, on `doit infer`: no deliverable needs it."""

    step: Step
    finish: Callable[[Path], Iterable[str]]
    """Takes the folder of its artifact, does with it what the user wants; lines to print."""


class Conclusion(Protocol):
    """What a program makes of a sweep when all of it has run."""

    def check(self, points: Sequence[Sequence[str]], order: str) -> None:
        """Raises UserError for an `order` (--sort) that these points cannot be told in."""

    def errand(self, endings: Sequence[Ending], order: str) -> Errand:
        """The step that puts the points together."""


@dataclass(frozen=True)
class Refused:
    """A point of a sweep that cannot be planned."""

    point: tuple[str, ...]
    """The overrides that tell it from the others of its sweep."""
    message: str


@dataclass(frozen=True)
class Plan:
    """What a command line asks for."""

    deliveries: Sequence[Delivery]
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables for the stages that are in no key: the device, the number of workers."""
    toolchain_dir: Path | None = None
    errand: Errand | None = None
    refused: Sequence[Refused] = ()
    """Points of the sweep that have no delivery, because they cannot be planned."""
    conclusion: Conclusion | None = None
    """For sweeps."""
    needs: Mapping[str, Needs] = field(default_factory=dict)
    """Stage -> what its steps need of the machine, where that is more than nearly nothing."""
    executor: Mapping[str, Any] | None = None
    """The section `executor` of the config. None: steps run here."""
