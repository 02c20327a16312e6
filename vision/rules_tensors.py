"""Rules on a model's inputs and outputs: what the firmware takes for granted or decodes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from vision.contract import Facts, Line, Rules, line
from vision.quantization import largest_sigmoid
from vision.tflite_file import Tensor

UNDECIDED = 0.5
"""The sigmoid of 0: the most that a tensor without any positive logit can express."""


def input_rules(rules: Rules, facts: Facts) -> Iterator[Line]:
    """The firmware writes int8 pixels into one NHWC tensor and never reads its quantization."""
    many = facts.model.inputs
    remedy = "export a network that takes one image"
    yield line("input count", len(many) == 1, len(many), 1, remedy, key="contract")
    if len(many) != 1:
        return
    entry = many[0]
    remedy = "quantize the input to int8 as well"
    yield line("input type", entry.dtype == "int8", entry.dtype, "int8", remedy, key="contract")
    side = entry.shape[1] if len(entry.shape) == 4 else 0
    right = entry.shape == (1, side, side, 3) and side >= rules.min_imgsz
    yield line(
        "input shape",
        right and side % rules.imgsz_multiple == 0,
        list(entry.shape),
        f"[1, S, S, 3], S a multiple of {rules.imgsz_multiple} and at least {rules.min_imgsz}",
        "set model.imgsz accordingly",
        key="contract.imgsz_multiple",
    )
    remedy = (
        "the firmware writes pixels without scaling, so calibration must show the network the "
        "whole range 0..1; report this as a fault of the quantize stage"
    )
    scale = entry.scales[0] if len(entry.scales) == 1 else math.nan
    yield line(
        "input scale",
        abs(scale - rules.input_scale) <= rules.input_scale_tolerance,
        f"{scale:.6f}",
        f"{rules.input_scale:.6f} ± {rules.input_scale_tolerance:g}",
        remedy,
        key="contract.input_scale",
    )
    zero = list(entry.zero_points)
    yield line(
        "input zero point",
        zero == [rules.input_zero_point],
        ", ".join(map(str, zero)) or "none",
        rules.input_zero_point,
        remedy,
        key="contract.input_zero_point",
    )


def output_rules(rules: Rules, facts: Facts) -> Iterator[Line]:
    """Element type and granularity, which the firmware takes for granted and never checks."""
    outputs = facts.model.outputs
    types = sorted({tensor.dtype for tensor in outputs})
    remedy = "quantize the outputs to int8 as well"
    yield line("output types", types == ["int8"], ", ".join(types), "int8", remedy, key="contract")
    ranks = sorted({len(tensor.shape) for tensor in outputs})
    remedy = "the head must reshape its outputs to [1, cells, channels]"
    yield line("output ranks", ranks == [3], ranks, [3], remedy, key="contract")
    scales = sorted({len(tensor.scales) for tensor in outputs})
    remedy = "quantize activations per tensor"
    yield line("output scales per tensor", scales == [1], scales, [1], remedy, key="contract")


def raw_outputs(rules: Rules, facts: Facts) -> Iterator[Line]:
    """A box and a class tensor for each stride, told apart by their channels, in any order."""
    shapes = [tensor.shape for tensor in facts.model.outputs]
    count = 2 * len(rules.strides)
    remedy = "cut the head with target.head=raw"
    yield line("output count", len(shapes) == count, len(shapes), count, remedy, key="head")
    side = _side(facts)
    cells = [(side // stride) ** 2 for stride in rules.strides]
    boxes = sorted(shape for shape in shapes if shape[-1:] == (rules.box_channels,))
    wanted = sorted((1, n, rules.box_channels) for n in cells)
    remedy = (
        f"exactly one tensor a stride may have {rules.box_channels} channels: cut the head there, "
        "or change the number of classes"
    )
    yield line(
        "box tensors",
        boxes == wanted,
        _list(boxes),
        _list(wanted),
        remedy,
        key="contract.box_channels",
    )
    classes = sorted(shape for shape in shapes if shape not in boxes)
    wanted = sorted((1, n, len(facts.classes)) for n in cells)
    remedy = "the data set's names and the trained network must have the same number of classes"
    yield line(
        "class tensors",
        classes == wanted,
        _list(classes),
        _list(wanted),
        remedy,
        key="contract.strides",
    )


def _side(facts: Facts) -> int:
    shape = facts.model.inputs[0].shape if facts.model.inputs else ()
    return shape[1] if len(shape) == 4 else 0


def _list(shapes: Sequence[tuple[int, ...]]) -> str:
    return " ".join(str(list(shape)) for shape in shapes) or "none"


def class_count(rules: Rules, facts: Facts) -> Iterator[Line]:
    """Class counts that make the firmware's shape tests take the model for another."""
    count = str(len(facts.classes))
    forbidden = rules.forbidden_class_counts.get(count)
    unwise = rules.unwise_class_counts.get(count)
    reason = forbidden or unwise
    barred = ", ".join(rules.forbidden_class_counts) or "none"
    yield line(
        "class count",
        reason is None,
        count,
        f"not {barred}",
        f"{reason}; add or remove a class in the data set",
        key="contract.forbidden_class_counts" if forbidden else "contract.unwise_class_counts",
        otherwise="fail" if forbidden else "warn",
    )


def score_range(rules: Rules, facts: Facts) -> Iterator[Line]:
    """Scores are sigmoids of int8 logits: a tensor cannot express more than its largest one.

    A single stride below the threshold may be right, for want of objects of that size; all of
    them make a model that never reports anything.
    """
    remedy = (
        "calibrate with more images that show the objects clearly (quant.calibration), or train "
        "longer; at run time AT+TSCORE lowers the threshold"
    )
    demanded = f"above the threshold {rules.score_threshold:g}"
    highest = 0.0
    for tensor in facts.model.outputs:
        if tensor.shape[-1:] == (rules.box_channels,) or len(tensor.scales) != 1:
            continue
        largest = largest_sigmoid(tensor.scales[0], tensor.zero_points[0])
        highest = max(highest, largest)
        yield line(
            f"scores of {_stride(tensor, facts)}",
            largest >= rules.score_threshold,
            f"at most {largest:.3f}",
            demanded,
            f"objects of the size of this stride will never be reported: {remedy}",
            key="thresholds.score",
            otherwise="warn",
        )
    if not highest:
        return  # no class tensor could be told; the rules above say so
    yield line(
        "confident scores",
        highest > max(UNDECIDED, rules.score_threshold),
        f"at most {highest:.3f}",
        f"{demanded} and above {UNDECIDED}",
        f"no calibration image showed the network an object it is sure of: {remedy}",
        key="thresholds.score",
        otherwise="warn" if highest >= rules.score_threshold else "fail",
    )


def _stride(tensor: Tensor, facts: Facts) -> str:
    cells = tensor.shape[1] if len(tensor.shape) == 3 else 0
    return f"stride {round(_side(facts) / cells**0.5)}" if cells else tensor.name
