"""Writes report.html: all that is known of a deliverable, on one page that needs nothing else."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgemake.step import Input, Output, Step, UserFile, in_order
from edgemake.work import Work

if TYPE_CHECKING:
    from stages.schema import Config

REPORT = "report.html"
TEMPLATES = Path(__file__).with_name("templates") / "report"
"""Templates, style and script of the page; they count by their content."""
PARTS = (
    "export.json", "head.json", "data", "manifest.json", "results.csv", "train.json",
    "calibration.npy", "cost.json", "quantize.json", "model_int8.tflite",
    "metrics.json", "curves.json", "diagnosis.json", "gate.json",
    "reference.npz", "reference.json", "final.npz", "final.json",
)  # fmt: skip
"""Inputs that a report can be made of. Each may be missing: its section says so."""


@dataclass(frozen=True)
class Params:
    """What no file says."""

    images: int
    """Validation images drawn, at most."""
    steps: list[dict[str, Any]]
    """`stage`, `label` and `parents` (places in this list) of each step; the report is the last."""


def plan(
    config: Config,
    name: str,
    *,
    package: Step,
    parts: Mapping[str, Input],
    steps: Sequence[Step] = (),
) -> Step:
    """`name`: the deliverable's; `parts`: those of `PARTS` that exist; `steps`: what the graph
    shows beside the steps behind `parts`."""
    assert set(parts) <= set(PARTS), f"no parts of a report: {set(parts) - set(PARTS)}"
    inputs: dict[str, Input] = {
        "templates": UserFile(TEMPLATES),
        "model.json": package["model.json"],
        "calibration.json": package["calibration.json"],
        **parts,
    }
    return Step(
        stage="report",
        params=Params(config.report.images, _graph(name, inputs, steps)),
        inputs=inputs,
        outputs=(REPORT,),
        toolchain=config.lock("evaluation"),
        label=name,
    )


def _graph(name: str, inputs: Mapping[str, Input], more: Sequence[Step]) -> list[dict[str, Any]]:
    """The steps behind the report, parents first, and the report."""
    mine: list[Step] = []
    for edge in inputs.values():
        if isinstance(edge, Output) and not any(edge.step is step for step in mine):
            mine.append(edge.step)
    graph: list[dict[str, Any]] = []
    place: dict[int, int] = {}
    seen: dict[str, int] = {}
    for step in in_order([*more, *mine]):
        parents = sorted(place[id(parent)] for parent in step.parents())
        # A step that was planned twice is the same work, and one node.
        same = json.dumps([step.stage, step.plain_params(), parents, sorted(step.inputs)])
        if same not in seen:
            seen[same] = len(graph)
            graph.append({"stage": step.stage, "label": step.label, "parents": parents})
        place[id(step)] = seen[same]
    parents = sorted({place[id(step)] for step in mine})
    return [*graph, {"stage": "report", "label": name, "parents": parents}]


def run(params: Params, work: Work) -> None:
    """Writes report.html. Markers in it are filled in at delivery: `stages/report_facts.py`."""
    os.environ["MPLCONFIGDIR"] = str(work.scratch)  # matplotlib keeps a list of fonts
    from vision.charts_steps import StepNode
    from vision.report_page import page
    from vision.report_parts import Parts

    steps = [StepNode(s["stage"], s["label"], tuple(s["parents"])) for s in params.steps]
    work.progress(0, 1, "drawing charts")
    html = page(Parts(work.inputs), work.inputs["templates"], steps, params.images)
    (work.out / REPORT).write_text(html, encoding="utf-8")
    print(f"{REPORT}: {len(html.encode()) / 1024:,.0f} KiB")
