"""The toy project with a result of its sweeps."""

from __future__ import annotations

from lab import Lab

GATHER = '''"""Toy stage: what became of every point."""

import json

from edgemake.work import Work


def run(params, work: Work) -> None:
    files = {name: path.read_text() for name, path in work.inputs.items()}
    (work.out / "endings.json").write_text(json.dumps([params["endings"], files]))
'''
CONCLUSION = '''

class Gather:
    """Toy conclusion: puts all that it is told into a file, and prints it."""

    def check(self, points, order):
        if order not in ("", "count"):
            raise UserError(f"--sort {order}: no such column among {len(points)} points")

    def errand(self, endings, order):
        told = [[list(e.point), e.word, e.at, e.message, e.path and e.path.name, e.seconds > 0]
                for e in endings]
        inputs = {f"{i}.model": e.outputs["model.txt"]
                  for i, e in enumerate(endings) if "model.txt" in e.outputs}
        step = Step("gather", {"endings": told}, inputs, ("endings.json",))
        ran = [round(e.ran, 3) for e in endings]
        return Errand(step, lambda folder: [(folder / "endings.json").read_text(), f"ran {ran}"])
'''


def with_result(lab: Lab) -> None:
    """At the end of a sweep the stage `gather` is told of every point."""
    lab.write("stages/gather.py", GATHER)
    lab.edit(
        "dodo.py", "from edgemake.step", "from edgemake.errors import UserError\nfrom edgemake.step"
    )
    lab.edit("dodo.py", "\ndef _errand(", f"{CONCLUSION}\n\ndef _errand(")
    lab.edit("dodo.py", "from collections", "from dataclasses import replace\nfrom collections")
    planned = "plan_each(PROJECT, points, Toy, _plan_one, keep=keep)"
    lab.edit("dodo.py", planned, f"replace({planned}, conclusion=Gather())")
