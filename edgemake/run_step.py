"""`python -m edgemake.run_step`: one process that runs one step, here or on another machine.

It takes the lock of the action digest, looks in the store again, digests the inputs, runs the
stage in a process group of its own, digests again, validates and publishes. Reads one JSON line
on stdin (see `Spec`) and lives only as long as that pipe is open; writes JSON lines on stdout.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgemake.digest import Digests, digest_of
from edgemake.errors import StepFailed, UserError
from edgemake.project import Project
from edgemake.sources import Sources
from edgemake.stage_run import StageRun
from edgemake.store import LOG, SCHEMA, Store, append_line, discard, write_atomically

FAILURE = "failure.json"
_AGAIN = "; nothing was recorded. Run the same command again to build from what it is now"
KEPT_SCRATCH = 10
"""How many folders of failed or killed steps are kept for `doit log` and for resuming."""


@dataclass(frozen=True)
class Spec:
    """Everything a runner needs to know; plain JSON, so that it can travel."""

    root: str
    toolchains: str | None
    stage: str
    digest: str
    preimage: Mapping[str, Any]
    inputs: Mapping[str, Any]
    """Input name -> path, or {name for the stage: path}."""
    ignore: Mapping[str, list[str]]
    """Input name -> file patterns that do not count in a folder of the user's."""
    files: Mapping[str, Mapping[str, str]]
    packages: Mapping[str, str]
    why: list[str]
    label: str
    request: str
    python: str
    cores: int
    network: bool
    resumable: bool
    force: bool
    environment: Mapping[str, str]


