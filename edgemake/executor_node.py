"""What a job does on its node: run one step by `edgemake.run_step`, and tell of it in a file.

The job's folder lies on the file system that all machines share. `spec.json` says what to do. Every
message is appended to a file of the job's own and that file closed again, so that it leaves this
machine. A job knows its folder and its name: another that was here before has another name.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgemake.project import ENGINE_ROOT, Project
from edgemake.resources import GPUS
from edgemake.store import append_line

SPEC, PROBE, LOCK = "spec.json", "probe.json", "lock"
APPEARS_SECONDS = 60.0
"""As long as NFS may remember that a file is not there (`acdirmax` of its mounts)."""
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR2)
"""By which clusters announce the end: cancelled, interrupted, and what submitit asks SLURM for."""


@dataclass(frozen=True)
class _Job:
    """This job: where it lies and, by its name, where it tells what happens."""

    folder: Path
    name: str

    def tell(self, message: Mapping[str, Any]) -> None:
        append_line(messages(self.folder, self.name), message)


def messages(folder: Path, name: str) -> Path:
    """Where a job tells what happens."""
    return folder / f"messages-{name}.jsonl"


def run_alone(work: str, folder: str, name: str) -> None:
    """`run` or `probe` in a process that has nothing more to do: after its last word the folder is
    cleared away, and nothing of it may be written then."""
    {"run": run, "probe": probe}[work](folder, name)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def run(folder: str, name: str) -> None:
    """Run the step of the job's folder, to its end or to the job's."""
    job = _Job(Path(folder), name)
    try:
        _run(job)
    except OSError as error:
        here = os.uname().nodename
        job.tell({"failed": f"{error.filename or folder} on {here}: {error.strerror}"})
        job.tell({"ended": 1})


def _run(job: _Job) -> None:
    given = json.loads((job.folder / SPEC).read_bytes())
    wanted = given["spec"]
    environment = {} if given["gpus"] else {GPUS: ""}  # others' GPUs are none of its business
    job.tell({"host": os.uname().nodename})
    if (missing := _absent(wanted)) is not None:
        job.tell({"failed": missing})
        job.tell({"ended": 1})
        return
    project = Project(Path(wanted["root"]))
    project.share()
    project.host_state.mkdir(parents=True, exist_ok=True)  # a machine that has not built before
    with _build_goes_on(project):
        _follow(job, wanted, environment)


def probe(folder: str, name: str) -> None:
    """See whether a step could run here, and say what is in the way."""
    job = _Job(Path(folder), name)
    asked = json.loads((job.folder / PROBE).read_bytes())
    faults = list(_faults(job.folder, name, asked))
    job.tell({"host": os.uname().nodename, "faults": faults, "ended": 0})


def appears(path: Path, seconds: float = APPEARS_SECONDS) -> bool:
    """Wait for a file that another machine made. Listing a folder makes NFS look again."""
    deadline, pause = time.monotonic() + seconds, 0.05
    while not path.exists():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
        pause = min(2 * pause, 2.0)
        with contextlib.suppress(OSError):
            os.listdir(path.parent)
    return True


def _follow(job: _Job, wanted: Mapping[str, Any], environment: Mapping[str, str]) -> None:
    """Start the runner, hand its messages on, and end it with this job."""
    runner = subprocess.Popen(
        [sys.executable, "-S", "-P", "-m", "edgemake.run_step"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ENGINE_ROOT), **environment},
        start_new_session=True,
    )
    assert runner.stdin is not None and runner.stdout is not None

    def stop(number: int, _: object) -> None:
        # From here on the runner's word does not count: its stage may have got the signal too.
        for quiet in _SIGNALS:
            signal.signal(quiet, signal.SIG_IGN)
        job.tell({"signalled": number})
        with contextlib.suppress(ProcessLookupError):
            os.killpg(runner.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            runner.wait(timeout=2)
        os._exit(128 + number)

    with _signals_to(stop):
        runner.stdin.write(json.dumps(wanted).encode() + b"\n")
        runner.stdin.flush()
        ended = False
        for line in runner.stdout:
            message = json.loads(line)
            job.tell(message)
            ended = "ended" in message
            if ended:
                break
        runner.kill()
        status = runner.wait()
        if not ended:
            job.tell({"failed": f"its runner ended ({status})"})
            job.tell({"ended": 1})


@contextlib.contextmanager
def _signals_to(stop: Any) -> Iterator[None]:
    """Signals go to `stop`; in the threads of other frameworks they cannot."""
    try:
        before = {number: signal.signal(number, stop) for number in _SIGNALS}
    except ValueError:  # not the main thread: whoever started it ends the process
        before = {}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _build_goes_on(project: Project) -> Iterator[None]:
    """No garbage is collected while this job runs, even when its coordinator is gone."""
    descriptor = os.open(project.locks / "builds", os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)


def _absent(wanted: Mapping[str, Any]) -> str | None:
    """What the step needs and this machine does not see, in words."""
    paths = [wanted["python"]]
    for given in wanted["inputs"].values():
        paths += [given] if isinstance(given, str) else given.values()
    missing = _first_missing(paths)
    if missing is None:
        return None
    return (
        f"{missing} is not there on {os.uname().nodename}: what a step uses must lie on a file "
        "system that all machines share, under the same path"
    )


def _first_missing(paths: Iterable[str]) -> str | None:
    return next((path for path in paths if not appears(Path(path))), None)


def _faults(folder: Path, name: str, asked: Mapping[str, Any]) -> Iterator[str]:
    """What would keep a step from running here."""
    here = os.uname().nodename
    for place in asked["writable"]:
        try:
            mark = Path(place, f".{name}")
            mark.touch()
            mark.unlink()
        except OSError as error:
            yield f"{place} is not writable on {here}: {error.strerror}"
    if unread := [path for path in asked["readable"] if not os.access(path, os.R_OK)]:
        more = f" (nor {len(unread) - 1} more)" if unread[1:] else ""
        yield f"{unread[0]}{more} cannot be read on {here}"
    if sys.version_info[:2] != (3, 11):
        yield f"{sys.executable} is Python {sys.version.split()[0]} on {here}, not 3.11"
    with contextlib.suppress(OSError):  # said above
        if _takes(folder / LOCK):
            yield (
                f"locks do not reach {here}: it took one that this machine holds. The file system "
                "must carry flock between machines (NFSv4 does; for Lustre mount it with -o flock)"
            )


def _takes(path: Path) -> bool:
    """Whether the lock is free."""
    with open(path, "r+") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True
