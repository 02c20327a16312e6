"""Rules for int8 ONNX files: what a board's runtime demands, and what the quantizer must not do.

The quantizers end with exit status 0 whatever they have done to the network, so it is looked at
and run here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TypeAlias

from vision.contract import Line, line
from vision.onnx_agreement import Agreement
from vision.onnx_facts import Convolution, OnnxFacts, Tensor

SHOWN = 3
"""Names listed in one line."""
LEAST_OVERLAP = 0.8
"""Mean IoU with the float network's boxes. Good files reach 0.9 and more, untruncated ones 0."""
MOST_DIFFERENCE = 0.1
"""Mean difference of scores. Good files stay below 0.05."""


@dataclass(frozen=True)
class OnnxRules:
    """What the runtime and the program on the board demand; see `stages.schema`."""

    firmware: str
    max_opset: int
    max_ir: int
    max_classes: int
    score_threshold: float
    tool: str
    """The quantizer, for remedies: their keys differ."""


@dataclass(frozen=True)
class Described:
    """What head.json and export.json say that the network is."""

    imgsz: int
    outputs: tuple[tuple[str, tuple[int, ...]], ...]
    """Name and shape, in order."""
    classes: int
    names: int
    """How many class names there are."""


@dataclass(frozen=True)
class OnnxSubject:
    """A file, what it should be, and what it was seen to do."""

    file: OnnxFacts
    described: Described
    agreement: Agreement | None
    """None when the file cannot be run."""
    fault: str
    """Why not."""


OnnxRule: TypeAlias = Callable[[OnnxRules, OnnxSubject], Iterator[Line]]


def judge_onnx(rules: OnnxRules, subject: OnnxSubject) -> list[Line]:
    """Every rule's lines, in a fixed order."""
    every: tuple[OnnxRule, ...] = (
        versions,
        tensors,
        class_count,
        convolutions,
        kernel_shapes,
        scores,
        closeness,
    )
    return [found for rule in every for found in rule(rules, subject)]


def _contract(rules: OnnxRules, key: str) -> str:
    return f"target.contract.{key}; {rules.firmware}"


def versions(rules: OnnxRules, subject: OnnxSubject) -> Iterator[Line]:
    """A runtime refuses files of newer versions than its own, and operators it never heard of."""
    file = subject.file
    key = "quant.opset" if rules.tool == "xslim" else "export.opset"
    yield line(
        "opset",
        file.opset <= rules.max_opset,
        file.opset,
        f"at most {rules.max_opset}",
        f"set {key}={min(rules.max_opset, 17)}",
        key=_contract(rules, "max_opset"),
    )
    yield line(
        "IR version",
        file.ir_version <= rules.max_ir,
        file.ir_version,
        f"at most {rules.max_ir}",
        "give a model.onnx of an older IR version",
        key=_contract(rules, "max_ir"),
    )
    yield line(
        "operators",
        not file.domains,
        ", ".join(file.domains) or "ONNX's own",
        "ONNX's own",
        "keep quant.truncate=true: the tool then leaves the decoding as it is",
        key=f"the runtime's operators; {rules.firmware}",
    )


def tensors(rules: OnnxRules, subject: OnnxSubject) -> Iterator[Line]:
    """One float image in, and what the form says out; every size fixed."""
    side = subject.described.imgsz
    yield line(
        "input",
        [(t.dtype, t.shape) for t in subject.file.inputs] == [("float32", (1, 3, side, side))],
        _written(subject.file.inputs),
        f"float32 [1, 3, {side}, {side}]",
        "give a network with one square RGB input and no dynamic sizes",
        key=f"model.imgsz; {rules.firmware}",
    )
    yield line(
        "outputs",
        tuple((t.name, t.shape) for t in subject.file.outputs) == subject.described.outputs
        and all(t.dtype == "float32" for t in subject.file.outputs),
        _written(subject.file.outputs),
        ", ".join(f"float32 {list(shape)}" for _, shape in subject.described.outputs),
        "the quantizer changed the outputs; report this",
        key=f"target.outputs; {rules.firmware}",
    )


