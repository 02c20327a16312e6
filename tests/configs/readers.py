"""Who reads which leaf, and who follows whom: the pipelines written down a second time.

On purpose by hand: a stage that begins to read another key must be entered here.
"""

from __future__ import annotations

from dataclasses import dataclass

Readers = dict[str, set[str]]
"""Leaf, or prefix of leaves -> the stages that read it. The longest match counts."""

NETWORK = {
    "dataset": {"train", "calibration"},
    "train": {"export"},
    "package": set[str](),
}
TFLITE = NETWORK | {
    "export": {"head", "check", "package"},
    "head": {"convert"},
    "convert": {"quantize"},
    "calibration": {"quantize", "package"},
    "check": {"package"},
}
WITH_NPU = TFLITE | {
    "quantize": {"compile", "check", "package"},
    "compile": {"check", "package"},
}
WITHOUT_NPU = TFLITE | {"quantize": {"arena", "check", "package"}, "arena": {"check"}}
ONNX = NETWORK | {
    "export": {"head", "check_onnx", "package"},
    "head": {"quantize_onnx", "check_onnx"},
    "calibration": {"quantize_onnx", "check_onnx", "package"},
    "quantize_onnx": {"check_onnx", "package"},
    "check_onnx": {"package"},
}

COMMON: Readers = {
    "model.name": {"package"},
    "model.architecture": {"train", "export"},
    "model.imgsz": {"train", "export", "calibration", "package"},
    "model.needs_operators": set(),
    "model.activation": {"train", "export", "package"},
    "dataset.name": {"package"},
    "dataset.": {"dataset"},
    "train.epochs": {"train"},
    "train.batch": {"train"},
    "train.imgsz": {"train"},
    "train.seed": {"train"},
    "train.args": {"train"},
    "train.device": set(),
    "train.workers": set(),
    "export.": {"export"},
    "quant.calibration.": {"calibration"},
    "target.name": {"package"},
    "target.title": {"package"},
    "target.preprocess": {"calibration", "package"},
    "target.outputs.": set(),
    "target.deliver.": {"package"},
    "toolchain.dir": set(),
    "toolchain.locks.images": {"dataset", "head", "calibration"},
    "toolchain.locks.torch": {"train", "export"},
    "toolchain.locks.": set(),
    "toolchain.xquant.wheel": set(),
}


def tflite(output: str) -> Readers:
    """Of a board that runs TFLite files; `output`: the form of outputs that is chosen."""
    return COMMON | {
        "quant.weights": {"quantize", "package"},
        "target.at_info_chars": {"check", "package"},
        f"{output}.form": {"head", "check", "package"},
        f"{output}.order": {"head", "check"},
        f"{output}.score": {"check", "package"},
        f"{output}.iou": {"package"},
        f"{output}.address": {"package"},
        f"{output}.": {"check"},
        "target.contract.firmware": {"check", "package"},
        "target.contract.strides": {"head", "check"},
        "target.contract.box_channels": {"head", "check"},
        "target.contract.keypoint_values": {"head", "check"},
        "target.contract.": {"check"},
        "target.memory.": {"check"},
        "toolchain.locks.tensorflow": {"convert", "quantize"},
    }


NPU: Readers = {
    "target.vela.min_npu_percent": {"check"},
    "target.vela.payload.": {"check"},
    "target.vela.proven": {"check"},
    "target.vela.": {"compile"},
    "toolchain.locks.vela": {"compile"},
}
NO_NPU: Readers = {"toolchain.locks.tflm": {"arena"}}


def onnx(output: str) -> Readers:
    """Of a board that runs ONNX files."""
    return COMMON | {
        "quant.": {"quantize_onnx"},
        "quant.calibration.": {"calibration"},
        f"{output}.form": {"head", "package"},
        f"{output}.order": {"head"},
        f"{output}.max_classes": {"check_onnx"},
        f"{output}.score": {"check_onnx", "package"},
        f"{output}.iou": {"package"},
        "target.contract.firmware": {"check_onnx", "package"},
        "target.contract.strides": {"head"},
        "target.contract.box_channels": {"head"},
        "target.contract.keypoint_values": {"head"},
        "target.contract.": {"check_onnx"},
        "toolchain.locks.images": {"dataset", "head", "calibration", "check_onnx"},
        "toolchain.locks.xslim": {"quantize_onnx"},
    }


@dataclass(frozen=True)
class Chain:
    """One kind of pipeline: the overrides that choose it, its edges, its readers."""

    overrides: tuple[str, ...]
    follows: dict[str, set[str]]
    readers: Readers


CHAINS = {
    "grove_v2": Chain(
        ("target=grove_v2",), WITH_NPU, tflite("target.outputs.detect.raw") | NPU
    ),
    "grove_v2 decoded": Chain(
        ("target=grove_v2", "target.output=decoded"),
        WITH_NPU,
        tflite("target.outputs.detect.decoded") | NPU,
    ),
    "grove_v2 pose": Chain(
        ("target=grove_v2", "model=yolov8n_pose"),
        WITH_NPU,
        tflite("target.outputs.pose.raw") | NPU,
    ),
    "grove_v2_himax pose": Chain(
        ("target=grove_v2_himax", "model=yolov8n_pose"),
        WITH_NPU,
        tflite("target.outputs.pose.raw") | NPU | {"target.memory.arena_bytes": set()},
    ),
    "xiao_esp32s3": Chain(
        ("target=xiao_esp32s3",), WITHOUT_NPU, tflite("target.outputs.detect.decoded") | NO_NPU
    ),
    "spacemit_k1": Chain(
        ("target=spacemit_k1",), ONNX, onnx("target.outputs.detect.decoded")
    ),
}  # fmt: skip
