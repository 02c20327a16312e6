"""Puts the points of a sweep together: every figure, a CSV file, a page with the Pareto fronts."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgemake.step import Input, Step, UserFile
from edgemake.work import Work

if TYPE_CHECKING:
    from stages.schema import Config

TEMPLATES = Path(__file__).with_name("templates")
PAGE = (
    TEMPLATES / "sweep.html.j2",
    TEMPLATES / "report" / "style.css",
    TEMPLATES / "report" / "sort.js",
)
MODEL, METRICS = "model.json", "metrics.json"
JSON, CSV, HTML = "sweep.json", "sweep.csv", "sweep.html"


@dataclass(frozen=True)
class Params:
    """What no file says."""

    points: list[dict[str, Any]]
    """Of each: `point` (the overrides that tell it from the others), `outcome`, `at`, `message`,
    `folder` (of the deliverable, below artifacts/), `report` (whether one lies there) and
    `seconds` (what its steps took when they were built)."""


def plan(
    config: Config, points: Sequence[Mapping[str, Any]], files: Sequence[Mapping[str, Input]]
) -> Step:
    """`files`: model.json and metrics.json of each point, as far as they are there; `config` says
    only which toolchain draws."""
    inputs: dict[str, Input] = {path.name: UserFile(path) for path in PAGE}
    for place, mine in enumerate(files):
        inputs |= {_name(place, name): mine[name] for name in (MODEL, METRICS) if name in mine}
    return Step(
        stage="sweep",
        params=Params([dict(point) for point in points]),
        inputs=inputs,
        outputs=(JSON, CSV, HTML),
        toolchain=config.lock("evaluation"),
        label=f"{len(points)} points",
    )


def _name(place: int, file: str) -> str:
    return f"{place:05d}.{file}"


def run(params: Params, work: Work) -> None:
    """Writes sweep.json, sweep.csv and sweep.html."""
    os.environ["MPLCONFIGDIR"] = str(work.scratch)  # matplotlib keeps a list of fonts
    from vision.sweep_figures import swept, table_csv

    entries = {
        place: {"model": _load(work, place, MODEL), "metrics": _load(work, place, METRICS)}
        for place in range(len(params.points))
        if _name(place, MODEL) in work.inputs
    }
    work.progress(0, 1, f"figures of {len(entries)} models")
    found = swept(params.points, entries)
    text = json.dumps(found, indent=1, ensure_ascii=False) + "\n"
    (work.out / JSON).write_text(text, encoding="utf-8")
    (work.out / CSV).write_text(table_csv(found), encoding="utf-8")
    (work.out / HTML).write_text(_page(found, work), encoding="utf-8")


def _load(work: Work, place: int, file: str) -> Any:
    path = work.inputs.get(_name(place, file))
    return None if path is None else json.loads(path.read_text(encoding="utf-8"))


def _page(found: Mapping[str, Any], work: Work) -> str:
    """The page; it asks for nothing from elsewhere."""
    from jinja2 import Environment, StrictUndefined

    from vision.sweep_drawn import drawn
    from vision.sweep_page import context

    charts = drawn(found, lambda words: work.progress(0, 1, words))
    pages = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    source, style, script = (work.inputs[path.name].read_text("utf-8") for path in PAGE)
    template = pages.from_string(source)
    return str(template.render(found, **context(found), drawn=charts, style=style, script=script))
