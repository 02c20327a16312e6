"""Rule on the scores: what the outputs' quantization can express against the threshold."""

from __future__ import annotations

from collections.abc import Iterator

from vision.contract import Facts, Line, Rules, line
from vision.quantization import INT8_MAX, largest_sigmoid
from vision.tensor_roles import CLASS, DETECTIONS, roles

UNDECIDED = 0.5
"""The sigmoid of 0: the most that a tensor without any positive logit can express."""


def score_range(rules: Rules, facts: Facts) -> Iterator[Line]:
    """An int8 tensor cannot express more than its largest integer.

    Raw scores are sigmoids of logits, decoded ones stand in the tensor. A single stride below the
    threshold may be right, for want of objects of that size; all of them make a model that never
    reports anything.
    """
    remedy = (
        "calibrate with more images that show the objects clearly (quant.calibration), or train "
        "longer; at run time a lower threshold may help"
    )
    demanded = f"above the threshold {rules.score_threshold:g}"
    highest = least = 0.0
    for tensor, role in zip(facts.model.outputs, roles(rules, facts.model), strict=True):
        if role.kind not in (CLASS, DETECTIONS) or len(tensor.scales) != 1:
            continue
        scale, zero_point = tensor.scales[0], tensor.zero_points[0]
        if role.kind == DETECTIONS:
            highest = max(highest, (INT8_MAX - zero_point) * scale)
            continue
        least = UNDECIDED
        largest = largest_sigmoid(scale, zero_point)
        highest = max(highest, largest)
        yield line(
            f"scores of {f'stride {role.stride}' if role.stride else tensor.name}",
            largest >= rules.score_threshold,
            f"at most {largest:.3f}",
            demanded,
            f"objects of the size of this stride will never be reported: {remedy}",
            key="outputs, score",
            otherwise="warn",
        )
    if not highest:
        return  # no score could be told; the rules above say so
    yield line(
        "confident scores",
        highest > max(least, rules.score_threshold),
        f"at most {highest:.3f}",
        f"{demanded} and above {least}" if least else demanded,
        f"no calibration image showed the network an object it is sure of: {remedy}",
        key="outputs, score",
        otherwise="warn" if highest >= rules.score_threshold else "fail",
    )
