"""Steps as jobs of a cluster: one job each, whose messages come by a file on the shared folder.

The cluster schedules; nothing is scheduled here. A step's job is one coordinator's at a time, by a
lock. Whoever comes to the lock when its holder is gone takes over the job that still runs, so a
coordinator that was killed and started again goes on hearing what it had begun.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from edgemake.digest import Digests
from edgemake.errors import StepFailed, UserError
from edgemake.executor import Allocation, Cluster, Listener, at_once
from edgemake.executor_node import APPEARS_SECONDS, SPEC, appears
from edgemake.executor_notes import Job
from edgemake.executor_poll import pauses
from edgemake.executor_probe import probe
from edgemake.executor_queue import Lost, Queue
from edgemake.project import Project
from edgemake.runner import in_words
from edgemake.spec import Spec
from edgemake.store import LOG, RECORD, Store, discard

_LOG_LINES = 12
"""Of each log, the last so many lines are shown when a job is lost."""


class Jobs:
    """Runs the steps of one build as jobs."""

    def __init__(
        self,
        project: Project,
        cluster: Cluster,
        allocate: Callable[[str, Mapping[str, Any]], Allocation],
    ) -> None:
        """`allocate`: what a step of a stage, with these needs, asks the cluster for."""
        self._project, self._allocate = project, allocate
        self._queue = Queue(cluster)
        self._name = cluster.name
        self._reached = False
        """Whether the cluster's nodes were seen to reach our files."""

    def prepare(
        self,
        wanted: Mapping[str, Mapping[str, Any]],
        reads: Sequence[str],
        listener: Listener,
    ) -> None:
        """See that the jobs can run at all, and where our files are. Raises UserError."""
        if wanted:
            jobs = {stage: self._allocate(stage, needs) for stage, needs in wanted.items()}
            self._queue.cluster.check(jobs)
            if not self._reached:  # a sweep's result comes after its steps, and asks no more
                try:
                    probe(self._project, self._queue, list(jobs.values()), reads, listener)
                except OSError as error:
                    raise UserError(in_words(error)) from None
            self._reached = True

    def run(self, spec: Spec, listener: Listener) -> Mapping[str, Any]:
        """Run one step to its end; the runner's last word. Raises StepFailed."""
        began = time.time()
        name = f"{spec.stage}-{spec.digest}"
        with self._own(name, listener) as waited:
            if waited and not spec.force and self._is_there(spec):
                return {"outcome": "reused", "seconds": round(time.time() - began, 3)}
            folder = self._project.jobs / (f"{name}-forced" if spec.force else name)
            try:
                last = self._to_the_end(folder, spec, listener)
            except Lost as lost:
                raise StepFailed(self._obituary(lost, spec)) from None
            except OSError as error:
                raise StepFailed(in_words(error)) from None
            discard(folder)
        if "done" not in last:
            raise StepFailed(str(last.get("failed") or "its job ended without a word"))
        record = self._project.store / spec.stage / spec.digest / RECORD
        if not appears(record):
            raise StepFailed(
                f"its job ended well, but {record} has not come up on {os.uname().nodename} for "
                f"{APPEARS_SECONDS:g} s: the file system between the machines is slow or broken. "
                "Run the same command again once the file is there"
            )
        return last

    def stop_all(self) -> None:
        """Cancel every job of this build."""
        self._queue.stop_all()

    def close(self) -> None:
        """The build is over."""
        self._queue.cluster.close()

    def _to_the_end(self, folder: Path, spec: Spec, listener: Listener) -> Mapping[str, Any]:
        """The last that the runner said."""
        allocation = self._allocate(spec.stage, spec.needs)
        job = self._queue.left_behind(folder, allocation)
        if job is not None:
            at_once(listener, f"{self._name} job {job.id} of an earlier build goes on")
        else:
            job = self._begin(folder, spec, allocation)
        last: Mapping[str, Any] = {}
        with contextlib.closing(self._queue.hear(job, listener)) as said:
            for message in said:
                if "host" in message:
                    at_once(listener, f"runs on {message['host']} ({self._name} job {job.id})")
                elif "signalled" not in message and "ended" not in message:
                    last = message
                    listener(message)
        return last

    def _begin(self, folder: Path, spec: Spec, allocation: Allocation) -> Job:
        discard(folder)
        folder.mkdir(parents=True, exist_ok=True)  # a job of before may have written just now
        shared = self._queue.cluster.gives_tokens
        wanted = asdict(replace(spec, cores=allocation.cores, tokens=shared))
        (folder / SPEC).write_text(json.dumps({"gpus": allocation.gpus, "spec": wanted}))
        return self._queue.submit(folder, "run", spec.stage, allocation)

    def _obituary(self, lost: Lost, spec: Spec) -> str:
        """What became of a job that did not end by itself, with the end of its logs."""
        state = lost.state
        place = f" on {state.place}" if state.place else ""
        log = self._project.scratch / f"{spec.stage}-{spec.digest}" / LOG
        ends = [
            end for path in (log, *sorted(lost.job.folder.glob("*.err"))) if (end := _end_of(path))
        ]
        return "\n".join([f"its {self._name} job {lost.job.id}{place} {state.why}", *ends])

    @contextlib.contextmanager
    def _own(self, name: str, listener: Listener) -> Iterator[bool]:
        """Hold the lock of a step's job; whether that meant waiting for another coordinator."""
        path = self._project.locks / f"job-{name}"
        descriptor, waited = os.open(path, os.O_RDWR | os.O_CREAT, 0o666), False
        try:
            for pause in pauses():
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if self._queue.stopping:
                        raise StepFailed("the build is stopping") from None
                    if not waited:
                        at_once(listener, "another build runs this step; waiting for it")
                    waited = True
                time.sleep(pause)
            yield waited
        finally:
            os.close(descriptor)

    def _is_there(self, spec: Spec) -> bool:
        digests = Digests(self._project.host_state / "digests.sqlite3")
        return Store(self._project.store, digests).find(spec.stage, spec.digest) is not None


def _end_of(path: Path) -> str:
    """The last lines of a log, with its name; '' for none."""
    with contextlib.suppress(OSError):
        lines = path.read_text(errors="replace").rstrip().splitlines()
        if lines:
            return "\n".join([f"  the end of {path}:", *(f"  | {x}" for x in lines[-_LOG_LINES:])])
    return ""
