"""The artifact store: immutable directories named by the digest of all they were made from."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgemake.digest import Digests, canonical, digest_of
from edgemake.errors import UserError
from edgemake.project import group_bits

RECORD = "step.json"
LOG = "log.txt"
SCHEMA = 1


@dataclass(frozen=True)
class Artifact:
    """A published, complete artifact."""

    path: Path
    record: Mapping[str, Any]

    @property
    def stage(self) -> str:
        return str(self.record["stage"])

    @property
    def digest(self) -> str:
        return str(self.record["digest"])

    @property
    def outputs(self) -> Mapping[str, str]:
        """Output name -> content digest."""
        outputs: Mapping[str, str] = self.record["outputs"]
        return outputs


class Store:
    """Artifacts below `root`. Verified on every look-up; a stat where the bytes are known."""

    def __init__(self, root: Path, digests: Digests) -> None:
        self.root, self._digests = root, digests

    def path(self, stage: str, digest: str) -> Path:
        return self.root / stage / digest

    def find(self, stage: str, digest: str) -> Artifact | None:
        """The artifact, if it is there and still what its record says."""
        artifact = self.read(stage, digest)
        return artifact if artifact is not None and self.damage(artifact) is None else None

    def read(self, stage: str, digest: str) -> Artifact | None:
        """The artifact by its record alone, outputs unverified; None without a sound record."""
        path = self.path(stage, digest)
        try:
            record = json.loads((path / RECORD).read_bytes())
            sound = digest_of(record["preimage"]) == digest == record["digest"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return Artifact(path, record) if sound else None

    def damage(self, artifact: Artifact) -> str | None:
        """The first output that is not what the record says; None when all are."""
        for name, expected in artifact.outputs.items():
            output = artifact.path / name
            try:
                if not os.path.lexists(output) or self._digests.path(output) != expected:
                    return name
            except (UserError, OSError):
                return name
        return None

    def records(self, stage: str) -> Iterator[Artifact]:
        """Every artifact of a stage that has a sound record, newest first."""
        folder = self.root / stage
        names = os.listdir(folder) if folder.is_dir() else []
        for name in sorted(names, key=lambda name: (-_made_at(f"{folder}/{name}"), name)):
            artifact = self.read(stage, name)
            if artifact is not None:
                yield artifact

    def publish(self, made: Path, record: Mapping[str, Any]) -> Artifact:
        """Give the finished folder `made` its final name, in one rename.

        The caller holds the lock of this digest. A damaged artifact of the same name is replaced.
        """
        final = self.path(record["stage"], record["digest"])
        (made / RECORD).write_bytes(json.dumps(record, indent=1, sort_keys=True).encode() + b"\n")
        seal(made)
        final.parent.mkdir(parents=True, exist_ok=True)
        if os.path.lexists(final):
            discard(final)
        made.rename(final)
        for name in record["outputs"]:  # known while nobody else can have touched them
            self._digests.path(final / name, trusted=True)
        self._digests.save()
        return Artifact(final, record)


def _made_at(folder: str) -> int:
    """When the last file was put into a folder, in nanoseconds; 0 if it is gone by now."""
    try:
        return os.stat(folder).st_mtime_ns
    except OSError:
        return 0


def seal(folder: Path) -> None:
    """Make every file read-only and readable. Directories stay writable: renaming a read-only
    directory fails for ordinary users, and `rm -rf artifacts` must work. A group's stay its own."""
    directory = 0o755 | group_bits(folder)
    os.chmod(folder, directory)
    for base, folders, names in os.walk(folder):
        for mode, entries in ((directory, folders), (0o444, names)):
            for path in (os.path.join(base, name) for name in entries):
                if not os.path.islink(path):  # chmod would follow it out of here
                    os.chmod(path, mode)


def discard(path: Path) -> None:
    """Delete a file, link or tree; a tree loses its name first, so nobody sees half of it."""
    if path.is_symlink() or path.is_file():
        path.unlink(missing_ok=True)
    elif path.exists():
        doomed = path.with_name(f".gone-{unique()}")
        path.rename(doomed)
        shutil.rmtree(doomed, ignore_errors=True)


def link(name: Path, to: Path) -> bool:
    """Point the symbolic link `name` at `to`, atomically. True if that changed anything."""
    wanted = os.path.relpath(to, name.parent)
    try:
        if os.readlink(name) == wanted:
            return False
    except OSError:
        pass
    name.parent.mkdir(parents=True, exist_ok=True)
    if name.is_dir() and not name.is_symlink():
        raise UserError(f"{name} is a folder where edgemake keeps a link; move it away")
    temporary = name.with_name(f".{name.name}.{unique()}")
    os.symlink(wanted, temporary)
    os.replace(temporary, name)
    return True


def unique() -> str:
    """A part of a file name that nobody else uses. (The uuid module is slow to load.)"""
    return os.urandom(16).hex()


def write_atomically(path: Path, data: bytes) -> None:
    """Replace a small bookkeeping file whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{unique()}")
    temporary.write_bytes(data)
    os.replace(temporary, path)


def append_line(path: Path, entry: Mapping[str, Any]) -> None:
    """Add one JSON line in a single write, so that lines of several processes never mix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    line = canonical({"time": round(time.time(), 3), **entry}) + b"\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        os.write(descriptor, line)
    finally:
        os.close(descriptor)
