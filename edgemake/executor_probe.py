"""Before the first job of a build: a job that only looks whether steps could run where it runs."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from edgemake.errors import UserError
from edgemake.executor import Allocation, Listener, at_once
from edgemake.executor_node import LOCK, PROBE
from edgemake.executor_notes import Job
from edgemake.executor_queue import Lost, Queue
from edgemake.project import Project
from edgemake.store import discard, unique

_MINUTES, _MEMORY_BYTES = 5, 2**29


def probe(
    project: Project,
    queue: Queue,
    wanted: Sequence[Allocation],
    reads: Sequence[str],
    listener: Listener,
) -> None:
    """Run a job, one for each partition that is `wanted`, that tries what every step does on its
    node, and that it can read what of the user's can be read here. Raises UserError with its
    findings."""
    own = (sys.executable, *project.source_roots, project.toolchains)
    paths = [path for path in (*map(str, own), *reads) if os.access(path, os.R_OK)]
    partitions = {str(one.options.get("partition", "")): one for one in wanted}
    with contextlib.ExitStack() as jobs:
        asked = [
            jobs.enter_context(_asked(project, queue, allocation, paths, listener))
            for allocation in partitions.values()
        ]
        answers = [_answer(queue, job, listener) for job in asked]
    if faults := [fault for answer in answers for fault in answer["faults"]]:
        raise UserError("nothing was run: " + "; ".join(faults))


@contextlib.contextmanager
def _asked(
    project: Project, queue: Queue, like: Allocation, reads: Sequence[str], listener: Listener
) -> Iterator[Job]:
    """A job that looks around, with its folder, while the block lasts."""
    folder = project.jobs / f"probe-{unique()[:12]}"
    folder.mkdir(parents=True)
    places = (project.artifacts, project.store, project.state, project.scratch, project.locks)
    asked = {"writable": [str(place) for place in (*places, folder)], "readable": reads}
    small = replace(like, cores=1, memory_bytes=_MEMORY_BYTES, gpus=0, minutes=_MINUTES)
    name = queue.cluster.name
    try:
        (folder / PROBE).write_text(json.dumps(asked))
        with _held(folder / LOCK):
            at_once(listener, f"asking {name} for a job, to see whether its nodes reach {folder}")
            job = queue.submit(folder, "probe", "probe", small)
            try:
                yield job
            finally:
                queue.give_up(job)
    finally:
        discard(folder)


def _answer(queue: Queue, job: Job, listener: Listener) -> Mapping[str, Any]:
    try:
        (answer,) = queue.hear(job, listener)
    except Lost as lost:
        raise UserError(_obituary(queue.cluster.name, lost)) from None
    return answer


def _obituary(cluster: str, lost: Lost) -> str:
    """Why there is no answer. Only of a job that ended by itself can we guess the reason."""
    folder, state = lost.job.folder, lost.state
    words = "\n".join(p.read_text(errors="replace")[-800:] for p in folder.glob("*.err"))
    what = f"nothing was run: {cluster} job {lost.job.id}, which only looks around, {state.why}"
    if state.by_itself:
        what += (
            f" and left no answer in {folder}. Steps run as jobs need this folder, and "
            f"{sys.executable} with edgemake, on a file system that all machines share, under the "
            f"same path and writable on {state.place or 'the node'}"
        )
    return f"{what}. It said:\n{words}" if words else what


@contextlib.contextmanager
def _held(path: Path) -> Iterator[None]:
    """Hold a lock that no other machine may then get."""
    with open(path, "w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield
