"""Looking at jobs, no more often than does good: a file that grows, and what the cluster says."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from edgemake.executor import Cluster, State, Unreachable

_SOONEST, _LATEST = 0.05, 1.0
"""Seconds between two looks at a file: soon after the start often, then less."""


def pauses() -> Iterator[float]:
    """How long to wait before the next look: a thirtieth of what has passed, within limits."""
    began = time.monotonic()
    while True:
        yield min(_LATEST, max(_SOONEST, (time.monotonic() - began) / 30))


class Tail:
    """The messages in a file that another machine appends to. It is opened for every look, since
    that is when NFS asks the server how long it is by now."""

    def __init__(self, path: Path) -> None:
        self._path, self._read = path, 0

    def new(self) -> Iterator[Mapping[str, Any]]:
        """What was said since the last look, whole lines only; a line that was torn (a full disk,
        a node that went down) is none."""
        try:
            with open(self._path, "rb") as stream:
                stream.seek(self._read)
                fresh = stream.read()
        except OSError:
            return
        whole = fresh[: fresh.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in whole.splitlines():
            with contextlib.suppress(ValueError):
                message = json.loads(line)
                if isinstance(message, dict):
                    yield message


class States:
    """What the cluster says of all the jobs of a build: one question for all of them."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster, self._guard = cluster, threading.Lock()
        self._jobs: set[str] = set()
        self._known: Mapping[str, State] = {}
        self._asked = float("-inf")

    def watch(self, job: str) -> None:
        """From now on this job is asked about."""
        with self._guard:
            self._jobs.add(job)

    def forget(self, job: str) -> None:
        """The job is not asked about any more."""
        with self._guard:
            self._jobs.discard(job)

    def of(self, job: str, age: float) -> State | None:
        """The state of a job, no older than `age` seconds; None for one that is not known. Of a
        cluster that does not answer the last state, or that it does not."""
        with self._guard:
            if time.monotonic() - self._asked > age or job not in self._known:
                self._ask()
            return self._known.get(job)

    def _ask(self) -> None:
        try:
            self._known = self._cluster.states(sorted(self._jobs))
        except Unreachable as error:
            silent = State("UNKNOWN", False, why=str(error))
            self._known = {job: self._known.get(job, silent) for job in self._jobs}
        self._asked = time.monotonic()
