"""Content digests of files and folders, remembered by stat so that a no-op reads nothing."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from fnmatch import translate
from operator import itemgetter
from pathlib import Path
from typing import Any

from edgemake.errors import UserError

_RACY_NS = 50_000_000
"""A file changed this recently could change again within one tick of the file system's clock
(git calls this racily clean), so its digest is not remembered."""


def canonical(value: Any) -> bytes:
    """The one spelling of a JSON value that digests are taken of."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode(
        "utf-8", "surrogatepass"
    )


def digest_of(value: Any) -> str:
    """128 bits of SHA-256 of a JSON value, as 32 hex digits."""
    return hashlib.sha256(canonical(value)).hexdigest()[:32]


def signature(stat: os.stat_result) -> str:
    """What changes whenever a file's bytes may have changed. ctime cannot be set by a user, so
    a change that restores size and mtime is still seen."""
    return f"{stat.st_size}:{stat.st_mtime_ns}:{stat.st_ctime_ns}:{stat.st_ino}"


def walk(folder: Path, ignore: Sequence[str] = ()) -> Iterator[tuple[str, os.stat_result]]:
    """Every file below `folder` as (path with '/', stat), sorted; symbolic links are followed."""
    ignored = re.compile("|".join(map(translate, ignore)) or "(?!)").match
    pending = [("", str(folder))]
    found: list[tuple[str, os.stat_result]] = []
    while pending:
        prefix, path = pending.pop()
        with os.scandir(path) as entries:
            for entry in entries:
                name = entry.name
                if ignored(name):
                    continue
                if entry.is_dir():
                    pending.append((f"{prefix}{name}/", entry.path))
                else:
                    found.append((prefix + name, entry.stat()))
    found.sort(key=itemgetter(0))
    return iter(found)


class Digests:
    """Digests of files and folders. With `writable` false nothing is written to disk.

    Raises UserError for a path that does not exist or cannot be read. Safe to share by threads.
    """

    def __init__(self, database: Path, *, writable: bool = True) -> None:
        self._path, self._writable = database, writable
        self._lock = threading.RLock()
        self._fresh: dict[str, tuple[str, str]] = {}
        self._connection: sqlite3.Connection | None = None

    def file(self, path: Path) -> str:
        """SHA-256 of a file's bytes."""
        try:
            return self._file(str(path), os.stat(path), trusted=False)
        except OSError as error:
            raise UserError(f"cannot read {path}: {error.strerror}") from None

    def tree(self, folder: Path, ignore: Sequence[str] = (), *, trusted: bool = False) -> str:
        """Digest of every file's relative path and content. `trusted`: nobody else can be
        writing here, so that even brand-new digests are remembered."""
        try:
            listing = list(walk(folder, ignore))
            listed = "\n".join([f"{name}\0{signature(stat)}" for name, stat in listing])
            seen = hashlib.sha256(listed.encode(errors="surrogateescape")).hexdigest()
            key = f"{folder}/\0{'|'.join(ignore)}"
            known = self._recall(key, seen)
            if known is None:
                base = f"{folder}/"
                files = [(n, self._file(base + n, s, trusted=trusted)) for n, s in listing]
                known = hashlib.sha256(canonical(files)).hexdigest()
                if trusted or not any(_racy(stat) for _, stat in listing):
                    self._remember(key, seen, known)
            return known
        except OSError as error:
            raise UserError(f"cannot read {error.filename}: {error.strerror}") from None

    def path(self, path: Path, ignore: Sequence[str] = (), *, trusted: bool = False) -> str:
        """Digest of a file or of a folder."""
        if path.is_dir():
            return self.tree(path, ignore, trusted=trusted)
        if trusted:
            return self._file(str(path), os.stat(path), trusted=True)
        return self.file(path)

    def files(self, folder: Path, ignore: Sequence[str] = ()) -> dict[str, str]:
        """Relative path -> digest of every file below `folder`."""
        return {n: self._file(f"{folder}/{n}", s, trusted=False) for n, s in walk(folder, ignore)}

    def recall(self, key: str, seen: str) -> str | None:
        """The value remembered for `key` while its signature is still `seen`."""
        return self._recall(key, seen)

    def remember(self, key: str, seen: str, value: str) -> None:
        """Remember a value derived from a file whose signature is `seen`."""
        self._remember(key, seen, value)

    def save(self) -> None:
        """Write what was learned. Losing it costs a re-read, so failure is not an error."""
        with self._lock:
            if not (self._writable and self._fresh):
                return
            rows = [(_key(key), seen, value) for key, (seen, value) in self._fresh.items()]
            try:
                connection = self._open()
                if connection is not None:
                    connection.executemany("REPLACE INTO digests VALUES (?, ?, ?)", rows)
                    connection.commit()
                    self._fresh.clear()
            except sqlite3.Error:
                self._connection = None

    def _file(self, path: str, stat: os.stat_result, *, trusted: bool) -> str:
        seen = signature(stat)
        known = self._recall(path, seen)
        if known is None:
            with open(path, "rb") as stream:
                known = hashlib.file_digest(stream, "sha256").hexdigest()
                settled = signature(os.fstat(stream.fileno())) == seen
            if settled and (trusted or not _racy(stat)):
                self._remember(path, seen, known)
        return known

    def _recall(self, key: str, seen: str) -> str | None:
        with self._lock:
            fresh = self._fresh.get(key)
            if fresh is not None and fresh[0] == seen:
                return fresh[1]
            try:
                connection = self._open()
                if connection is None:
                    return None
                row = connection.execute(
                    "SELECT seen, value FROM digests WHERE key = ?", (_key(key),)
                ).fetchone()
            except sqlite3.Error:  # a damaged cache only costs a re-read
                self._connection = None
                return None
            return str(row[1]) if row is not None and row[0] == seen else None

    def _remember(self, key: str, seen: str, value: str) -> None:
        with self._lock:
            self._fresh[key] = (seen, value)

    def _open(self) -> sqlite3.Connection | None:
        if self._connection is None:
            if not self._writable and not self._path.exists():
                return None
            mode = "rwc" if self._writable else "ro"
            self._connection = sqlite3.connect(
                f"{self._path.as_uri()}?mode={mode}", uri=True, timeout=10, check_same_thread=False
            )
            if self._writable:
                self._connection.execute("PRAGMA synchronous = OFF")
                self._connection.execute(
                    "CREATE TABLE IF NOT EXISTS digests"
                    " (key BLOB PRIMARY KEY, seen TEXT, value TEXT)"
                )
        return self._connection


def _racy(stat: os.stat_result) -> bool:
    return time.time_ns() - max(stat.st_mtime_ns, stat.st_ctime_ns) < _RACY_NS


def _key(text: str) -> bytes:
    """A path as the database keeps it: file names need not be UTF-8."""
    return text.encode("utf-8", "surrogateescape")
