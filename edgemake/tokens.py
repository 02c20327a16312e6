"""Machine-wide tokens: a step starts when the cores, the memory and the GPU that it needs are free.

Every step that runs or waits, of any build, project and user, has a claim: a file in a folder of
the machine, locked by the step's process, that says what it holds or waits for. The kernel drops
the lock when the process ends, in whatever way; a claim without a lock is void, and its file is
used again. Claims are read and written under one lock of the whole folder: a step gets all that
it needs at once or nothing, so no two can wait for one another.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict

from edgemake.errors import UserError
from edgemake.grants import Ask, Claim, grant, left_for, missing
from edgemake.resources import Machine, Needs, here

FOLDER = "EDGEMAKE_TOKENS"
"""Environment variable: the folder of the claims, or NONE."""
NONE = "none"
"""Claim nothing: something else gives out this machine's cores and GPUs."""
PLACES = ("/run/lock", "/tmp")
"""Where the folder lies unless it is set: all users of a machine must find the same."""
NAME = "edgemake-tokens"
_LONGEST = 4096
"""Bytes of a claim that are read."""
_SOON, _LATE = 0.02, 0.25
"""Seconds between two looks at the machine: at first, and after a while."""
_SILENT = 10.0
"""Seconds after which a step that waits and does not look is taken to be stopped: nothing is kept
for it."""
_TOLD_AFTER, _TOLD_AGAIN = 1.0, 20.0
"""Seconds of waiting before a person is told, and between two words."""

Teller = Callable[[str, bool], None]
"""Hears why a step waits, and whether for steps of another build."""


class Tokens:
    """What steps of this machine hold and wait for."""

    def __init__(self, machine: Machine, setting: str | None = None) -> None:
        """`setting`: the value of FOLDER."""
        self.machine, self._setting = machine, setting

    @contextlib.contextmanager
    def taken(
        self, who: str, build: str, needs: Needs, workers: int, tell: Teller
    ) -> Iterator[Claim]:
        """While open, the step holds what it needs; entering waits for that.

        `workers`: how many steps its build runs side by side. Raises UserError for a folder that
        cannot be used.
        """
        ask = Ask.of(who, build, time.monotonic_ns(), needs, workers, self.machine)
        if self._setting == NONE:
            yield ask.holding(ask.most, ask.gpus)
            return
        if needs.memory > self.machine.memory:
            tell(_too_large(needs, self.machine), True)
        with contextlib.closing(Board(folder(self._setting))) as board:
            yield self._wait(ask, needs.patience, board, tell)

    def _wait(self, ask: Ask, patience: float, board: Board, tell: Teller) -> Claim:
        began = time.monotonic()
        hurry, told, pause = began + patience, began + _TOLD_AFTER - _TOLD_AGAIN, _SOON
        while True:
            now = time.monotonic()
            least = ask.most if now < hurry else ask.least
            with board.alone():
                claims = board.others()
                granted = grant(ask, claims, self.machine, least)
                board.write(granted or ask.waiting(least))
            if granted is not None:
                return granted
            if left_for(ask, claims, self.machine).lacks_gpu(ask.gpus):
                hurry = now + patience  # without its GPU it takes no cores from anybody
            if now - told >= _TOLD_AGAIN:
                told = now
                words, those = missing(ask, claims, self.machine, least)
                tell(words, any(claim.build != ask.build for claim in those))
            time.sleep(pause)
            pause = min(_LATE, pause * 1.5)


