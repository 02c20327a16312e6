"""Which artifacts the last builds used, and collecting the rest."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edgemake.errors import UserError
from edgemake.project import Project
from edgemake.provenance import artifacts_behind
from edgemake.store import RECORD, discard, write_atomically

_NOTES = 200


@dataclass(frozen=True)
class Garbage:
    """What `gc` found: artifacts nothing refers to, with their sizes in bytes."""

    kept: int
    doomed: dict[Path, int]


class Builds:
    """Notes of past builds, newest last, and the lock between builds and garbage collection."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._folder = project.state / "builds"

    @contextlib.contextmanager
    def shared(self) -> Iterator[None]:
        """Held by every build: any number at once, none while garbage is collected."""
        with self._locked(fcntl.LOCK_SH):
            yield

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Held by `gc`. Raises UserError while a build goes on."""
        with self._locked(fcntl.LOCK_EX | fcntl.LOCK_NB):
            yield

    def remember(self, digests: set[str]) -> None:
        """Note the artifacts a build used; nothing is written when the last note says the same."""
        notes = self._notes()
        wanted = sorted(digests)
        if notes and json.loads(notes[-1].read_bytes()) == wanted:
            return
        name = f"{time.time_ns():020d}-{os.getpid()}.json"
        write_atomically(self._folder / name, json.dumps(wanted).encode())
        for old in notes[:-_NOTES]:
            old.unlink(missing_ok=True)

    def garbage(self, keep_builds: int) -> Garbage:
        """Artifacts that neither a deliverable nor one of the last builds refers to.

        What is newer than the last note was made by a build that was killed before it could
        write one, and is what the next build goes on from: it stays.
        """
        used = artifacts_behind(self._project.artifacts)
        notes = self._notes()
        for note in notes[-keep_builds:] if keep_builds else []:
            used |= set(json.loads(note.read_bytes()))
        there = list(self._project.store.glob("*/*"))
        if keep_builds:
            last = notes[-1].stat().st_mtime if notes else 0.0
            used |= {path.name for path in there if _made(path) > last}
        doomed = {path: _size(path) for path in there if path.name not in used}
        return Garbage(len(there) - len(doomed), doomed)

    def collect(self, garbage: Garbage) -> None:
        """Delete the garbage, the links that led to it, and what killed processes left of their
        temporary files and, the latest aside, of their scratch; and what is left of jobs that are
        over. The caller holds `alone`."""
        from edgemake.executor_notes import over
        from edgemake.runner import KEPT_SCRATCH

        artifacts, scratch = self._project.artifacts, list(self._project.scratch.iterdir())
        scratch.sort(key=lambda path: -path.stat().st_mtime)
        left = artifacts.glob("[!.]*/.*")
        jobs = filter(over, self._project.jobs.glob("*"))
        for path in [*garbage.doomed, *left, *scratch[KEPT_SCRATCH:], *jobs]:
            discard(path)
        for link in artifacts.glob("*/*"):
            if link.is_symlink() and not link.exists():
                link.unlink()

    def _notes(self) -> list[Path]:
        return sorted(self._folder.glob("[0-9]*.json")) if self._folder.is_dir() else []

    @contextlib.contextmanager
    def _locked(self, how: int) -> Iterator[None]:
        descriptor = os.open(self._project.locks / "builds", os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(descriptor, how)
            yield
        except BlockingIOError:
            raise UserError("a build is going on; collect garbage when it has ended") from None
        finally:
            os.close(descriptor)


def _made(path: Path) -> float:
    """When an artifact was published; 0 for what has no record."""
    record = path / RECORD
    return record.stat().st_mtime if record.exists() and path.name[0] != "." else 0.0


def _size(path: Path) -> int:
    return sum(p.lstat().st_size for p in path.rglob("*")) if path.is_dir() else 0
