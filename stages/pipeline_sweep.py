"""What is made of a sweep when all of it has run: a step that puts its points together."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgemake.digest import digest_of
from edgemake.endings import Ending
from edgemake.errors import UserError
from edgemake.plan import Errand
from edgemake.store import write_atomically
from stages import sweep, sweep_table
from stages.report import REPORT
from vision.sweep_axes import axes, short_names

if TYPE_CHECKING:
    from stages.schema import Config

FOLDER = "sweeps"
"""Below artifacts/: a folder for each sweep."""
TOLD = 30
"""Deliverables whose places are printed."""
LONGEST = 60
"""Characters of a folder's name before the key."""


@dataclass(frozen=True)
class Conclusion:
    """Draws the results of a sweep."""

    config: Config
    """Of any of its points: says which toolchain draws."""
    artifacts: Path

    def check(self, points: Sequence[Sequence[str]], order: str) -> None:
        """Raises UserError where --sort names no column."""
        sweep_table.check(order, points)

    def errand(self, endings: Sequence[Ending], order: str) -> Errand:
        """The step that draws, and what is printed and handed out then."""
        points = [told(ending, self.artifacts) for ending in endings]
        step = sweep.plan(self.config, points, [ending.outputs for ending in endings])
        ran = [ending.ran for ending in endings]
        place = self.artifacts / FOLDER / folder_name(endings)
        return Errand(step, partial(hand_out, place, ran, order))


def told(ending: Ending, artifacts: Path) -> dict[str, Any]:
    """What the page says of a point beside its figures."""
    path = ending.path
    return {
        "point": list(ending.point),
        "outcome": ending.word,
        "at": ending.at,
        "message": ending.message,
        "folder": path.relative_to(artifacts).as_posix() if path is not None else "",
        "report": path is not None and (path / REPORT).is_file(),
        "seconds": ending.seconds,
    }


def folder_name(endings: Sequence[Ending]) -> str:
    """Made of the keys that vary, and of a short key of all that was asked for."""
    keys = [axis.key for axis in axes([ending.point for ending in endings])]
    words = "-".join(short_names(keys).values()) or "one-point"
    plain = re.sub(r"[^\w.+-]+", "_", words)[:LONGEST].strip("._-") or "sweep"
    return f"{plain}-{digest_of([[list(one.point), one.key] for one in endings])[:8]}"


def hand_out(place: Path, ran: Sequence[float], order: str, artifact: Path) -> Iterator[str]:
    """Copies the files to where people look; the table, line by line, and where they are."""
    found: Mapping[str, Any] = json.loads((artifact / sweep.JSON).read_text(encoding="utf-8"))
    yield ""
    yield from sweep_table.lines(found, ran, order)
    try:
        for name in (sweep.JSON, sweep.CSV, sweep.HTML):
            write_atomically(place / name, (artifact / name).read_bytes())
    except OSError as fault:
        raise UserError(f"{fault.filename}: {fault.strerror}; make it writable") from None
    yield from places(found)
    shown = f"{place.parent.parent.name}/{FOLDER}/{place.name}"
    yield f"\nwrote {shown}/{sweep.HTML}, {sweep.CSV} and {sweep.JSON}"


def places(found: Mapping[str, Any]) -> Iterator[str]:
    """Where the deliverables lie; of a large sweep the files tell it."""
    points = [point for point in found["points"] if point["folder"]]
    if 0 < len(points) <= TOLD:
        yield ""
        for point in points:
            yield f"{point['point']:>3}  artifacts/{point['folder']}/"
