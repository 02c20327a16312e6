"""Builds points that somebody else has chosen, a sweeper of Hydra's, in this process."""

from __future__ import annotations

import contextlib
import gc
import sys
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from doit.doit_cmd import DoitMain

from edgemake import sweep_words
from edgemake.build import Build
from edgemake.delivery import Delivery
from edgemake.doit_plugin import Loader
from edgemake.endings import DELIVERED, NOT_PLANNED, REFUSED, Ending, endings
from edgemake.errors import UserError
from edgemake.plan import Plan, Refused
from edgemake.sweep import told_apart, varying

STOPPED = 128
"""Exit statuses from here on: a signal ended the build."""
Words = tuple[str, ...]


@dataclass(frozen=True)
class Ended:
    """How the build of one point ended."""

    problem: str = ""
    """Why nothing was delivered; empty where it was."""
    tried: bool = True
    """False: nothing of it was run."""
    refused: bool = False
    """Whether it was built, and the board or a gate says no."""
    place: str = ""
    """The folder of what was delivered, seen from the project's."""
    figures: dict[str, float | None] = field(default_factory=dict)
    """Those that were asked for; None: not known."""


class Points(Loader):
    """Tasks of the points given; nothing on the command line is looked at."""

    def __init__(
        self,
        points: Sequence[Sequence[str]],
        figures: Collection[str],
        *,
        apart: bool = False,
        concluded: bool = True,
    ) -> None:
        """A point that would not tell all of the `figures` is refused."""
        super().__init__()
        self.points, self.figures = list(dict.fromkeys(map(tuple, points))), figures
        self.apart, self.concluded = apart, concluded
        self.begun = False
        """Whether there are tasks: the plan is made, and nothing in it is wrong."""
        self.refused: Sequence[Refused] = ()

    def plan(self, *_: object) -> Build:
        """The build of all points that can be planned. Raises UserError where none can."""
        asked: Plan = self.namespace["plan_points"](self.points, keep=True)
        mute = {d.point: told for d in asked.deliveries if (told := _untold(d, self.figures))}
        refused = [*asked.refused, *(Refused(point, told) for point, told in mute.items())]
        sound = [d for d in asked.deliveries if d.point not in mute]
        plan = replace(asked, deliveries=sound, refused=refused)
        if not self.concluded:
            plan = replace(plan, conclusion=None)
        build = Build(self.project, plan)
        if self.apart:
            found, resolver = build.deliveries, build.resolver
            build.deliveries = told_apart(found, resolver, always=True)[0]
        self.refused = build.refused
        if not build.deliveries:
            raise UserError(sweep_words.refusal(build))
        if self.refused:
            sys.stderr.write(sweep_words.left_out(build))
        return build

    def load_tasks(self, cmd: object, pos_args: list[str]) -> list[object]:
        """As `Loader.load_tasks`."""
        found: list[object] = super().load_tasks(cmd, pos_args)
        self.begun = True
        return found


def built(
    root: Path,
    points: Sequence[Sequence[str]],
    figures: Collection[str],
    workers: int,
    *,
    apart: bool = False,
    concluded: bool = True,
) -> list[Ended]:
    """Builds all points as one graph, as far as that goes; how each of them ended.

    `apart`: each delivers into a folder that no point with other verdicts or another appendix
    takes. `concluded`: a sweep's result is drawn. Raises SystemExit where a signal ended the build.
    """
    loader = Points(points, figures, apart=apart, concluded=concluded)
    with contextlib.chdir(root), _collecting():
        status = DoitMain(loader).run(["run", "--continue", "--process", str(workers)])
        if status >= STOPPED:
            raise SystemExit(status)
        ends = dict(_ends(loader))
    lost = Ended("the build did not begin; why stands above", tried=False)
    words = dict(zip(loader.points, varying(loader.points), strict=True))
    return [ends.get(words[tuple(point)], lost) for point in points]


def demand_measured(root: Path, points: Sequence[Words], figures: Collection[str]) -> None:
    """Raises UserError where of the points that can be planned none measures all `figures`."""
    loader, faults = Points(points, figures), list[str]()
    with contextlib.chdir(root), _collecting():
        loader.setup({"dodoFile": "dodo.py", "cwdPath": None, "seek_file": False})
        for point in loader.points:
            plan: Plan = loader.namespace["plan_points"]([point], keep=False)
            for delivery in plan.deliveries:
                fault = _untold(delivery, figures)
                if not fault:
                    return
                faults.append(fault)
    if faults:
        raise UserError(faults[0])


def _untold(delivery: Delivery, figures: Collection[str]) -> str:
    """Why a delivery cannot be searched by."""
    known = delivery.measures().names if delivery.measures else ()
    if missing := [name for name in figures if name not in known]:
        told = ", ".join(known) or "none"
        return f"this point does not measure {' and '.join(missing)}; its figures are: {told}"
    return ""


@contextlib.contextmanager
def _collecting() -> Iterator[None]:
    """The loader ends the collection of garbage, for the short life of a command: not so here."""
    try:
        yield
    finally:
        gc.enable()


def _ends(loader: Points) -> Iterator[tuple[Words, Ended]]:
    """Of each point that is known, by what tells it from the others."""
    if not loader.begun:
        yield from ((one.point, Ended(one.message, tried=False)) for one in loader.refused)
        return
    found: dict[Words, Ended] = {}
    deliveries = {d.point: d for d in loader.build.deliveries}
    for ending in endings(loader.build):  # of several of one point, the first that went wrong
        if ending.point not in found or not found[ending.point].problem:
            delivery = deliveries.get(ending.point)
            found[ending.point] = _ended(loader, ending, delivery)
    yield from found.items()


def _ended(loader: Points, ending: Ending, delivery: Delivery | None) -> Ended:
    if ending.word != DELIVERED or ending.path is None:
        why = f"{ending.at}: {ending.message}" if ending.at else ending.message or ending.word
        planned = ending.word != NOT_PLANNED
        return Ended(
            ending.message if ending.word in (REFUSED, NOT_PLANNED) else why,
            tried=planned,
            refused=ending.word == REFUSED,
        )
    place = str(ending.path.relative_to(loader.project.root))
    read = delivery.measures().read if delivery and delivery.measures else None
    figures = {name: read(ending.path, name) if read else None for name in loader.figures}
    return Ended(place=place, figures=figures)
