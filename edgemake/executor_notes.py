"""What a job's folder tells of it when nobody listens: which job it was, and whether it is over."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from edgemake.executor import Allocation
from edgemake.executor_node import messages
from edgemake.executor_poll import Tail
from edgemake.store import write_atomically

_NOTE, _OVER = "job.json", "over"
_FORGOTTEN_SECONDS = 30 * 86400
"""A job of which nothing was heard for so long is not waited for."""


@dataclass(frozen=True)
class Job:
    """A job that was submitted, or is about to be."""

    id: str
    """The cluster's; '' before it is known."""
    name: str
    """Ours, of this one submission."""
    folder: Path
    cluster: str = ""
    asked: Mapping[str, Any] = field(default_factory=dict)
    """Its `Allocation`, as a dict."""

    def note(self) -> None:
        """Leave word of it for whoever comes when we are gone."""
        facts = {"id": self.id, "name": self.name, "cluster": self.cluster, "asked": self.asked}
        write_atomically(self.folder / _NOTE, json.dumps(facts).encode())

    @property
    def messages(self) -> Path:
        """Where it tells what happens."""
        return messages(self.folder, self.name)

    @property
    def said_its_end(self) -> bool:
        """Whether it ended as it should."""
        return _ends(self.messages)

    def mark_over(self) -> None:
        """It has ended in another way."""
        with contextlib.suppress(OSError):
            (self.folder / _OVER).touch()

    def asked_for(self, wanted: Allocation) -> bool:
        """Whether it asked for just that. Memory goes by what its stage took the last time: a
        little more or less is not worth a job's place in the queue."""
        before, now = dict(self.asked), asdict(wanted)
        had, wants = before.pop("memory_bytes", 0), now.pop("memory_bytes")
        return before == now and abs(wants - had) <= had / 8


def noted(folder: Path) -> Job | None:
    """The job that was submitted last from this folder; None for none."""
    try:
        note = json.loads((folder / _NOTE).read_bytes())
        number, name, cluster = (str(note[key]) for key in ("id", "name", "cluster"))
        return Job(number, name, folder, cluster, dict(note["asked"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def over(folder: Path) -> bool:
    """Whether the jobs of a folder have ended, as far as the folder tells; or nothing happened
    there for a month."""
    if (folder / _OVER).exists() or any(map(_ends, folder.glob("messages-*"))):
        return True
    last = max(path.stat().st_mtime for path in (folder, *folder.glob("*")))
    return time.time() - last > _FORGOTTEN_SECONDS


def _ends(told: Path) -> bool:
    return any("ended" in message for message in Tail(told).new())
