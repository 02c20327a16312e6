"""Start a stage's process, follow it, and end it with all its children when asked to."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from edgemake.errors import StepFailed
from edgemake.project import Project
from edgemake.store import LOG
from edgemake.work import PROGRESS_FD

_PR_SET_CHILD_SUBREAPER = 36

Listener = Callable[[Mapping[str, Any]], None]


class StageRun:
    """One execution of a stage, in a process group of its own."""

    def __init__(self, python: str, project: Project, scratch: Path, *, bare: bool) -> None:
        """`bare`: the stage has no toolchain, and sees nothing but the standard library."""
        self._options = ["-s", "-P", "-u", *(["-S"] if bare else [])]
        self._python, self._project, self._scratch = python, project, scratch
        self._process: subprocess.Popen[bytes] | None = None

    def run(
        self, request: Mapping[str, Any], environment: Mapping[str, str], listener: Listener
    ) -> dict[str, Any]:
        """Run to the end; what the stage reported, with `seconds` and `peak_bytes`.

        Progress goes to `listener` as it comes. Raises StepFailed with the reason.
        """
        # Children that a stage leaves behind become ours, so that none outlives the step.
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        reading, writing = os.pipe()
        started = time.monotonic()
        with open(self._scratch / LOG, "ab") as log:
            self._process = subprocess.Popen(
                [self._python, *self._options, "-m", "edgemake.stage_process"],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self._scratch / "work",
                env={**self._environment(), PROGRESS_FD: str(writing), **environment},
                pass_fds=(writing,),
                umask=0o002 if self._project.shared else 0o022,
                start_new_session=True,
            )
        os.close(writing)
        with contextlib.suppress(BrokenPipeError), self._process.stdin:  # type: ignore[union-attr]
            self._process.stdin.write(json.dumps(request).encode())  # type: ignore[union-attr]
        # A child that outlives the stage may hold the pipe open, so it is ended by another thread.
        follower = threading.Thread(target=self._follow, args=(self._process,), daemon=True)
        follower.start()
        result: dict[str, Any] = {}
        with os.fdopen(reading) as reports:
            for line in reports:
                report = json.loads(line)
                (listener(report) if "text" in report else result.update(report))
        status = self._process.wait()
        follower.join()
        if status != 0 or "error" in result:
            raise StepFailed(result.get("error") or _ending(status))
        if "modules" not in result:  # what a stage reports last
            raise StepFailed("left the process before its `run` returned")
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        result["seconds"] = round(time.monotonic() - started, 3)
        result["peak_bytes"] = usage.ru_maxrss * 1024
        return result

    def _follow(self, process: subprocess.Popen[bytes]) -> None:
        process.wait()
        self.kill()

    def kill(self) -> None:
        """End the stage's process group and whatever else became our child."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        # First the stage itself, or the waiting below would take its exit status away.
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=1)
        for _ in range(50):  # a daemon may fork while it is being hunted
            children = _children()
            if not children:
                return
            for child in children:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(child, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            time.sleep(0.01)

    def _environment(self) -> dict[str, str]:
        """All that a stage inherits: nothing of the user's, so equal steps see equal worlds."""
        scratch = self._scratch
        tools = str(Path(self._python).parent)
        return {
            "PATH": f"{tools}:/usr/local/bin:/usr/bin:/bin",
            "PYTHONPATH": ":".join(map(str, self._project.source_roots)),
            "PYTHONHASHSEED": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONNOUSERSITE": "1",
            "HOME": str(scratch / "home"),
            "XDG_CACHE_HOME": str(scratch / "home/.cache"),
            "XDG_CONFIG_HOME": str(scratch / "home/.config"),
            "TMPDIR": str(scratch / "tmp"),
            "LANG": "C.UTF-8",
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
        }


def _children() -> list[int]:
    path = f"/proc/self/task/{os.getpid()}/children"
    with contextlib.suppress(OSError), open(path) as listing:
        return [int(pid) for pid in listing.read().split()]
    return []


def _ending(status: int) -> str:
    if status == -signal.SIGKILL:
        return (
            "was killed from outside (signal 9); most often that is the kernel out of memory. "
            "Close other programs or make it smaller (for training: train.batch)"
        )
    if status < 0:
        return f"crashed with signal {-status} ({signal.Signals(-status).name})"
    return f"ended with exit status {status}"
