"""Toolchains: locked, verified virtual environments that stages run in.

`.toolchains/<name>-<lock digest>` is built in a temporary place, verified against the packages'
own RECORD files and renamed; it is complete or it is not there.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from edgemake.digest import signature, walk
from edgemake.errors import StepFailed, UserError
from edgemake.project import Project
from edgemake.record_check import damaged_packages, intact_files
from edgemake.store import discard, unique, write_atomically

MARK = "edgemake.json"
LISTING = "edgemake-files.json"
_HEADER = re.compile(r"^# (download|installed)-bytes: (\d+)$", re.MULTILINE)

Listener = Callable[[float, float, str], None]
"""Called with (done, total, text) while something is installed."""


@dataclass(frozen=True)
class Toolchain:
    """One environment, named by its lock."""

    name: str
    lock: Path
    path: Path

    @property
    def python(self) -> Path:
        return self.path / "bin/python"

    def sizes(self) -> tuple[int, int]:
        """(bytes to download, bytes on disk), as measured when the lock was made; 0: unknown."""
        found = dict(_HEADER.findall(self.lock.read_text()))
        return int(found.get("download", 0)), int(found.get("installed", 0))


TOLD_FILES = 500
"""Verifying more files takes a moment, and is told."""


class Toolchains:
    """The toolchains of a project. `start` runs a process that dies with the build."""

    def __init__(self, project: Project, digest_of_lock: Callable[[str], str]) -> None:
        self._project, self._digest_of_lock = project, digest_of_lock

    def get(self, name: str) -> Toolchain:
        """The toolchain of a lock file, installed or not."""
        path = self._project.toolchains / f"{name}-{self._digest_of_lock(name)[:12]}"
        return Toolchain(name, self._project.lock_files / f"{name}.lock", path)

    def problem(self, toolchain: Toolchain) -> str | None:
        """Why the toolchain cannot be used as it is, by stat alone; None when it can."""
        try:
            mark = json.loads((toolchain.path / MARK).read_bytes())
        except (OSError, ValueError):
            return "is not installed" if not toolchain.path.exists() else "is incomplete"
        now = _files(toolchain.path)
        if mark["files"] == _signature_of(now):
            return None
        changed = _changed(toolchain, now)
        if changed:
            return f"was changed: {', '.join(changed[:3])}{' …' if len(changed) > 3 else ''}"
        with contextlib.suppress(PermissionError):  # somebody else's: whole, but not ours to mark
            _mark(toolchain, toolchain.path, now)
        return None

    def ensure(
        self, name: str, tell: Listener, run: Callable[[list[str], Callable[[str], None]], int]
    ) -> Toolchain:
        """Install the toolchain unless it is there and whole. `run` starts a command, hands its
        lines on and returns its exit status. Raises StepFailed or UserError."""
        toolchain = self.get(name)
        with self._locked(toolchain, tell):
            problem = self.problem(toolchain)
            if problem is None:
                return toolchain
            if "changed" in problem:
                tell(0, 0, f"toolchain {name} {problem}; rebuilding it")
            self.preflight([toolchain])
            for left in toolchain.path.parent.glob(f".making-{name}-{'[0-9a-f]' * 12}*"):
                discard(left)  # of an install that was killed; none goes on, we have the lock
            temporary = toolchain.path.with_name(f".making-{toolchain.path.name}-{unique()}")
            try:
                _install(toolchain, temporary, tell, run)
                discard(toolchain.path)
                temporary.rename(toolchain.path)
            finally:
                discard(temporary)
        return toolchain

    def preflight(self, wanted: list[Toolchain]) -> str | None:
        """What installing `wanted` will cost, in words; None when nothing is missing.

        Raises UserError where it cannot work: another platform, a disk too small.
        """
        missing = [t for t in wanted if self.problem(t) is not None]
        if not missing:
            return None
        require_platform()
        download = sum(t.sizes()[0] for t in missing)
        installed = sum(t.sizes()[1] for t in missing)
        place = self._project.toolchains
        try:
            place.mkdir(parents=True, exist_ok=True)
            writable = os.access(place, os.W_OK)
        except PermissionError:
            writable = False
        if not writable:
            raise self._not_ours(missing[0])
        free = shutil.disk_usage(place).free
        names = ", ".join(t.name for t in missing)
        text = (
            f"toolchains {names}: up to {gigabytes(download)} to download, "
            f"{gigabytes(installed)} on disk, {gigabytes(free)} free"
        )
        if free < installed:
            raise UserError(
                f"the disk is too small for {text} in {place}. Free some space, "
                "or choose another place with toolchain.dir=/a/larger/disk"
            )
        return text

    def _not_ours(self, toolchain: Toolchain) -> UserError:
        return UserError(
            f"toolchain {toolchain.name} {self.problem(toolchain) or 'is whole'}, and "
            f"{toolchain.path.parent} is not yours to install it in. Let its owner build first, or "
            "choose another place with toolchain.dir=/a/folder/of/yours"
        )

    @contextlib.contextmanager
    def _locked(self, toolchain: Toolchain, tell: Listener) -> Iterator[None]:
        path = toolchain.path.with_name(f".lock-{toolchain.name}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            stream = open(path, "w")  # noqa: SIM115
        except PermissionError:
            raise self._not_ours(toolchain) from None
        with stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                tell(0, 0, f"another build installs {toolchain.name}; waiting for it")
                fcntl.flock(stream, fcntl.LOCK_EX)
            yield


def require_platform() -> None:
    """Raises UserError where the tools have no wheels."""
    import platform  # slow to load, and seldom needed

    here = f"{platform.system()} {platform.machine()}"
    if here != "Linux x86_64" or sys.version_info[:2] != (3, 11):
        raise UserError(
            f"edgemake builds on Linux x86-64 with Python 3.11, this is {here} with Python "
            f"{platform.python_version()}: the vendors' tools have no wheels for it. "
            "Use a Linux machine, a virtual machine or a container; nothing was downloaded"
        )


def gigabytes(size: int) -> str:
    """A size for people."""
    return f"{size / 1e9:.1f} GB"


def _install(
    toolchain: Toolchain,
    place: Path,
    tell: Listener,
    run: Callable[[list[str], Callable[[str], None]], int],
) -> None:
    import uv

    binary = uv.find_uv_bin()
    base = getattr(sys, "_base_executable", sys.executable)
    last: list[str] = []
    counted = {"wanted": 0, "done": 0}

    def hear(line: str) -> None:
        last.append(line)
        counted["wanted"] += line.startswith("Downloading")
        counted["done"] += line.startswith(" Downloaded")
        then = "; compiling byte code" if line.startswith("Installed") else ""
        tell(counted["done"], counted["wanted"], f"{toolchain.name}: {line.strip()}{then}")

    def uv_run(*arguments: str) -> None:
        last.clear()
        if run([binary, *arguments, "--color", "never"], hear) != 0:
            raise StepFailed(_failure(toolchain, last))

    sync = ["pip", "sync", "--require-hashes", "--compile-bytecode", "--strict"]
    sync += ["--python", str(place / "bin/python"), str(toolchain.lock)]
    tell(0, 0, f"installing {toolchain.name}")
    uv_run("venv", "--relocatable", "--no-project", "--python", base, str(place))
    uv_run(*sync)
    tell(0, 0, f"{toolchain.name}: verifying every file")
    if spoilt := damaged_packages(place):
        # uv links files from its cache: one changed in place is changed there too.
        tell(0, 0, f"{toolchain.name}: {', '.join(spoilt)} damaged in uv's cache; fetching again")
        uv_run("cache", "clean", *spoilt)
        discard(place)
        uv_run("venv", "--relocatable", "--no-project", "--python", base, str(place))
        uv_run(*sync)
        if spoilt := damaged_packages(place):
            raise StepFailed(f"toolchain {toolchain.name}: {', '.join(spoilt)} arrive damaged")
    _mark(toolchain, place, _files(place))


def _failure(toolchain: Toolchain, lines: list[str]) -> str:
    told = [line.strip() for line in lines if line.strip()][-6:]
    words = " ".join(told).lower()
    offline = any(w in words for w in ("connect", "dns", "network", "timed out", "resolve host"))
    hint = " Is there a network? Nothing that was built is lost." if offline else ""
    return f"toolchain {toolchain.name} could not be installed.{hint}\n  " + "\n  ".join(told)


def _files(place: Path) -> dict[str, str]:
    """Every file of a toolchain and its stat signature; not the marks, not lib64 (a link)."""
    return {name: signature(stat) for name, stat in walk(place, (MARK, LISTING, "lib64"))}


def _changed(toolchain: Toolchain, now: dict[str, str]) -> list[str]:
    """Files that are not what they were when the toolchain was marked as whole.

    uv links files from its cache, and making or removing another link of a file changes its
    ctime: files that differ in nothing else are held against their packages' RECORD.
    """
    place = toolchain.path
    known: dict[str, str] = json.loads((place / LISTING).read_bytes())
    differ = [name for name in sorted({*known, *now}) if known.get(name) != now.get(name)]
    if any(_but_ctime(known.get(name)) != _but_ctime(now.get(name)) for name in differ):
        return [n for n in differ if _but_ctime(known.get(n)) != _but_ctime(now.get(n))]
    if len(differ) > TOLD_FILES:
        sys.stderr.write(f"toolchain {toolchain.name}: links of its files changed; verifying\n")
    intact = intact_files(place, {place / name for name in differ})
    return [name for name in differ if place / name not in intact]


def _but_ctime(stat: str | None) -> tuple[str, ...] | None:
    return None if stat is None else tuple(part for i, part in enumerate(stat.split(":")) if i != 2)


def _mark(toolchain: Toolchain, place: Path, files: dict[str, str]) -> None:
    """Note that the toolchain is whole as it is; the mark comes last."""
    write_atomically(place / LISTING, json.dumps(files).encode())
    mark = {"schema": 1, "name": toolchain.name, "files": _signature_of(files)}
    write_atomically(place / MARK, json.dumps(mark).encode())


def _signature_of(files: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()
