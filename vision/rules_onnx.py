"""Rules for int8 ONNX files: what a board's runtime demands, and what the quantizer must not do.

The quantizers end with exit status 0 whatever they have done to the network, so it is looked at
here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vision.contract import Line, line
from vision.onnx_contract import OnnxRules, OnnxSubject
from vision.onnx_facts import Convolution, Tensor

SHOWN = 3
"""Names listed in one line."""
COARSEST = 1 / 64
"""Widest step of a score; a sigmoid's own 8 bits are 1/256."""


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
    side, least, step = subject.described.imgsz, rules.min_imgsz, rules.imgsz_multiple
    right = [(t.dtype, t.shape) for t in subject.file.inputs] == [("float32", (1, 3, side, side))]
    yield line(
        "input",
        right and side >= least and side % step == 0,
        _written(subject.file.inputs),
        f"float32 [1, 3, {side or 'S'}, {side or 'S'}], the side a multiple of {step} from {least}",
        "give a network with one square RGB input and no dynamic sizes",
        key=_contract(rules, "imgsz_multiple"),
    )
    if subject.described.classes is None:
        return
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
    classes, names = subject.described.classes, subject.ends.names
    if classes is None:
        return
    none = names is None and classes <= rules.max_classes
    yield line(
        "classes",
        classes == names and classes <= rules.max_classes,
        f"{classes}, with {'no' if names is None else names} names in the file",
        f"at most {rules.max_classes}, a name each",
        "give infer.py the names with --classes"
        if none
        else "give weights or an ONNX file whose metadata name every class",
        key=f"target.outputs, max_classes; {rules.firmware}",
        otherwise="warn" if none else "fail",
    )


def score_steps(rules: OnnxRules, subject: OnnxSubject) -> Iterator[Line]:
    """Boxes in pixels and scores 0..1 in one 8-bit tensor leave the scores one value: 0."""
    outputs = subject.file.outputs
    steps = [s for s, t in zip(subject.ends.steps, outputs, strict=True) if len(t.shape) == 3]
    if subject.described.classes is None or not steps:
        return  # in forms of several outputs each has its own
    widest = max((step for step in steps if step is not None), default=None)
    yield line(
        "score steps",
        widest is None or widest <= COARSEST,
        "float" if widest is None else f"{widest:.3g}, shared with the boxes",
        f"float, or steps of at most {COARSEST:g} in 0..1",
        "cut the network before its decoding: keep quant.truncate=true",
        key=f"target.outputs; {rules.firmware}",
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
        "quant.precision_level=0"
        if any(c.int8 for c in counted)
        else "this network is float; quantize it: doit train=none dataset=none model.onnx=FILE "
        "quant.calibration.source=FOLDER",
        key=f"quant; {rules.firmware}",
    )


def share(rules: OnnxRules, subject: OnnxSubject) -> Iterator[Line]:
    """How much of the work that is int8: one convolution in float may be half of it."""
    counted = [c for c in subject.file.convolutions if not c.expectation and c.macs]
    work, int8 = sum(c.macs for c in counted), sum(c.macs for c in counted if c.int8)
    if work:
        yield line(
            "int8 share",
            int8 == work,
            f"{100 * int8 / work:.4g} % of {work / 1e6:,.0f} M multiplications",
            "100 %, but for the expectation of the boxes",
            "float convolutions are many times slower on the board; see int8 convolutions",
            key=f"quant; {rules.firmware}",
            otherwise="warn",
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
