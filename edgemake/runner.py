"""Running one step, from its lock to its publication."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from edgemake.digest import Digests, digest_of
from edgemake.errors import StepFailed, UserError
from edgemake.grants import Claim
from edgemake.project import Project
from edgemake.resources import Machine, Needs, environment_of, here
from edgemake.sources import Sources
from edgemake.spec import Spec
from edgemake.stage_run import Listener, StageRun
from edgemake.store import LOG, SCHEMA, Store, append_line, discard, seal, write_atomically
from edgemake.tokens import FOLDER, NONE, Tokens

FAILURE = "failure.json"
_AGAIN = "; nothing was recorded. Run the same command again to build from what it is now"
KEPT_SCRATCH = 10
"""How many folders of failed or killed steps are kept for `doit log` and for resuming."""


class Runner:
    """One step, from lock to publication."""

    def __init__(self, spec: Spec, listener: Listener) -> None:
        self.spec, self._tell = spec, listener
        self.project = Project(Path(spec.root), Path(spec.toolchains) if spec.toolchains else None)
        self.digests = Digests(self.project.host_state / "digests.sqlite3")
        self.store = Store(self.project.store, self.digests)
        self.scratch = self.project.scratch / f"{spec.stage}-{spec.digest}"
        bare = spec.preimage["toolchain"] is None
        self.stage = StageRun(spec.python, self.project, self.scratch, bare=bare)
        self.held: Claim | None = None
        """What of the machine is the step's, once it may start."""
        self._given: Mapping[str, str] = {}

    def run(self) -> Mapping[str, Any]:
        """Make or find the artifact. Raises StepFailed."""
        started = time.time()
        with self._locked():
            try:
                return self._logged(self._make(), started)
            except (StepFailed, UserError) as error:
                failed = StepFailed(str(error))
            except OSError as error:
                failed = StepFailed(in_words(error))
            self._fail(str(failed), started)
        raise failed

    def _make(self) -> str:
        """What became of the step: 'reused', 'built' or 'different'."""
        if not self.spec.force and self.store.find(self.spec.stage, self.spec.digest):
            return "reused"
        with self._tokens(Needs(**self.spec.needs), here()) as self.held:
            self._check_inputs("before it ran")
            resumed = self._prepare_scratch()
            result = self._run_stage(resumed)
            self._check_inputs("while it ran")
            return self._publish(result, resumed)

    @contextlib.contextmanager
    def _tokens(self, needs: Needs, machine: Machine) -> Iterator[Claim]:
        """While open, the step holds its part of this machine. A cluster's job has it already,
        unless the cluster is one of several on this machine."""
        spec, who = self.spec, f"{self.project.root.name}: {self.spec.stage}"
        if spec.cores:
            needs = replace(needs, least=spec.cores, most=spec.cores, beside_gpu=0)
        given = bool(spec.cores) and not spec.tokens
        if given:
            machine = replace(machine, cores=spec.cores)
        tokens = Tokens(machine, NONE if given else os.environ.get(FOLDER))

        def tell(text: str, others: bool) -> None:
            self._tell({"text": text, "at_once": others})

        with tokens.taken(who, spec.build, needs, spec.workers, tell) as held:
            self._given = environment_of(machine, needs, max(1, held.cores), held.gpus)
            yield held

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        path = self.project.locks / f"{self.spec.stage}-{self.spec.digest}"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._tell({"text": "another build runs this step; waiting for it"})
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
        kept = self.spec.resumable and not self.spec.force
        resumed = kept and work.is_dir() and any(work.iterdir())
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
            "cores": self._share()["cores"],
            "resumed": resumed,
            "network": spec.network,
            "readable": readable,
            "modules": modules,
            "runner": os.getpid(),
        }
        result = self.stage.run(request, {**self._given, **spec.environment}, self._tell)
        self._validate(result)
        return result

    def _share(self) -> dict[str, Any]:
        """What of the machine is the step's: cores, and the name of its GPU if it has one."""
        assert self.held is not None
        gpus = {"gpu": self.held.gpus[0]} if self.held.gpus else {}
        return {"cores": max(1, self.held.cores), **gpus}

    def _validate(self, result: Mapping[str, Any]) -> None:
        """The stage ended well; is what it left what it declared?"""
        undeclared = set(result.get("modules", ())) - set(self.spec.preimage["sources"])
        if undeclared:
            raise StepFailed(f"imported modules that its digest does not cover: {undeclared}")
        out = self.scratch / "out"
        seal(out)
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
            "run": {**self._share(), **spec.environment, "network": spec.network},
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
        elif before is None:
            self.store.publish(out, record)
        discard(self.scratch)
        return "built" if before is None or before.outputs == outputs else "different"

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

    def _fail(self, message: str, started: float) -> None:
        """Leave the reason beside the log, and keep only the latest such folders. The caller holds
        the lock, so that no other build of this step has begun to write there."""
        with contextlib.suppress(OSError):
            if self.scratch.is_dir():
                write_atomically(self.scratch / FAILURE, json.dumps({"error": message}).encode())
            self._logged("failed", started)
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


def in_words(error: OSError) -> str:
    """What the operating system refused, for people."""
    return f"{error.strerror}: {error.filename}. Nothing that was built is lost"


def _linked_from(folder: str) -> list[str]:
    """Where the symbolic links in a folder of the user's lead: part of what he gave us."""
    return [
        os.path.realpath(os.path.join(base, name))
        for base, folders, names in os.walk(folder, followlinks=True)
        for name in [*folders, *names]
        if os.path.islink(os.path.join(base, name))
    ]
