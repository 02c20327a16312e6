"""`python dodo.py`: the project as an application of Hydra's, for its sweepers and launchers.

Every job builds a whole point. Our launcher (`hydra_plugins/edgemake_launcher.py`, the default)
builds the points of one `launch` as one graph; others run each job in a process of its own, all on
one store, whose locks let none of them do the work of another.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig

from edgemake import objective
from edgemake.config import is_override
from edgemake.doit_points import Ended, built
from edgemake.errors import StepFailed, UserError
from edgemake.hydra_errors import in_our_words
from edgemake.hydra_settings import Asked, settings
from edgemake.objective import Objective
from edgemake.processes import GRACE_SECONDS
from edgemake.project import Project

_ELSEWHERE = ("--config-", "-cp", "-cn", "-cd", "--experimental")
"""Flags of Hydra's that lead to another config than the one a build reads."""
_PARENT_SECONDS = 0.5
"""How often a job looks whether the application still runs."""
_HYDRAS = ("--hydra-help", "--version", "--shell-completion", "-sc")
"""Flags that Hydra answers without a config."""
_HELP = """\
python dodo.py [--multirun] [key=value ...] [objective=NAME:max] [--yes]

The project as an application of Hydra's, for its sweepers and launchers (docs/sweeps.md, "Hydra's
own way"). It builds what doit builds, and knows the same keys: doit config.

  python dodo.py target=NAME                          one build
  python dodo.py --multirun target=NAME,OTHER         a sweep
  python dodo.py --multirun target=NAME hydra/sweeper=optuna objective=NAME:max KEY=choice(a,b)

-m, --multirun   all values of a sweep, or a search
-y, --yes        build a sweep of very many points
-c, --cfg job    print the config that the other words make, and build nothing
--hydra-help     Hydra's own flags, and its plugins
"""
_MULTIRUN = re.compile("-m|--m[a-z]*")
_YES = ("-y", "--yes")
Point = tuple[str, ...]


@dataclass(frozen=True)
class Application:
    """What Hydra runs for each job. Plain values: it travels to other processes."""

    root: Path
    goal: Objective | None
    process: int
    """That in which Hydra runs; jobs may be in its children."""
    searches: bool = False
    """Whether points are chosen by what the last ones came to: a launch is then a part of it."""
    ended: list[Point] = field(default_factory=list)
    """Of a search the points that were built here, be they refused."""

    def __call__(self, config: object) -> object:
        """One job: builds its point. Raises StepFailed or UserError without an objective."""
        with _ending_with(self.process):
            [value] = self.together([list(HydraConfig.get().overrides.task)], 1)
        if isinstance(value, Exception):
            raise value
        return value

    def together(self, points: Sequence[Sequence[str]], workers: int) -> list[object]:
        """Builds points as one graph; what each job returns, or the error that it ends with.

        With an objective its figures, as sweepers take them; else the folder of what was delivered.
        A model that is refused is worth the worst figures; a point that fails has none.
        """
        names = self.goal.names if self.goal else ()
        with _hydra_aside():
            part = self.searches
            ends = built(self.root, points, names, workers, apart=part, concluded=not part)
        fault = StepFailed if any(end.tried for end in ends) else UserError  # was anything run?
        values = [
            self._value(" ".join(point), end, fault)
            for point, end in zip(points, ends, strict=True)
        ]
        if self.searches:
            pairs = zip(points, values, strict=True)
            self.ended.extend(tuple(p) for p, value in pairs if not isinstance(value, Exception))
        return values

    def conclude(self) -> None:
        """The result of a search, drawn once at its end as a sweep's: all is there by then."""
        points = list(dict.fromkeys(self.ended))
        if len(points) > 1:
            built(self.root, points, (), 1, apart=True)

    def _value(self, point: str, ended: Ended, fault: type[Exception]) -> object:
        """What one point returns, told to the user as well where it is a figure."""
        if self.goal is None:
            return fault(ended.problem) if ended.problem else ended.place
        value, told = self.goal.values(ended.figures), f"in {ended.place}"
        if ended.refused:
            value, told = self.goal.worst, f"as bad as can be, for it is refused: {ended.problem}"
        if value is None:
            return fault(ended.problem or f"{ended.place} does not say {self.goal}")
        print(f"{self.goal} of {point}: {value}, {told}", flush=True)
        return value


@contextlib.contextmanager
def _ending_with(parent: int) -> Iterator[None]:
    """While open, this process ends when its parent does, if that is `parent`: as a build of its
    own it would be stopped with the terminal, but a pool's workers outlive who is killed."""
    over = threading.Event()

    def watch() -> None:
        while os.getppid() == parent:
            if over.wait(_PARENT_SECONDS):
                return
        os.kill(os.getpid(), signal.SIGTERM)  # ends the steps
        time.sleep(2 * GRACE_SECONDS)
        os._exit(128 + signal.SIGTERM)

    if os.getppid() == parent:
        threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        over.set()


@contextlib.contextmanager
def _hydra_aside() -> Iterator[None]:
    """Hydra is one in a process; while open another may compose configs."""
    state = GlobalHydra.instance()
    running = state.hydra
    state.clear()
    try:
        yield
    finally:
        state.clear()
        if running is not None:
            state.initialize(running)


def main(project: Project, figures: Collection[str]) -> int:
    """Run the application with the words of the command line; the exit status.

    `figures`: every name that `objective=` may aim at.
    """
    if {"-h", "--help"}.intersection(sys.argv):
        sys.stdout.write(_HELP)
        return 0
    aims = [word for word in sys.argv[1:] if word.startswith(objective.WORD)]
    words = [word for word in sys.argv[1:] if is_override(word) and word not in aims]
    flags = [word for word in sys.argv[1:] if not is_override(word)]
    os.chdir(project.root)  # where doit finds the project, and Optuna its studies
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # errors come to us, not as tracebacks
    try:
        if other := [flag for flag in flags if flag.startswith(_ELSEWHERE)]:
            raise UserError(f"{other[0]}: the config is conf/config.yaml; leave this out")
        goal = objective.parsed(aims[-1], figures) if aims else None
        _start(project, words, flags, goal)
    except (UserError, StepFailed) as error:
        sys.stderr.write(f"ERROR: {error}\n")
        return 3 if isinstance(error, UserError) else 1
    except KeyboardInterrupt:
        sys.stderr.write(
            "stopped; every finished step is kept. The same command goes on from here\n"
        )
        return 128 + signal.SIGINT
    return 0


def _start(
    project: Project, words: Sequence[str], flags: Sequence[str], goal: Objective | None
) -> None:
    """Hand over to Hydra, and end what it began. Raises UserError and StepFailed."""
    conf = project.root / "conf"
    start = hydra.main(version_base="1.3", config_path=str(conf), config_name="config")
    if any(flag.startswith(_HYDRAS) for flag in flags):
        start(Application(project.root, goal, os.getpid()))()
        return
    project.prepare()
    with in_our_words(conf, words):
        many = any(_MULTIRUN.fullmatch(flag) for flag in flags)
        found = settings(project, Asked(words, goal, many, any(flag in _YES for flag in flags)))
        sys.argv[1:] = [*found.words, *(flag for flag in flags if flag not in _YES)]
        application = Application(project.root, goal, os.getpid(), found.searches)
        start(application)()
        application.conclude()
        if found.study:
            found.study.demand_fruit()
