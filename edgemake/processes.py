"""The coordinator's side of running steps: start runner processes, hear them, end them all."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from edgemake.errors import StepFailed, Stopped
from edgemake.project import ENGINE_ROOT, Project
from edgemake.spec import Spec

if TYPE_CHECKING:
    from edgemake.executor import Executor

GRACE_SECONDS = 1.5
"""How long a runner gets to end its stage before it is killed itself."""

Listener = Callable[[Mapping[str, Any]], None]


class Processes:
    """The runner processes of one build.

    A runner whose step has ended is kept for the next one: its modules are loaded.
    """

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._idle: list[subprocess.Popen[bytes]] = []
        self._guard = threading.RLock()
        self._beside: list[Executor] = []
        self.stopping = False

    def or_jobs(self, section: Mapping[str, Any] | None, project: Project) -> Executor:
        """Who runs the steps, by the config's section `executor`: these processes, or jobs of a
        cluster, which then end when these do."""
        if section is None or section["kind"] == "local":
            return self
        from edgemake import executors  # what runs here needs none of it

        jobs = executors.make(section, project)
        self._beside.append(jobs)
        return jobs

    def close(self) -> None:
        """Nothing is left when `stopped_by_signals` is over."""

    def prepare(
        self,
        wanted: Mapping[str, Mapping[str, Any]],
        reads: Sequence[str],
        listener: Listener,
    ) -> None:
        """See that this machine can give out its cores. Raises UserError."""
        if wanted:
            from edgemake import tokens  # with nothing to do, nobody asks

            tokens.check()

    def run(self, spec: Spec, listener: Listener) -> Mapping[str, Any]:
        """Run one step to its end and return the runner's last word. Raises StepFailed."""
        process = self._idle_runner() or self._start_runner()
        assert process.stdin is not None and process.stdout is not None
        told: dict[str, Any] = {}
        try:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(json.dumps(asdict(spec)).encode() + b"\n")
                process.stdin.flush()
            last: Mapping[str, Any] = {}
            for line in process.stdout:
                with contextlib.suppress(ValueError):
                    told = json.loads(line)
                    if "ended" in told:
                        break
                    last = told
                    listener(last)
        except BaseException:
            self.finished(process)
            raise
        if "ended" in told:
            with self._guard:
                self._idle.append(process)
        else:
            told = {"ended": process.wait()}
            self.finished(process)
        if "done" not in last:
            raise StepFailed(last.get("failed") or f"its runner ended ({told['ended']})")
        return last

    def _idle_runner(self) -> subprocess.Popen[bytes] | None:
        with self._guard:
            while self._idle:
                process = self._idle.pop()
                if process.poll() is None:
                    return process
                self.finished(process)
        return None

    def _dismiss(self) -> None:
        with self._guard:
            idle, self._idle = self._idle, []
        for process in idle:
            _signal(process, signal.SIGKILL)
            process.wait()
            self.finished(process)

    def _start_runner(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-S", "-P", "-m", "edgemake.run_step"]
        return self.start(command, {"PYTHONPATH": str(ENGINE_ROOT)})

    def start(self, command: list[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        """Start a process that ends with this build: in a session of its own, on two pipes."""
        with self._guard:
            if self.stopping:
                raise StepFailed("the build is stopping")
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, **environment},
                start_new_session=True,
            )
            self._running.add(process)
        return process

    def finished(self, process: subprocess.Popen[bytes]) -> None:
        """The process has ended, or must."""
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        with self._guard:
            self._running.discard(process)

    def stop_all(self) -> None:
        """End every runner, and with it its stage, within two seconds."""
        self.stopping = True
        running = list(self._running)
        for process in running:
            _signal(process, signal.SIGTERM)
        deadline = time.monotonic() + GRACE_SECONDS
        while time.monotonic() < deadline and any(p.poll() is None for p in running):
            time.sleep(0.01)
        for process in running:
            _signal(process, signal.SIGKILL)
        for other in self._beside:
            other.stop_all()

    @contextlib.contextmanager
    def stopped_by_signals(self) -> Iterator[None]:
        """While open, SIGINT, SIGTERM and SIGHUP end all runners and raise Stopped.

        In the main thread, because doit's worker threads see no signals and run no `finally`
        when it leaves.
        """

        def stop(number: int, _: object) -> None:
            for quiet in _SIGNALS:
                signal.signal(quiet, signal.SIG_IGN)
            self.stop_all()
            raise Stopped(number)

        before = {number: signal.signal(number, stop) for number in _SIGNALS}
        try:
            yield
        finally:
            self._dismiss()
            for other in self._beside:
                other.close()
            if not self.stopping:  # a second Ctrl-C must not cut the goodbye short
                for number, handler in before.items():
                    signal.signal(number, handler)


_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if process.poll() is None:
            os.killpg(process.pid, number)
