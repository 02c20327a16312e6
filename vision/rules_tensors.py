"""Rules on any model's inputs, outputs and classes: what the firmware takes for granted."""

from __future__ import annotations

import math
from collections.abc import Iterator

from vision.contract import Facts, Line, Rules, line


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
    yield _shape(rules, entry.shape)
    if not entry.scales and entry.dtype != "int8":
        return  # a float input; its type was the fault
    remedy = (
        "the firmware writes pixels without scaling, so calibration must show the network the "
        "whole range 0..1, one pixel of 0 and one of 255; if this build made the file, report it"
    )
    scale = entry.scales[0] if len(entry.scales) == 1 else math.nan
    yield line(
        "input scale",
        abs(scale - rules.input_scale) <= rules.input_scale_tolerance,
        ", ".join(f"{scale:.6f}" for scale in entry.scales[:3]) or "none",
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


def _shape(rules: Rules, shape: tuple[int, ...]) -> Line:
    side = shape[1] if len(shape) == 4 else 0
    right = shape == (1, side, side, 3) and side >= rules.min_imgsz
    demanded = f"[1, S, S, 3], S a multiple of {rules.imgsz_multiple} from {rules.min_imgsz}"
    if rules.arena_by_size:
        right = right and str(side) in rules.arena_by_size
        demanded += f", one of {', '.join(rules.arena_by_size)}"
    return line(
        "input shape",
        right and side % rules.imgsz_multiple == 0,
        list(shape),
        demanded,
        "set model.imgsz accordingly",
        key="contract.imgsz_multiple",
    )


def output_rules(rules: Rules, facts: Facts) -> Iterator[Line]:
    """Element type and granularity, which the firmware takes for granted and never checks."""
    outputs = facts.model.outputs
    types = sorted({tensor.dtype for tensor in outputs})
    remedy = "quantize the outputs to int8 as well"
    yield line("output types", types == ["int8"], ", ".join(types), "int8", remedy, key="contract")
    ranks = sorted({len(tensor.shape) for tensor in outputs})
    remedy = "the head must reshape its outputs to three axes"
    yield line("output ranks", ranks == [3], ranks, [3], remedy, key="contract")
    scales = sorted({len(tensor.scales) for tensor in outputs})
    if scales == [0] and "int8" not in types:
        return  # float outputs; their type was the fault
    remedy = "quantize activations per tensor"
    yield line("output scales per tensor", scales == [1], scales, [1], remedy, key="contract")


def class_count(rules: Rules, facts: Facts) -> Iterator[Line]:
    """Class counts that make the firmware's shape tests take the model for another."""
    count = facts.classes
    forbidden = rules.forbidden_class_counts.get(str(count))
    many = count > rules.max_classes
    barred = "".join(f", not {number}" for number in rules.forbidden_class_counts)
    remedy = f"{forbidden or 'it has none'}; add or remove a class in the data set"
    if many:
        remedy = "the firmware reads such outputs as another kind of model; merge classes"
    yield line(
        "class count",
        count > 0 and not (many or forbidden),
        count,
        f"1 to {rules.max_classes}{barred}",
        remedy,
        key="outputs, max_classes and class counts",
    )