class Runner:
    """One step, from lock to publication."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.project = Project(Path(spec.root), Path(spec.toolchains) if spec.toolchains else None)
        self.digests = Digests(self.project.host_state / "digests.sqlite3")
        self.store = Store(self.project.store, self.digests)
        self.scratch = self.project.scratch / f"{spec.stage}-{spec.digest}"
        self.stage = StageRun(spec.python, self.project, self.scratch)

    def run(self) -> Mapping[str, Any]:
        """Make or find the artifact. Raises StepFailed."""
        started = time.time()
        with self._locked():
            if not self.spec.force and self.store.find(self.spec.stage, self.spec.digest):
                return self._logged("reused", started)
            self._check_inputs("before it ran")
            resumed = self._prepare_scratch()
            result = self._run_stage(resumed)
            self._check_inputs("while it ran")
            return self._logged(self._publish(result, resumed), started)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        path = self.project.locks / f"{self.spec.stage}-{self.spec.digest}"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                emit({"text": "another build runs this step; waiting for it"})
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _check_inputs(self, when: str) -> None:
        """Inputs and sources must be what the digest says, or the record would be wrong."""
        for name, expected in self.spec.preimage["inputs"].items():
            given = self.spec.inputs[name]
            try:
                if isinstance(given, str):
                    ignore = self.spec.ignore.get(name, [])
                    now = self.digests.path(Path(given), ignore)
                else:
                    pairs = [(n, self.digests.file(Path(p))) for n, p in given.items()]
                    now = digest_of(pairs)
            except (UserError, OSError) as error:
                raise StepFailed(f"input {name} {when}: {error}") from None
            if now != expected:
                raise StepFailed(f"input {name} changed {when}{_AGAIN}")
        known = self.spec.preimage["sources"]
        sources = Sources(self.project.source_roots, self.digests).of_stage(self.spec.stage)
        if changed := sorted(m for m in {*known, *sources} if known.get(m) != sources.get(m)):
            raise StepFailed(f"source {', '.join(changed)} changed {when}{_AGAIN}")

    def _prepare_scratch(self) -> bool:
        """An empty scratch folder, or a resumable step's own from a run that was cut short."""
        work = self.scratch / "work"
        resumed = self.spec.resumable and work.is_dir() and any(work.iterdir())
        if not resumed:
            discard(self.scratch)
        (self.scratch / FAILURE).unlink(missing_ok=True)
        for name in ("out", "inputs"):
            discard(self.scratch / name)
        for name in ("out", "inputs", "work", "home", "tmp"):
            (self.scratch / name).mkdir(parents=True, exist_ok=True)
        return resumed

    def _run_stage(self, resumed: bool) -> Mapping[str, Any]:
        spec = self.spec
        readable: list[str] = []
        inputs: dict[str, str] = {}
        for name, given in spec.inputs.items():
            if isinstance(given, str):
                inputs[name] = given
                readable += {given, os.path.realpath(given)}
                if name in spec.ignore:
                    readable += _linked_from(given)
            else:
                folder = self.scratch / "inputs" / name
                folder.mkdir()
                for link, path in given.items():
                    os.symlink(path, folder / link)
                    readable.append(os.path.realpath(path))
                inputs[name] = str(folder)
        sources = Sources(self.project.source_roots, self.digests)
        modules = {name: str(sources.path(name)) for name in spec.preimage["sources"]}
        readable += modules.values()
        request = {
            "stage": spec.stage,
            "params": spec.preimage["params"],
            "inputs": inputs,
            "out": str(self.scratch / "out"),
            "scratch": str(self.scratch),
            "cores": spec.cores or os.cpu_count() or 1,
            "resumed": resumed,
            "network": spec.network,
            "readable": readable,
            "modules": modules,
            "runner": os.getpid(),
        }
        result = self.stage.run(request, spec.environment, emit)
        self._validate(result)
        return result

    def _validate(self, result: Mapping[str, Any]) -> None:
        """The stage ended well; is what it left what it declared?"""
        undeclared = set(result.get("modules", ())) - set(self.spec.preimage["sources"])
        if undeclared:
            raise StepFailed(f"imported modules that its digest does not cover: {undeclared}")
        out = self.scratch / "out"
        declared, found = set(self.spec.preimage["outputs"]), set(os.listdir(out))
        if missing := sorted(declared - found):
            raise StepFailed(f"ended without its output {', '.join(missing)}")
        if extra := sorted(found - declared):
            raise StepFailed(f"left an undeclared output {', '.join(extra)}")
        for base, folders, names in os.walk(out):
            for name in [*folders, *names]:
                path = Path(base, name)
                if path.is_symlink() or not (path.is_dir() or path.is_file()):
                    raise StepFailed(f"left {path.relative_to(out)}, which is no plain file")

    def _publish(self, result: Mapping[str, Any], resumed: bool) -> str:
        """Store the outputs. 'built', or 'different' if a forced run gave other bytes."""
        spec, out = self.spec, self.scratch / "out"
        outputs = {name: self.digests.path(out / name) for name in spec.preimage["outputs"]}
        record = {
            "schema": SCHEMA,
            "stage": spec.stage,
            "digest": spec.digest,
            "preimage": spec.preimage,
            "outputs": outputs,
            "files": spec.files,
            "packages": spec.packages,
            "why": spec.why,
            "label": spec.label,
            "request": spec.request,
            "resumed": resumed,
            "finished": round(time.time(), 3),
            **{key: result[key] for key in ("seconds", "peak_bytes", "sandbox", "modules")},
        }
        shutil.copyfile(self.scratch / LOG, out / LOG)
        before = self.store.find(spec.stage, spec.digest)
        if before is not None and before.outputs != outputs:
            aside = self.project.artifacts / ".unreproducible" / f"{spec.stage}-{spec.digest}"
            aside.parent.mkdir(exist_ok=True)
            discard(aside)
            out.rename(aside)
            return "different"
        if before is None:
            self.store.publish(out, record)
        discard(self.scratch)
        return "built"

    def _logged(self, outcome: str, started: float) -> Mapping[str, Any]:
        spec = self.spec
        line = {
            "step": f"{spec.stage}:{spec.label}",
            "stage": spec.stage,
            "digest": spec.digest,
            "outcome": outcome,
            "why": spec.why,
            "seconds": round(time.time() - started, 3),
        }
        if outcome != "reused":
            append_line(self.project.artifacts / "executions.jsonl", line)
        return line

    def fail(self, message: str) -> None:
        """Leave the reason beside the log, and keep only the latest such folders."""
        with contextlib.suppress(OSError):
            if self.scratch.is_dir():
                write_atomically(self.scratch / FAILURE, json.dumps({"error": message}).encode())
            self._logged("failed", time.time())
            folders = sorted(self.project.scratch.iterdir(), key=lambda p: -p.stat().st_mtime)
            for old in folders[KEPT_SCRATCH:]:
                self._discard_if_idle(old)

    def _discard_if_idle(self, scratch: Path) -> None:
        descriptor = os.open(self.project.locks / scratch.name, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            discard(scratch)
        except BlockingIOError:
            pass
        finally:
            os.close(descriptor)


def _linked_from(folder: str) -> list[str]:
    """Where the symbolic links in a folder of the user's lead: part of what he gave us."""
    return [
        os.path.realpath(os.path.join(base, name))
        for base, folders, names in os.walk(folder, followlinks=True)
        for name in [*folders, *names]
        if os.path.islink(os.path.join(base, name))
    ]


def emit(message: Mapping[str, Any]) -> None:
    """One JSON line for the coordinator; a coordinator that is gone is noticed elsewhere."""
    with contextlib.suppress(OSError):
        os.write(1, (json.dumps(message) + "\n").encode())


def main() -> int:
    """Run the step that the first line of stdin describes."""
    wanted = sys.stdin.buffer.readline()
    if not wanted:  # started ahead, and no step came
        return 0
    runner = Runner(Spec(**json.loads(wanted)))

    def stop(*_: object) -> None:
        runner.stage.kill()
        os._exit(130)

    def watch() -> None:  # the pipe closes when the coordinator ends, in whatever way
        while os.read(0, 4096):
            pass
        stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=watch, daemon=True).start()
    try:
        emit({"done": True, **runner.run()})
        return 0
    except (StepFailed, UserError) as error:
        message = str(error)
    except OSError as error:
        message = f"{error.strerror}: {error.filename}. Nothing that was built is lost"
    runner.fail(message)
    emit({"failed": message})
    return 1


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)  # the watching thread must not hold up the end
