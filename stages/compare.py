"""Puts the figures of several deliverables side by side, for `doit compare`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgemake.errors import UserError
from edgemake.step import Input, Step, UserFile
from edgemake.work import Work

if TYPE_CHECKING:
    from stages.schema import Config

TEMPLATES = Path(__file__).with_name("templates")
TEMPLATE, STYLE = TEMPLATES / "compare.html.j2", TEMPLATES / "report" / "style.css"
MODEL, METRICS, PROVENANCE = "model.json", "metrics.json", "provenance.json"


@dataclass(frozen=True)
class Params:
    """What the files do not say."""

    names: list[str]
    """folder/name of each deliverable."""
    measured: list[bool]
    """Whether there is a metrics.json of each."""
    differences: list[dict[str, Any]]
    """`key` of the config, and its `values` in each, where they differ."""


@dataclass(frozen=True)
class Side:
    """One of those that are compared."""

    name: str
    model: Input
    """model.json."""
    metrics: Input | None
    """metrics.json."""
    config: Mapping[str, Any] | None
    """As provenance.json has it; None where nothing tells."""


def of_folder(name: str, folder: Path) -> Side:
    """A deliverable as it lies there. Raises UserError for a folder that cannot be compared."""
    from vision import compare_entries

    model = _read(folder, MODEL)
    if model is None:
        raise UserError(
            f"{folder} is no deliverable: it has no {MODEL}; give a folder that `doit` delivered"
        )
    metrics, provenance = _read(folder, METRICS), _read(folder, PROVENANCE)
    for file, told in ((MODEL, None), (METRICS, metrics)):
        try:
            compare_entries.check({"model": model, "metrics": told})
        except (KeyError, TypeError, ValueError, AttributeError) as fault:
            raise UserError(
                f"{folder / file} is not what `doit` wrote ({type(fault).__name__}: {fault}); "
                "build it again"
            ) from None
    config = (provenance or {}).get("config")
    return Side(
        name=name,
        model=UserFile(folder / MODEL),
        metrics=None if metrics is None else UserFile(folder / METRICS),
        config=config if isinstance(config, Mapping) else None,
    )


def _read(folder: Path, name: str) -> Any:
    """A JSON object; None where there is no such file. Raises UserError."""
    path = folder / name
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as fault:
        raise UserError(f"{path} cannot be read: {fault.strerror}") from None
    except ValueError as fault:
        raise UserError(f"{path} is damaged, it is no JSON: {fault}; build it again") from None
    if not isinstance(found, dict):
        raise UserError(f"{path} is damaged: it holds no JSON object; build it again")
    return found


def plan(config: Config, sides: Sequence[Side]) -> Step:
    """`config`: says only which toolchain draws."""
    from vision.compare_configs import differences
    from vision.compare_entries import LETTERS

    inputs: dict[str, Input] = {path.name: UserFile(path) for path in (TEMPLATE, STYLE)}
    for letter, side in zip(LETTERS, sides, strict=False):
        inputs[f"{letter}.{MODEL}"] = side.model
        if side.metrics is not None:
            inputs[f"{letter}.{METRICS}"] = side.metrics
    return Step(
        stage="compare",
        params=Params(
            names=[side.name for side in sides],
            measured=[side.metrics is not None for side in sides],
            differences=[
                {"key": key, "values": values}
                for key, values in differences([side.config for side in sides])
            ],
        ),
        inputs=inputs,
        outputs=("compare.json", "compare.html"),
        toolchain=config.lock("evaluation"),
        label=f"{len(sides)} models",
    )


def run(params: Params, work: Work) -> None:
    """Writes compare.json and compare.html."""
    from vision.compare_entries import LETTERS, compared

    entries = [
        {
            "model": _load(work, f"{letter}.{MODEL}"),
            "metrics": _load(work, f"{letter}.{METRICS}") if measured else None,
        }
        for letter, measured in zip(LETTERS, params.measured, strict=False)
    ]
    found = compared(params.names, entries)
    found["differences"] = params.differences
    text = json.dumps(found, indent=1, ensure_ascii=False) + "\n"
    (work.out / "compare.json").write_text(text, encoding="utf-8")
    (work.out / "compare.html").write_text(_page(found, work), encoding="utf-8")


def _load(work: Work, name: str) -> Any:
    return json.loads(work.inputs[name].read_text(encoding="utf-8"))


def _page(found: Mapping[str, Any], work: Work) -> str:
    """The page; it asks for nothing from elsewhere."""
    from jinja2 import Environment, StrictUndefined

    from vision.charts_compare import trade
    from vision.compare_groups import describe

    charts = []
    for i, chart in enumerate(found["charts"]):
        work.progress(i, len(found["charts"]), f"drawing {chart['label']}")
        drawn = len(chart["points"]) > 1
        charts.append({**chart, "svg": trade(chart) if drawn else None})
    pages = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    source, style = (work.inputs[path.name].read_text("utf-8") for path in (TEMPLATE, STYLE))
    groups = [describe(group) for group in found["data"]]
    return str(pages.from_string(source).render(found, charts=charts, groups=groups, style=style))
