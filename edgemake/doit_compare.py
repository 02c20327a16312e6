"""`doit compare`: puts the figures of several deliverables, or of several targets, side by side.

The program (`dodo.py`) has a function `compare(entries, overrides, keep)` for it, whose plan says
which step draws the comparison (`Plan.errand`), and what becomes of its artifact.
"""

from __future__ import annotations

import sys
from typing import Any

from edgemake.build import Build
from edgemake.config import is_override
from edgemake.doit_errand import RunErrand
from edgemake.outstream import Patient
from edgemake.step import Step, in_order

DESCRIPTION = (
    "A and B are folders of deliverables: a path, target/name below artifacts/, the beginning of "
    "such a name, or the key at its end. Or the models are those that a list of targets and any "
    "overrides stand for: what is missing is built first, accuracy too, and nothing is "
    "delivered.\n\n"
    "Prints the figures side by side, the best of each row marked, and writes compare.html, with "
    "charts of accuracy against latency, memory and size, into FOLDER or else the current one.\n\n"
    "doit compare grove_v2/yolov8n-192-digits-int8_per_tensor-a5b852f6 d0f21a95\n"
    "doit compare target=grove_v2,xiao_esp32s3,spacemit_k1 quant.calibration.count=64\n"
)


class Compare(RunErrand):
    """`doit compare A B …`: what several models cost and give."""

    name = "compare"
    doc_purpose = "put the figures of several deliverables or targets side by side"
    doc_usage = "A B [...] [out=FOLDER] | target=a,b[,...] [out=FOLDER] [key=value ...]"
    doc_description = DESCRIPTION

    def execute(self, params: Any, args: list[str]) -> int:
        """As `Run.execute`; the exit status is the same."""
        self.loader.question = ("compare", [word for word in args if not is_override(word)])
        return super().execute(params, [])

    def begin(self, build: Build) -> None:
        """Which steps come first."""
        assert build.errand is not None
        Patient(sys.stdout).write(_to_run(build, build.errand.step))


def _to_run(build: Build, errand: Step) -> str:
    """Which steps must run before there is anything to compare; '' when all is there."""
    missing = [
        step
        for step in {build.resolver.key(step): step for step in in_order([errand])}.values()
        if step is not errand and (build.forced(step) or not build.resolver.look(step).artifact)
    ]
    if not missing:
        return ""
    names = [f"{step.stage} ({step.label})" for step in missing]
    return f"to be built first, {len(names)} steps: {', '.join(names)}\n"
