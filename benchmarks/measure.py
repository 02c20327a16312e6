"""Timing commands in turns, so that a noisy minute hits every contender alike."""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

Environment = Mapping[str, str]


class BenchmarkError(Exception):
    """A benchmark could not be taken; the message says why."""


@dataclass(frozen=True)
class Contender:
    """A command line that is timed."""

    name: str
    command: Sequence[str]
    folder: Path
    environment: Environment = field(default_factory=dict)


@dataclass(frozen=True)
class Series:
    """What was measured of one contender, in seconds, in the order of the rounds."""

    name: str
    seconds: list[float]

    @property
    def median(self) -> float:
        """Of all rounds."""
        return statistics.median(self.seconds)

    @property
    def least(self) -> float:
        """The quickest round."""
        return min(self.seconds)


@dataclass(frozen=True)
class Figure:
    """A number that has a limit: no more than `limit`, in `unit`."""

    name: str
    found: float
    limit: float
    unit: str = ""

    @property
    def passed(self) -> bool:
        """Whether the limit is met."""
        return self.found <= self.limit

    def words(self) -> tuple[str, str, str]:
        """(found, limit, 'met' or 'MISSED')."""
        verdict = "met" if self.passed else "MISSED"
        if self.unit:
            return f"{self.found:.3g} {self.unit}", f"{self.limit:.3g} {self.unit}", verdict
        return f"1/{1 / self.found:.1f}", f"1/{1 / self.limit:.0f}", verdict


@dataclass(frozen=True)
class Result:
    """What one part of the benchmarks found. The first series is edgemake's."""

    title: str
    text: str
    series: list[Series]
    figures: list[Figure]
    unit: str = "s"
    """'s' or 'ms': how the series are shown."""


def ratio(ours: Series, theirs: Series) -> float:
    """The median of the rounds' ratios: both of a round ran in the same minute."""
    pairs = zip(ours.seconds, theirs.seconds, strict=True)
    return statistics.median(mine / other for mine, other in pairs)


def in_turns(contenders: Sequence[Contender], rounds: int) -> list[Series]:
    """Time every contender once a round."""
    taken: list[list[float]] = [[] for _ in contenders]
    for number in range(rounds):
        for contender, seconds in zip(contenders, taken, strict=True):
            say(f"{contender.name}, run {number + 1} of {rounds}")
            seconds.append(timed(contender))
    return [Series(c.name, seconds) for c, seconds in zip(contenders, taken, strict=True)]


def timed(contender: Contender) -> float:
    """Seconds of one run. Raises BenchmarkError with the output when it fails."""
    began = time.perf_counter()
    run(contender)
    return time.perf_counter() - began


def run(contender: Contender) -> str:
    """Run the command to its end and return what it printed. Raises BenchmarkError."""
    done = subprocess.run(
        contender.command,
        cwd=contender.folder,
        env={**_ordinary(), **contender.environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    text = done.stdout.decode(errors="replace")
    if done.returncode != 0:
        command = " ".join(contender.command)
        raise BenchmarkError(f"{command}\nended with {done.returncode}:\n{text[-3000:]}")
    return text


def _ordinary() -> dict[str, str]:
    """The environment without Python's own switches, some of which (PYTHONDONTWRITEBYTECODE in
    many containers) make every start of every contender slower."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


@contextlib.contextmanager
def nothing_executed(logs: Sequence[Path]) -> Iterator[None]:
    """Raises BenchmarkError when one of the files changed: something was executed meanwhile."""
    before = [_bytes(log) for log in logs]
    yield
    for log, content in zip(logs, before, strict=True):
        if _bytes(log) != content:
            raise BenchmarkError(f"something was executed with nothing to do: see {log}")


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


def say(text: str) -> None:
    """Tell the person who waits."""
    sys.stderr.write(f"   {text}\n")
    sys.stderr.flush()
