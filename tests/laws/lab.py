"""A toy project in a folder of its own, and what the tests of the guarantees do with it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
DOIT = Path(sys.executable).parent / "doit"
PYPROJECT = HERE.parent.parent / "pyproject.toml"
TEXT = "un deux trois quatre"

ORDINARY = (
    "setpriv", "--bounding-set", "-all", "--inh-caps", "-all", "--ambient-caps", "-all", "--",
)  # fmt: skip
"""Runs a command as root without any capability: file permissions then bind it like anybody."""


@dataclass(frozen=True)
class Said:
    """How a command ended: its exit status and all it printed."""

    code: int
    text: str


class Lab:
    """A copy of the toy project."""

    def __init__(self, root: Path, prefix: tuple[str, ...] = ()) -> None:
        self.root, self.prefix = root, prefix
        self.environment = {**os.environ, "COLUMNS": "110"}
        self.environment.pop("PYTHONDONTWRITEBYTECODE", None)  # what users do not have
        # Labs of one folder share a machine of their own, and wait for nobody else's steps.
        self.environment["EDGEMAKE_TOKENS"] = str(root.parent / "tokens")

    @classmethod
    def make(cls, root: Path, prefix: tuple[str, ...] = ()) -> Lab:
        """A fresh project with an input file; nothing is built."""
        shutil.copytree(HERE / "toy", root, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(PYPROJECT, root / "pyproject.toml")
        (root / "input.txt").write_text(TEXT)
        return cls(root, prefix)

    def copy(self, root: Path, *, artifacts: bool = True) -> Lab:
        """The same project in another folder."""
        skip = ("__pycache__",) if artifacts else ("__pycache__", "artifacts")
        shutil.copytree(self.root, root, symlinks=True, ignore=shutil.ignore_patterns(*skip))
        return Lab(root, self.prefix)

    # running

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        """Start doit in a process group of its own."""
        environment = {**self.environment, **options.pop("environment", {})}
        return subprocess.Popen(
            [*self.prefix, str(DOIT), *arguments],
            cwd=self.root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            **options,
        )

    def doit(self, *arguments: str, **options: Any) -> Said:
        """Run doit to its end."""
        process = self.start(*arguments, **options)
        text, _ = process.communicate(timeout=120)
        return Said(process.returncode, text)

    def build(self, *arguments: str, **options: Any) -> list[str]:
        """A build that must succeed; the stages that it executed, in order."""
        before = len(self.executions())
        said = self.doit(*arguments, **options)
        assert said.code == 0, said.text
        return [line["stage"] for line in self.executions()[before:]]

    def wait_for(self, stage: str, process: subprocess.Popen[str], sign: str = "out/*") -> None:
        """Until the stage's process has begun its work (its first output is there)."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and process.poll() is None:
            if any(self.root.glob(f"artifacts/.scratch/{stage}-*/{sign}")):
                return
            time.sleep(0.01)
        raise AssertionError(f"{stage} never started: {process.communicate()[0]}")

    # looking

    def executions(self, outcome: str | None = "built") -> list[dict[str, Any]]:
        """The log of executions; with None of every outcome."""
        path = self.root / "artifacts/executions.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        entries = [json.loads(line) for line in lines]
        return [e for e in entries if outcome in (None, e["outcome"])]

    def records(self, stage: str = "*") -> list[dict[str, Any]]:
        """Records of all artifacts of a stage, oldest first."""
        found = [json.loads((path / "step.json").read_bytes()) for path in self.artifacts(stage)]
        return sorted(found, key=lambda record: float(record["finished"]))

    def artifacts(self, stage: str = "*") -> list[Path]:
        """Folders in the store that carry a final name."""
        found = self.root.glob(f"artifacts/store/{stage}/*")
        return sorted(path for path in found if not path.name.startswith("."))

    def deliverables(self) -> list[Path]:
        """Delivered folders, rejected ones aside."""
        found = self.root.glob("artifacts/board/*")
        return sorted(p for p in found if p.name[0] != "." and p.suffix != ".rejected")

    def delivered(self) -> dict[str, str]:
        """Name of each deliverable -> its model."""
        return {p.name: (p / "model.txt").read_text() for p in self.deliverables()}

    def check_sound(self) -> None:
        """Whatever is visible is complete and what its record says."""
        records = {path.name: sound_record(path) for path in self.artifacts()}
        for stage in ("source", "choose", "pack"):
            for link in self.root.glob(f"artifacts/{stage}/*"):
                if link.is_symlink() and not link.name.startswith("."):
                    assert link.readlink().name in records, f"{link} leads to no artifact"
        for path in self.deliverables():
            steps = json.loads((path / "provenance.json").read_bytes())["steps"]
            (package,) = (s for name, s in steps.items() if name.startswith("pack:"))
            for name, digest in package["outputs"].items():
                assert content(path / name) == digest, path / name

    def snapshot(self) -> dict[str, tuple[int, ...]]:
        """Every file and folder below the project with all that a write would change."""
        found: dict[str, tuple[int, ...]] = {}
        for path in self.root.rglob("*"):
            if "__pycache__" not in path.parts:
                stat = path.lstat()
                found[str(path)] = (
                    stat.st_mode, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino
                )  # fmt: skip
        return found

    def processes(self) -> list[int]:
        """Processes that work for this project: by environment, command line or folder."""
        mark, found = str(self.root), []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                try:
                    facts = [(entry / "environ").read_bytes(), (entry / "cmdline").read_bytes()]
                    told = [str((entry / "cwd").readlink()), *(os.fsdecode(fact) for fact in facts)]
                    state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
                except OSError:
                    continue
                if state != "Z" and any(mark in text for text in told):
                    found.append(int(entry.name))
        return found

    def command(self, pid: int) -> str:
        """The command line of a process; empty when it is gone."""
        with contextlib.suppress(OSError):
            return Path(f"/proc/{pid}/cmdline").read_bytes().decode().replace("\0", " ")
        return ""

    def wait_until_alone(self, seconds: float) -> list[int]:
        """Wait for the end of all processes of this project; those that are still there."""
        deadline = time.monotonic() + seconds
        while (left := self.processes()) and time.monotonic() < deadline:
            time.sleep(0.02)
        return left

    def kill_all(self) -> None:
        """SIGKILL everything that works for this project, all at once."""
        for pid in self.processes():
            signal_if_there(pid, signal.SIGKILL)

    # changing

    def write(self, name: str, text: str) -> None:
        """Replace a file of the project."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace a piece of a file; it must be there."""
        path = self.root / name
        text = path.read_text()
        assert old in text, (name, old)
        path.write_text(text.replace(old, new))

    def behave(self, stage: str, *lines: str) -> None:
        """Let a stage do these lines first, with `params` and `work` at hand."""
        name = f"stages/{stage}.py"
        text = (HERE / "toy" / name).read_text()
        head, mark, body = text.partition("-> None:\n")
        extra = "".join(f"    {line}\n" for line in lines)
        self.write(name, head + mark + extra + body)


def signal_if_there(pid: int, number: int) -> None:
    """Signal a process that may be gone already."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def content(path: Path) -> str:
    """A file's SHA-256; of a folder the digest of its sorted [path, digest] pairs. Written here a
    second time, so that an error in the engine's own digests is seen."""
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    files = sorted(str(p.relative_to(path)) for p in path.rglob("*") if p.is_file())
    return hashlib.sha256(compact([[name, content(path / name)] for name in files])).hexdigest()


def compact(value: Any) -> bytes:
    """JSON as digests are taken of it."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sound_record(artifact: Path) -> Mapping[str, Any]:
    """The record of an artifact whose name, preimage and outputs all agree with it."""
    record: dict[str, Any] = json.loads((artifact / "step.json").read_bytes())
    named = hashlib.sha256(compact(record["preimage"])).hexdigest()[:32]
    assert artifact.name == record["digest"] == named, artifact
    assert sorted(record["outputs"]) == record["preimage"]["outputs"], artifact
    for name, digest in record["outputs"].items():
        assert content(artifact / name) == digest, f"{artifact / name} is not as recorded"
    return record
