"""Where steps run: on this machine, or as jobs of a cluster. What both have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from edgemake.spec import Spec

Listener = Callable[[Mapping[str, Any]], None]


def at_once(listener: Listener, text: str) -> None:
    """Tell a person now: this is no progress, of which the latest word is enough."""
    listener({"text": text, "at_once": True})


class Executor(Protocol):
    """Whoever runs steps. Safe to share by threads."""

    def run(self, spec: Spec, listener: Listener) -> Mapping[str, Any]:
        """Run one step to its end; the runner's last word. Raises StepFailed."""

    def prepare(
        self,
        wanted: Mapping[str, Mapping[str, Any]],
        reads: Sequence[str],
        listener: Listener,
    ) -> None:
        """Steps of these stages, with these needs, will run, and read these files and folders of
        the user's: see that they can.

        Raises UserError.
        """

    def stop_all(self) -> None:
        """End everything that was started."""

    def close(self) -> None:
        """The build is over."""


@dataclass(frozen=True)
class Allocation:
    """What a job asks its cluster for."""

    cores: int
    memory_bytes: int
    gpus: int
    minutes: int
    """The longest it may take."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """More of the cluster's own options."""


@dataclass(frozen=True)
class State:
    """What a cluster says of a job."""

    word: str
    """In the cluster's own words: PENDING, …"""
    ended: bool
    leaving: bool = False
    """Its end has begun; or the cluster takes it back, to run it again."""
    why: str = ""
    """For people: why it waits, or how it ended and what would help."""
    place: str = ""
    """The node, once it is known."""
    name: str = ""
    """As the job was submitted: job ids alone are used again by another cluster."""
    by_itself: bool = False
    """It ended, and nobody ended it."""


class Cluster(Protocol):
    """What edgemake asks of a cluster: nothing but jobs. Safe to share by threads."""

    name: str
    """For people."""
    gives_tokens: bool
    """Whether others use its machines too: its steps take the machines' tokens."""

    def check(self, wanted: Mapping[str, Allocation]) -> None:
        """Whether it is there, and could run jobs of these stages. Raises UserError."""

    def submit(self, folder: Path, work: str, name: str, wanted: Allocation) -> str:
        """Start `edgemake.executor_node.<work>(folder, name)` somewhere; the job's id.

        Raises UserError when it is refused.
        """

    def states(self, ids: Sequence[str]) -> Mapping[str, State]:
        """What is known of the jobs; one that is unknown is left out. Raises Unreachable."""

    def cancel(self, ids: Sequence[str]) -> None:
        """End the jobs, those that have ended already aside. Raises Unreachable."""

    def cancel_named(self, name: str) -> None:
        """End a job of which only the name is known, if there is one. Raises Unreachable."""

    def close(self) -> None:
        """Nothing more will be asked."""


class Unreachable(Exception):
    """The cluster does not answer now; its jobs may well go on."""