class Board:
    """The folder of claims, as one step sees it. Raises UserError where it cannot be used."""

    def __init__(self, path: str) -> None:
        self._path, self._mine, self._name = path, -1, ""
        with self._in_words():
            _make(path)
            self._folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            self._gate = self._open("gate", create=True)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """While open, no other step reads or writes claims."""
        with self._in_words():
            fcntl.flock(self._gate, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._gate, fcntl.LOCK_UN)

    def others(self) -> list[Claim]:
        """All claims but this step's own, for which a file is found on the way."""
        found = []
        names = {name for name in os.listdir(self._folder) if name.startswith("claim-")}
        for name in sorted(names - {self._name}):
            try:
                descriptor = self._open(name)
            except FileNotFoundError:  # a cleaner took it away just now
                continue
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                claim = _parsed(os.pread(descriptor, _LONGEST, 0))
                silent = time.time() - os.fstat(descriptor).st_mtime > _SILENT
                if claim is not None and not (claim.waits and silent):
                    found.append(claim)
            else:
                if self._mine < 0:  # void: its process has ended
                    self._mine, self._name = descriptor, name
                    continue
            os.close(descriptor)
        if self._mine < 0:
            self._name = f"claim-{len(names):04d}"
            while self._name in names:  # a cleaner took one away
                self._name += "a"
            self._mine = self._open(self._name, create=True)
            fcntl.flock(self._mine, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return found

    def write(self, claim: Claim) -> None:
        """Say what this step holds or waits for."""
        text = json.dumps(asdict(claim)).encode()
        os.pwrite(self._mine, text.ljust(os.fstat(self._mine).st_size), 0)

    def close(self) -> None:
        """Give back whatever is held."""
        for descriptor in (self._mine, self._gate, self._folder):
            if descriptor >= 0:
                os.close(descriptor)

    def _open(self, name: str, *, create: bool = False) -> int:
        """A file of the folder. Whoever may write there could have put anything under that name,
        so it must be a plain file that lies nowhere else.

        An existing one is opened without O_CREAT, which the kernel refuses for files of others
        (fs.protected_regular).
        """
        flags = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK
        try:
            descriptor = os.open(name, flags, dir_fd=self._folder)
        except FileNotFoundError:
            if not create:
                raise
            with contextlib.suppress(FileExistsError), _for_all():
                os.close(os.open(name, flags | os.O_CREAT | os.O_EXCL, 0o666, dir_fd=self._folder))
            descriptor = os.open(name, flags, dir_fd=self._folder)
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
            os.close(descriptor)
            raise UserError(f"{self._path}/{name} is no plain file; delete it")
        return descriptor

    @contextlib.contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise UserError(
                f"{self._path}: {error.strerror}. Steps note there what they use of this machine; "
                f"set {FOLDER} to a folder in which all users may write, or to {NONE}"
            ) from None


def check() -> None:
    """Whether steps of this machine can take tokens. Raises UserError."""
    here()
    setting = os.environ.get(FOLDER)
    if setting != NONE:
        Board(folder(setting)).close()


def folder(setting: str | None) -> str:
    """The folder of the claims. Raises UserError for a relative one."""
    if setting is None:
        place = next((place for place in PLACES if _open_to_all(place)), PLACES[-1])
        return f"{place}/{NAME}"
    if not os.path.isabs(setting):
        raise UserError(f"{FOLDER}={setting}: give the folder's absolute path, or {NONE}")
    return os.path.realpath(setting)


def _open_to_all(place: str) -> bool:
    """Whether everybody may write there, and delete what is his own alone."""
    try:
        mode = os.stat(place).st_mode
    except OSError:
        return False
    return stat.S_ISDIR(mode) and mode & 0o1002 == 0o1002


def _make(path: str) -> None:
    with contextlib.suppress(FileExistsError), _for_all():
        os.mkdir(path, 0o1777)


@contextlib.contextmanager
def _for_all() -> Iterator[None]:
    """While open, what is made is for every user."""
    before = os.umask(0)
    try:
        yield
    finally:
        os.umask(before)


def _parsed(text: bytes) -> Claim | None:
    """A claim that somebody wrote; None for what is none."""
    try:
        said = json.loads(text)
        gpus = tuple(map(str, said["gpus"]))
        numbers = {name: int(said[name]) for name in ("since", "cores", "memory")}
        who = "".join(filter(str.isprintable, str(said["who"])))[:80]
        return Claim(who, str(said["build"]), waits=bool(said["waits"]), gpus=gpus, **numbers)
    except (ValueError, LookupError, TypeError):
        return None


def _too_large(needs: Needs, machine: Machine) -> str:
    return (
        f"needs {needs.memory / 2**30:.1f} GiB of memory, and the machine has "
        f"{machine.memory / 2**30:.1f}: it runs when no other step does"
    )
