"""Before the first job of a build: a job that only looks whether steps could run where it runs."""

from __future__ import annotations

import contextlib
import fcntl
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from edgemake.errors import UserError
from edgemake.executor import Allocation, Listener, at_once
from edgemake.executor_node import LOCK, PROBE
from edgemake.executor_queue import Lost, Queue
from edgemake.project import Project
from edgemake.store import discard, unique

_MINUTES, _MEMORY_BYTES = 5, 2**29


def probe(project: Project, queue: Queue, allocation: Allocation, listener: Listener) -> None:
    """Run a job that tries what every step does on its node. Raises UserError with its findings."""
    folder = project.jobs / f"probe-{unique()[:12]}"
    folder.mkdir(parents=True)
    asked = {
        "writable": [str(p) for p in (project.store, project.scratch, project.locks, folder)],
        "readable": [sys.executable, *map(str, project.source_roots)],
    }
    (folder / PROBE).write_text(json.dumps(asked))
    small = replace(allocation, cores=1, memory_bytes=_MEMORY_BYTES, gpus=0, minutes=_MINUTES)
    try:
        with _held(folder / LOCK):
            answer = _answer(queue, folder, small, listener)
    finally:
        discard(folder)
    if faults := answer["faults"]:
        raise UserError("nothing was run: " + "; ".join(faults))


def _answer(
    queue: Queue, folder: Path, allocation: Allocation, listener: Listener
) -> Mapping[str, Any]:
    name = queue.cluster.name
    at_once(listener, f"asking {name} for a job, to see whether its nodes reach {folder.parent}")
    job = queue.submit(folder, "probe", "probe", allocation)
    try:
        (answer,) = queue.hear(job, folder, listener)
    except Lost as lost:
        place = lost.state.place or "the node"
        words = "\n".join(p.read_text(errors="replace")[-800:] for p in folder.glob("*.err"))
        raise UserError(
            f"nothing was run: {name} job {job}, which only looks around, {lost.state.why} and "
            f"left no answer in {folder.parent}. Steps run as jobs need this folder, and "
            f"{sys.executable} with edgemake, on a file system that all machines share, under the "
            f"same path and writable on {place}{words and f'. It said:{chr(10)}{words}'}"
        ) from None
    return answer


@contextlib.contextmanager
def _held(path: Path) -> Iterator[None]:
    """Hold a lock that no other machine may then get."""
    with open(path, "w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield
