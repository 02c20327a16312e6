"""Rules for int8 ONNX files on what they compute, run here, beside the float network if possible.

What runs well on a PC may still run otherwise on the board: that stands here, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import isfinite

from vision.contract import Line, line, unproven
from vision.onnx_contract import OnnxRules, OnnxSubject
from vision.rules_unproven import board_lines

LEAST_OVERLAP = 0.8
"""Mean IoU with the float network's boxes. Good files reach 0.9 and more, untruncated ones 0."""
MOST_DIFFERENCE = 0.1
"""Mean difference of scores. Good files stay below 0.05."""


def runs(rules: OnnxRules, subject: OnnxSubject) -> Iterator[Line]:
    """What onnxruntime refuses on a PC, the board's provider refuses, too."""
    if not subject.described.imgsz:
        return  # nothing to run it on; the rule on the input says so
    yield line(
        "runs",
        not subject.fault,
        subject.fault or "in onnxruntime on this PC",
        "without a fault",
        "export and quantize it again; if this build made it, report that",
        key=f"the runtime; {rules.firmware}",
    )


def scores(rules: OnnxRules, subject: OnnxSubject) -> Iterator[Line]:
    """Quantized with the wrong images or in the wrong place, a network finds nothing, ever."""
    seen, threshold = subject.agreement, rules.score_threshold
    demanded = f"above the threshold {threshold:g} on a calibration image"
    key = f"target.outputs, score; {rules.firmware}"
    if seen is None:
        yield from _scores_of_anything(subject, demanded, key)
        return
    dead = not isfinite(seen.largest_score) or seen.largest_score == 0
    alike = seen.float_largest_score < threshold
    remedy = (
        "the float network finds nothing on them either: train longer, or calibrate with images "
        "that show the objects (quant.calibration)"
        if alike and not dead
        else "quantizing has silenced the network: keep quant.truncate=true, calibrate with images "
        "like the camera's (quant.calibration), or take quant=xslim_accurate"
    )
    yield line(
        "scores",
        not dead and seen.largest_score >= threshold,
        f"at most {seen.largest_score:.3f} on {seen.images} images"
        f" (float {seen.float_largest_score:.3f})",
        demanded,
        remedy,
        key=key,
        otherwise="fail" if dead else "warn",
    )


def _scores_of_anything(subject: OnnxSubject, demanded: str, key: str) -> Iterator[Line]:
    """What pictures made by arithmetic tell: they hold no objects."""
    best = subject.largest_score
    if subject.fault or subject.described.classes is None or best is None:
        return  # other rules have said why
    found = f"at most {best:.3g} on pictures made by arithmetic"
    if not isfinite(best):
        remedy = "the network computes what is no number: quantize it again"
        yield line("scores", False, found, demanded, remedy, key=key)
        return
    why = "no pictures of its objects are at hand; infer.py with one of them shows whether it sees"
    yield unproven("scores", found, demanded, why, key=key)


def closeness(rules: OnnxRules, subject: OnnxSubject) -> Iterator[Line]:
    """Where one network sees something, the other must see nearly the same."""
    seen = subject.agreement
    key = f"the float network; {rules.firmware}"
    demanded = f"overlaps of at least {LEAST_OVERLAP:g}, differences of at most {MOST_DIFFERENCE:g}"
    if seen is None and not subject.fault and subject.described.classes is not None:
        why = "only who has the float network and pictures can compare: build the file from them"
        yield unproven("closeness", "no float network", demanded, why, key=key)
    if seen is None or seen.overlap is None or seen.score_difference is None:
        return  # neither sees anything; `scores` has said so
    yield line(
        "closeness",
        seen.overlap >= LEAST_OVERLAP and seen.score_difference <= MOST_DIFFERENCE,
        f"boxes overlap by {seen.overlap:.3f}, scores differ by {seen.score_difference:.3f} "
        f"(means of {seen.cells} cells)",
        demanded,
        "calibrate with more images like the camera's (quant.calibration), or take "
        "quant=xslim_accurate",
        key=key,
        otherwise="warn",
    )


def on_the_board(rules: OnnxRules, subject: OnnxSubject) -> Iterator[Line]:
    """What only the board can show."""
    for found in board_lines(rules.unproven, {}):
        yield replace(found, source=f"target.{found.source}; {rules.firmware}")