def _written(found: Sequence[Tensor]) -> str:
    """A size that is not fixed shows as ?."""
    return ", ".join(
        f"{t.dtype} [{', '.join('?' if n is None else str(n) for n in t.shape)}]" for t in found
    )


def class_count(rules: OnnxRules, subject: OnnxSubject) -> Iterator[Line]:
    """As many names as classes, and no more than the program tells apart."""
    found = subject.described
    yield line(
        "classes",
        found.classes == found.names and found.classes <= rules.max_classes,
        f"{found.classes}, with {found.names} names",
        f"at most {rules.max_classes}, a name each",
        "give weights or an ONNX file whose metadata name every class",
        key=f"target.outputs, max_classes; {rules.firmware}",
    )


def convolutions(rules: OnnxRules, subject: OnnxSubject) -> Iterator[Line]:
    """All of them int8 as the board's kernels take it, but for the one that takes an expectation.

    Without the right cuts some or all stay float in silence, and the board is slow.
    """
    counted = [c for c in subject.file.convolutions if not c.expectation]
    wrong = [c for c in counted if not _as_kernels_take_it(c)]
    yield line(
        "int8 convolutions",
        bool(counted) and not wrong,
        f"{len(counted) - len(wrong)} of {len(counted)}" + _named(wrong),
        "all: activations one scale a tensor, weights one a channel and symmetric",
        "the tool left some of the network in float: keep quant.truncate=true and "
        "quant.precision_level=0",
        key=f"quant; {rules.firmware}",
    )


def _as_kernels_take_it(found: Convolution) -> bool:
    activation, weights = found.activation, found.weights
    if activation is None or weights is None or not found.int8:
        return False
    return activation.scales == 1 and weights.scales == found.channels and weights.symmetric


def _named(found: Sequence[Convolution]) -> str:
    if not found:
        return ""
    more = ", …" if len(found) > SHOWN else ""
    return f" (not {', '.join(c.name for c in found[:SHOWN])}{more})"


def kernel_shapes(rules: OnnxRules, subject: OnnxSubject) -> Iterator[Line]:
    """ONNX lets a Conv leave its kernel_shape to the weights; the board's provider does not."""
    wrong = [c for c in subject.file.convolutions if not c.kernel_shape]
    yield line(
        "kernel_shape",
        not wrong,
        "written out" if not wrong else f"missing in {len(wrong)}{_named(wrong)}",
        "written out in every Conv",
        "set export.simplify=true",
        key=f"the provider's Conv; {rules.firmware}",
    )


def scores(rules: OnnxRules, subject: OnnxSubject) -> Iterator[Line]:
    """Quantized with the wrong images or in the wrong place, a network finds nothing, ever."""
    seen, threshold = subject.agreement, rules.score_threshold
    demanded = f"above the threshold {threshold:g} on a calibration image"
    key = f"target.outputs, score; {rules.firmware}"
    if seen is None:
        remedy = "the file cannot be run on a PC; report this"
        yield line("scores", False, subject.fault, demanded, remedy, key=key)
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


def closeness(rules: OnnxRules, subject: OnnxSubject) -> Iterator[Line]:
    """Where one network sees something, the other must see nearly the same."""
    seen = subject.agreement
    if seen is None or seen.overlap is None or seen.score_difference is None:
        return  # neither sees anything; `scores` has said so
    yield line(
        "closeness",
        seen.overlap >= LEAST_OVERLAP and seen.score_difference <= MOST_DIFFERENCE,
        f"boxes overlap by {seen.overlap:.3f}, scores differ by {seen.score_difference:.3f} "
        f"(means of {seen.cells} cells)",
        f"at least {LEAST_OVERLAP:g}, at most {MOST_DIFFERENCE:g}",
        "calibrate with more images like the camera's (quant.calibration), or take "
        "quant=xslim_accurate",
        key=f"the float network; {rules.firmware}",
        otherwise="warn",
    )
