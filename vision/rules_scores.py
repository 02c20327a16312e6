"""Rule on the scores: what the quantization can express against the firmware's threshold."""

from __future__ import annotations

from collections.abc import Iterator

from vision.contract import Facts, Line, Rules, line, unproven
from vision.quantization import largest_sigmoid
from vision.tensor_roles import CLASS, roles, side
from vision.tflite_file import Tensor

UNDECIDED = 0.5
"""The sigmoid of 0: the most that a tensor without any positive logit can express."""
RAW = ("six_raw", "seven_raw")
"""Forms whose class outputs are logits; elsewhere the logits lie inside the network."""


def score_range(rules: Rules, facts: Facts) -> Iterator[Line]:
    """Scores are sigmoids of int8 logits: a tensor cannot express more than its largest one.

    A single stride below the threshold may be right, for want of objects of that size; all of
    them make a model that never reports anything.
    """
    remedy = (
        "calibrate with more images that show the objects clearly (quant.calibration), or train "
        "longer; at run time a lower threshold may help"
    )
    demanded = f"above the threshold {rules.score_threshold:g}"
    highest = 0.0
    for name, tensor in _logits(rules, facts):
        if len(tensor.scales) != 1:
            continue
        largest = largest_sigmoid(tensor.scales[0], tensor.zero_points[0])
        highest = max(highest, largest)
        yield line(
            f"scores of {name}",
            largest >= rules.score_threshold,
            f"at most {largest:.3f}",
            demanded,
            f"objects of the size of this stride will never be reported: {remedy}",
            key="outputs, score",
            otherwise="warn",
        )
    if not highest:
        yield from _untold(rules, facts, demanded)
        return
    yield line(
        "confident scores",
        highest > max(UNDECIDED, rules.score_threshold),
        f"at most {highest:.3f}",
        f"{demanded} and above {UNDECIDED}",
        f"no calibration image showed the network an object it is sure of: {remedy}",
        key="outputs, score",
        otherwise="warn" if highest >= rules.score_threshold else "fail",
    )


def _untold(rules: Rules, facts: Facts, demanded: str) -> Iterator[Line]:
    """Of raw outputs other rules say why no scores could be told."""
    if rules.form in RAW:
        return
    found, why = "no sigmoid in the network", "who made it knows how its scores come about"
    if facts.logits is None:
        found, why = "hidden in what the NPU runs", "give the int8 file before it was compiled"
    yield unproven("confident scores", found, demanded, why, key="outputs, score")


def _logits(rules: Rules, facts: Facts) -> Iterator[tuple[str, Tensor]]:
    """(which stride, class logits), as outputs or from inside the network."""
    if rules.form in RAW:
        for tensor, role in zip(facts.model.outputs, roles(rules, facts.model), strict=True):
            if role.kind == CLASS:
                yield (f"stride {role.stride}" if role.stride else tensor.name), tensor
        return
    for tensor in facts.logits or ():
        width = tensor.shape[1] if len(tensor.shape) == 4 else 0
        yield (f"stride {side(facts.model) // width}" if width else tensor.name), tensor
