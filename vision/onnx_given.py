"""Whether a user's ONNX file can stand where this build's own export stands; if not, why."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any

from vision.network_identity import BUILT, WORDS, Mismatch
from vision.onnx_wire import Description, Value

AGAIN = "export it again with ultralytics"
QUANTIZED = ("QuantizeLinear", "DequantizeLinear", "QLinear", "Integer", "QAttention", "QGemm")
"""Parts of the names of operators that work on integers (ONNX's and onnxruntime's)."""
INTEGERS = ("int8", "uint8", "int4", "uint4", "float8")
"""Types of quantized weights; int32 and int64 also serve for shapes."""
HALVES = ("float16", "bfloat16")
CHOOSING = ("NonMaxSuppression", "TopK")
"""Operators that pick boxes: with them the output holds chosen boxes, not every cell's."""
EXAMPLES = {"detect": "yolov8n", "pose": "yolov8n_pose"}
"""Task -> an option of the group `model`."""
OLDEST_OPSET = 11
"""Of ultralytics' exports with this build (`export.opset`)."""


@dataclass(frozen=True)
class Given:
    """What the file's metadata says of its network."""

    names: list[str]
    stride: int
    """Largest, pixels."""
    task: str
    kpt_shape: list[int] | None
    """Keypoints and values of each; None but for pose."""

    @property
    def channels(self) -> int:
        """Rows of the decoded output."""
        keypoints = self.kpt_shape[0] * self.kpt_shape[1] if self.kpt_shape else 0
        return 4 + len(self.names) + keypoints


def refusal(found: Description, task: str, imgsz: int) -> Mismatch | None:
    """Why a file cannot be used for `task` at `imgsz` pixels."""
    return (
        _contents(found)
        or _input(found, imgsz)
        or _metadata(found, task)
        or _outputs(found.outputs, given(found), found.operators)
    )


# --- the graph ----------------------------------------------------------------------------


def _contents(found: Description) -> Mismatch | None:
    integers = sorted(op for op in found.operators if any(part in op for part in QUANTIZED))
    integers += [f"weights of {kind}" for kind in INTEGERS if kind in found.weights]
    if integers:
        return Mismatch(
            f"it is already quantized ({integers[0]})", "give the float file that it was made from"
        )
    if found.external:
        return Mismatch(
            f"its weights lie in another file ({sorted(found.external)[0]})",
            "save it as one: onnx.save(onnx.load('my.onnx'), 'one.onnx')",
        )
    for kind in HALVES:
        if kind in found.weights:
            return Mismatch(f"its weights are {kind}", f"{AGAIN}, in float32 (no half=True)")
    foreign = sorted(op for op in found.operators if "." in op)
    if foreign:
        return Mismatch(f"it uses {foreign[0]}, no operator of ONNX's own", AGAIN)
    if found.opset < OLDEST_OPSET:
        return Mismatch(f"its opset is {found.opset}", f"{AGAIN}: opset=13")
    return None


def _input(found: Description, imgsz: int) -> Mismatch | None:
    if len(found.inputs) != 1:
        return Mismatch(f"it has {len(found.inputs)} inputs, not one image", AGAIN)
    [image] = found.inputs
    if len(image.shape) != 4:
        return Mismatch(f"its input is {image}, no image", AGAIN)
    sizes = [size for size in image.shape if isinstance(size, int)]
    if len(sizes) != 4:
        return Mismatch(f"the sizes of its input are open: {image}", f"{AGAIN}: dynamic=False")
    batch, channels, height, width = sizes
    faults = (
        (image.dtype != "float32", f"its input is of {image.dtype}, not float32", AGAIN),
        (batch != 1, f"it takes {batch} images at once: {image}", f"{AGAIN}: batch=1"),
        (width == 3, f"its input has the channels last: {image}, not [1,3,S,S]", AGAIN),
        (channels != 3, f"its input has other channels than RGB: {image}, not [1,3,S,S]", AGAIN),
        (height != width, f"its input is not square: {image}", f"{AGAIN}: imgsz={imgsz}"),
        (
            height != imgsz,
            f"it takes images of {width}x{height}, but model.imgsz={imgsz}",
            f"say model.imgsz={height}, or {AGAIN}: imgsz={imgsz}",
        ),
    )
    return next((Mismatch(reason, remedy) for wrong, reason, remedy in faults if wrong), None)


# --- metadata -----------------------------------------------------------------------------


def _metadata(found: Description, task: str) -> Mismatch | None:
    said = found.metadata
    if "names" not in said:
        what = "no class names in its metadata" if said else "no metadata"
        return Mismatch(
            f"it has {what}: it does not come from ultralytics, or another tool dropped them",
            "give the file that ultralytics exported",
        )
    for key in ("names", "stride", "kpt_shape"):
        if key in said and _value(said[key]) is None:
            return Mismatch(f"its metadata {key}={said[key][:60]!r} cannot be read", AGAIN)
    if not names_of(found):
        return Mismatch(f"its metadata names={said['names'][:60]!r} are no class names", AGAIN)
    kind = said.get("task", task)
    if kind not in BUILT:
        word = WORDS.get(kind, f"a network for {kind}")
        return Mismatch(
            f"it holds {word}", "boards decode detection and pose networks only; give one of those"
        )
    if kind != task:
        return Mismatch(
            f"it holds {WORDS[kind]}, but model.task={task}",
            f"choose a model of that kind, for instance model={EXAMPLES[kind]}",
        )
    return None


def names_of(found: Description) -> list[str]:
    """Class names of the metadata, in order; empty where there are none."""
    names = _value(found.metadata.get("names", ""))
    if isinstance(names, dict):
        names = [names[key] for key in sorted(names)]
    return [str(name) for name in names] if isinstance(names, list) else []


def given(found: Description) -> Given:
    """The metadata of a file that was not refused for it."""
    said = found.metadata
    shape = _value(said.get("kpt_shape", ""))
    return Given(
        names=names_of(found),
        stride=int(_value(said.get("stride", "")) or 32),
        task=said.get("task", ""),
        kpt_shape=[int(size) for size in shape] if isinstance(shape, (list, tuple)) else None,
    )


def _value(text: str) -> Any:
    """What ultralytics wrote as Python's own literal; None if it is none."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


# --- output -------------------------------------------------------------------------------


def _outputs(outputs: list[Value], said: Given, operators: set[str]) -> Mismatch | None:
    shapes = ", ".join(map(str, outputs))
    choosing = sorted(operators.intersection(CHOOSING))
    if choosing or (len(outputs) == 1 and outputs[0].shape[2:] in ((6,), (6 + said.channels,))):
        reason = f"it picks its boxes itself ({choosing[0] if choosing else shapes}: NMS, end2end)"
        return Mismatch(reason, f"{AGAIN}: nms=None, and no end-to-end head")
    if len(outputs) != 1:
        return Mismatch(
            f"it has {len(outputs)} outputs ({shapes}), not one with the decoded boxes",
            "give the file as ultralytics exports it; the build cuts it where the board wants it",
        )
    return other_shape(outputs[0], said)


def other_shape(output: Value, said: Given) -> Mismatch | None:
    """Whether the decoded output has other rows than the metadata's classes and keypoints make."""
    if len(output.shape) == 3 and output.shape[1] == said.channels:
        return None
    keypoints = f" and keypoints {said.kpt_shape}" if said.kpt_shape else ""
    return Mismatch(
        f"its output is {output}; {len(said.names)} classes{keypoints} make [1,{said.channels},N]",
        "give a YOLOv8 detection or pose network as ultralytics exports it",
    )
