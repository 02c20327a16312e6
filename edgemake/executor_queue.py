"""The jobs of one build: submitting them, hearing what they say, cancelling them all."""

from __future__ import annotations

import contextlib
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import Future
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypeVar

from edgemake.errors import StepFailed, UserError
from edgemake.executor import Allocation, Cluster, Listener, State, Unreachable, at_once
from edgemake.executor_notes import Job, noted
from edgemake.executor_poll import States, Tail, pauses
from edgemake.store import unique

T = TypeVar("T")
_SETTLE_SECONDS = 5.0
"""How long the last words of a job that has ended may take to arrive here."""
_SUBMIT_SECONDS = 15.0
"""How long a submission that is under way when the build is stopped may take."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Queue:
    """Jobs of a cluster. Safe to share by threads, and to stop in a signal handler."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.stopping = False
        self._states = States(cluster)
        self._mine: dict[str, Job] = {}
        self._submitting = ""
        # A thread of its own submits, so that a signal, which interrupts the main thread, cannot
        # come between a job's start and the note of its id. (SimpleQueue.put is reentrant.)
        self._wanted: queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]]] = queue.SimpleQueue()
        self._submitter: threading.Thread | None = None

    def submit(self, folder: Path, work: str, stage: str, allocation: Allocation) -> Job:
        """Start a job, which does `work` in its folder. Raises StepFailed, UserError or OSError."""
        name = f"{stage}-{unique()[:8]}"
        new = Job("", name, folder, self.cluster.name, asdict(allocation))
        new.messages.touch()  # NFS looks again into a file, but not always for a new one

        def start() -> Job:
            if self.stopping:
                raise StepFailed("the build is stopping")
            new.note()
            self._submitting = name
            job = replace(new, id=self._accepted(folder, work, name, allocation))
            self._mine[job.id] = job
            try:
                job.note()
            except OSError:
                self.give_up(job)
                raise
            return job

        return self._in_turn(start).result()

    def _accepted(self, folder: Path, work: str, name: str, allocation: Allocation) -> str:
        """The id of the job, submitted. One that began although an error was told is ended again:
        what it is to do may not have been written yet."""
        try:
            return self.cluster.submit(folder, work, name, allocation)
        except UserError as refusal:
            try:
                self.cluster.cancel_named(name)
            except Unreachable as error:
                raise UserError(f"{refusal}; {error}. {_look_for(name)}") from None
            raise

    def left_behind(self, folder: Path, wanted: Allocation) -> Job | None:
        """The job that an earlier coordinator left in this folder, if it waits or runs; it is
        ours now. One that waits and asked for something else than `wanted` is cancelled."""
        job = noted(folder)
        if job is None or job.cluster != self.cluster.name or job.said_its_end:
            return None
        if not job.id:  # killed while it submitted: what the job is to do may not be written yet
            with contextlib.suppress(Unreachable):
                self.cluster.cancel_named(job.name)
            return None
        self._states.watch(job.id)
        state = self._states.of(job.id, 0.0)
        there = state is not None and state.name == job.name
        if state is None or not there or state.ended or state.leaving:
            self._states.forget(job.id)
            return None
        self._mine[job.id] = job
        if state.word == "PENDING" and not job.asked_for(wanted):
            self._states.forget(job.id)
            self.give_up(job)
            return None
        return job

    def give_up(self, job: Job) -> None:
        """End a job that nobody listens to any more, unless it has ended or all are ended."""
        if not self.stopping and self._mine.pop(job.id, None) is not None:
            with contextlib.suppress(Unreachable):
                self.cluster.cancel([job.id])
                job.mark_over()

    def hear(self, job: Job, listener: Listener) -> Generator[Mapping[str, Any], None, None]:
        """The job's messages as they come, till it says that it has ended.

        Raises Lost if it ends without that. `listener` hears why it waits. Whoever stops listening
        earlier ends the job.
        """
        self._states.watch(job.id)
        tail, told, settled, age = Tail(job.messages), "", 0.0, 1.0
        settle = _SETTLE_SECONDS
        try:
            for pause in pauses():
                for message in tail.new():
                    if "ended" in message and not self.stopping:
                        self._mine.pop(job.id, None)
                    yield message
                    if "ended" in message:
                        return
                    if "signalled" in message:  # it was told to end, and says no more
                        age, settle = 0.5, 0.0
                state = self._states.of(job.id, age)
                if state is None:
                    why = f"{self.cluster.name} does not know it any more"
                    state = State("", True, why=why, by_itself=True)
                if not state.ended:
                    settled = 0.0
                else:
                    settled = settled or time.monotonic()
                    if time.monotonic() - settled >= settle:
                        raise Lost(job, state)
                if not state.ended and state.why not in ("", told):
                    told = state.why
                    at_once(listener, f"{self.cluster.name} job {job.id} waits: {told}")
                age = age if age < 1 else min(15.0, 1.0 + pause * 15)
                time.sleep(pause)
        finally:
            self._states.forget(job.id)
            self.give_up(job)

    def stop_all(self) -> None:
        """Cancel what was submitted, and what is just being submitted."""
        self.stopping = True
        if self._submitter is not None:
            try:
                self._in_turn(lambda: None).result(timeout=_SUBMIT_SECONDS)
            except TimeoutError:
                words = f"{self.cluster.name} has not answered yet whether it takes a job"
                sys.stderr.write(f"!! {words}. {_look_for(self._submitting)}\n")
        mine = dict(sorted(self._mine.items()))
        try:
            if mine:
                self.cluster.cancel(list(mine))
        except Unreachable as error:
            sys.stderr.write(f"!! {error}; these jobs may go on: {' '.join(mine)}\n")
        else:
            for job in mine.values():
                job.mark_over()

    def _in_turn(self, work: Callable[[], T]) -> Future[T]:
        if self._submitter is None:
            self._submitter = threading.Thread(target=self._serve, daemon=True)
            self._submitter.start()
        future: Future[T] = Future()
        self._wanted.put((work, future))
        return future

    def _serve(self) -> None:
        # What is started here inherits the mask: a terminal's Ctrl-C cuts no submission in two.
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        while True:
            work, future = self._wanted.get()
            try:
                future.set_result(work())
            except BaseException as error:
                future.set_exception(error)


class Lost(Exception):
    """A job ended without a word: cancelled by somebody, killed, or its node is gone."""

    def __init__(self, job: Job, state: State) -> None:
        super().__init__(state.why)
        self.job, self.state = job, state


def _look_for(name: str) -> str:
    return f"If a job {name} comes into the queue, cancel it, or leave it to the next build"
