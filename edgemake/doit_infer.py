"""`doit infer`: builds what is missing of one step's inputs, runs it, and hands out its results.

The program (`dodo.py`) says in its plan which step that is (`Plan.errand`), and what becomes of
its artifact.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from doit.exceptions import InvalidCommand

from edgemake.build import Build
from edgemake.doit_errand import RunErrand
from edgemake.outstream import Patient

NEEDS = "doit infer needs image=…: a picture, a folder of pictures, or a video"

DESCRIPTION = (
    "Builds what is missing first, as `doit run` does, but compiles, checks and delivers nothing. "
    "Then runs the target's int8 file on this PC, with the board's preprocessing, decoding and "
    "thresholds, and prints what it finds on each picture: class, score, box (x1 y1 x2 y2 in the "
    "picture's pixels), and the keypoints of a pose.\n\n"
    "Writes result.json and result.jpg (result.mp4 of a video) into FOLDER or else the current "
    "one; for several pictures result/NAME.jpg. Results of earlier calls are replaced.\n\n"
    "doit infer target=grove_v2 image=desk.jpg\n"
    "doit infer target=grove_v2 image=photos/ out=found\n"
    "doit infer target=spacemit_k1 image=clip.mp4 target.outputs.detect.decoded.score=0.5\n"
)


class Infer(RunErrand):
    """`doit infer image=…`: what the model finds on pictures."""

    name = "infer"
    doc_purpose = "run the target's model file on pictures and show what it finds"
    doc_usage = "image=PICTURE|FOLDER|VIDEO [image=… …] [out=FOLDER] [key=value ...]"
    doc_description = DESCRIPTION
    needs = NEEDS

    def execute(self, params: Any, args: list[str]) -> int:
        """As `Run.execute`; the exit status is the same."""
        if args:
            raise InvalidCommand(f"doit infer takes no {args[0]!r}; say image={args[0]}")
        return super().execute(params, args)

    def tell(self, build: Build, artifact: Path) -> int:
        """What was found, and what the board says of the model, as far as that is known."""
        status = super().tell(build, artifact)
        out = Patient(sys.stdout)
        for delivery in build.deliveries:
            for line in build.deliverer.refusals(delivery):
                out.write(f"!! the board would refuse this model: {line}\n")
            verdicts = [build.resolver.look(output.step) for output in delivery.verdicts]
            if any(verdict.artifact is None for verdict in verdicts):
                out.write("not yet held against the board's contract: `doit` does that\n")
        return status
