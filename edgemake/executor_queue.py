"""The jobs of one build: submitting them, hearing what they say, cancelling them all."""

from __future__ import annotations

import contextlib
import json
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from edgemake.errors import StepFailed
from edgemake.executor import Allocation, Cluster, Listener, State, Unreachable, at_once
from edgemake.executor_node import MESSAGES
from edgemake.executor_poll import States, Tail, pauses
from edgemake.store import unique, write_atomically

JOB = "job.json"
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
        self._mine: set[str] = set()
        # A thread of its own submits, so that a signal, which interrupts the main thread, cannot
        # come between a job's start and the note of its id. (SimpleQueue.put is reentrant.)
        self._wanted: queue.SimpleQueue[tuple[Callable[[], str], Future[str]]] = queue.SimpleQueue()
        self._submitter: threading.Thread | None = None

    def submit(self, folder: Path, work: str, stage: str, allocation: Allocation) -> str:
        """Start a job, which does `work` in its folder; its id. Raises StepFailed or UserError."""
        (folder / MESSAGES).touch()  # NFS looks again into a file, but not always for a new one
        name = f"{stage}-{unique()[:8]}"

        def start() -> str:
            if self.stopping:
                raise StepFailed("the build is stopping")
            job = self.cluster.submit(folder, work, name, allocation)
            self._mine.add(job)
            write_atomically(folder / JOB, json.dumps({"id": job, "name": name}).encode())
            return job

        return self._in_turn(start).result()

    def left_behind(self, folder: Path) -> str | None:
        """The job that an earlier coordinator left in this folder, if it waits or runs; it is
        ours now."""
        try:
            note = json.loads((folder / JOB).read_bytes())
            job, name = str(note["id"]), str(note["name"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        if any("ended" in message for message in Tail(folder / MESSAGES).new()):
            return None
        self._states.watch(job)
        state = self._states.of(job, 0.0)
        if state is None or state.ended or state.leaving or state.name != name:
            self._states.forget(job)
            return None
        self._mine.add(job)
        return job

    def hear(self, job: str, folder: Path, listener: Listener) -> Iterator[Mapping[str, Any]]:
        """The job's messages as they come, till it says that it has ended.

        Raises Lost if it ends without that. `listener` hears why it waits.
        """
        self._states.watch(job)
        tail, told, settled, age = Tail(folder / MESSAGES), "", 0.0, 1.0
        settle = _SETTLE_SECONDS
        try:
            for pause in pauses():
                for message in tail.new():
                    yield message
                    if "ended" in message:
                        return
                    if "signalled" in message:  # it was told to end, and says no more
                        age, settle = 0.5, 0.0
                state = self._states.of(job, age)
                if state is None:
                    state = State("", True, why=f"{self.cluster.name} does not know it any more")
                if not state.ended:
                    settled = 0.0
                else:
                    settled = settled or time.monotonic()
                    if time.monotonic() - settled >= settle:
                        raise Lost(state)
                if not state.ended and state.why not in ("", told):
                    told = state.why
                    at_once(listener, f"{self.cluster.name} job {job} waits: {told}")
                age = age if age < 1 else min(15.0, 1.0 + pause * 15)
                time.sleep(pause)
        finally:
            self._states.forget(job)
            if not self.stopping:
                self._mine.discard(job)

    def stop_all(self) -> None:
        """Cancel what was submitted, and what is just being submitted."""
        self.stopping = True
        if self._submitter is not None:
            with contextlib.suppress(TimeoutError):
                self._in_turn(lambda: "").result(timeout=_SUBMIT_SECONDS)
        mine = sorted(self._mine)
        try:
            if mine:
                self.cluster.cancel(mine)
        except Unreachable as error:
            sys.stderr.write(f"!! {error}; these jobs may go on: {' '.join(mine)}\n")

    def _in_turn(self, work: Callable[[], str]) -> Future[str]:
        if self._submitter is None:
            self._submitter = threading.Thread(target=self._serve, daemon=True)
            self._submitter.start()
        future: Future[str] = Future()
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

    def __init__(self, state: State) -> None:
        super().__init__(state.why)
        self.state = state
