"""Who reads which leaf, and who follows whom: the pipelines written down a second time.

On purpose by hand: a stage that begins to read another key must be entered here.
"""

from __future__ import annotations

from dataclasses import dataclass

Readers = dict[str, set[str]]
"""Leaf, or prefix of leaves -> the stages that read it. The longest match counts."""

FLOAT = {"predict pytorch", "predict onnx"}
"""Tiers of the comparable table."""
TFLITE_TIERS = {"predict cut_onnx", "predict litert", "predict tflm"}
ONNX_TIERS = {"predict cut_onnx", "predict q_onnx"}
NETWORK = {
    "dataset": {"train", "calibration", "validation", "evaluate", "report", *FLOAT},
    "train": {"export", "report", "predict pytorch"},
    "package": {"report"},
    "predict pytorch": {"evaluate"},
    "predict onnx": {"evaluate"},
    "predict cut_onnx": {"evaluate", "report"},
    "evaluate": {"report"},
    "report": set[str](),
}
TFLITE = NETWORK | {
    "dataset": NETWORK["dataset"] | TFLITE_TIERS,
    "export": {"head", "check", "package", "report", *FLOAT, *TFLITE_TIERS},
    "head": {"convert", "quantize", "diagnose", "evaluate", "report", *TFLITE_TIERS},
    "convert": {"quantize", "diagnose"},
    "calibration": {"quantize", "package", "diagnose", "report"},
    "check": {"package"},
    "predict litert": {"evaluate"},
    "predict tflm": {"evaluate", "report"},
    "validation": {"diagnose"},
    "diagnose": {"report"},
}
INT8 = {"diagnose", "report", "predict litert", "predict tflm"}
"""What follows an int8 TFLite file, whatever the board."""
WITH_NPU = TFLITE | {
    "quantize": {"compile", "check", "package", *INT8},
    "compile": {"check", "package", "report"},
}
WITHOUT_NPU = TFLITE | {
    "quantize": {"arena", "check", "package", *INT8},
    "arena": {"check", "report"},
}
ONNX = NETWORK | {
    "dataset": NETWORK["dataset"] | ONNX_TIERS,
    "export": {"head", "check_onnx", "package", "report", *FLOAT, *ONNX_TIERS},
    "head": {"quantize_onnx", "check_onnx", "diagnose_onnx", "report", *ONNX_TIERS},
    "calibration": {"quantize_onnx", "check_onnx", "package", "diagnose_onnx", "report"},
    "quantize_onnx": {"check_onnx", "package", "diagnose_onnx", "report", "predict q_onnx"},
    "check_onnx": {"package"},
    "predict q_onnx": {"evaluate", "report"},
    "validation": {"diagnose_onnx"},
    "diagnose_onnx": {"report"},
}

COMMON: Readers = {
    "model.name": {"package"},
    "model.architecture": {"train", "export"},
    "model.imgsz": {"train", "export", "calibration", "validation", "package"},
    "model.needs_operators": set(),
    "dataset.name": {"package", "evaluate"},
    "dataset.": {"dataset"},
    "train.epochs": {"train"},
    "train.batch": {"train"},
    "train.imgsz": {"train"},
    "train.seed": {"train"},
    "train.args": {"train"},
    "train.device": set(),
    "train.workers": set(),
    "export.": {"export"},
    "evaluate.iou": FLOAT,
    "gate.": {"report"},  # a first limit adds a verdict, which the report shows
    "report.images": {"report"},
    "track.": set(),
    "executor.": set(),
    "quant.calibration.": {"calibration"},
    "target.name": {"package"},
    "target.title": {"package"},
    "target.outputs.": set(),
    "target.deliver.": {"package"},
    "toolchain.dir": set(),
    "toolchain.locks.images": {"dataset", "head", "calibration", "validation"},
    "toolchain.locks.torch": {"train", "export", "predict pytorch"},
    "toolchain.locks.evaluation": {"evaluate", "report"},
    "toolchain.locks.": set(),
    "toolchain.xquant.wheel": set(),
}


def tflite(output: str) -> Readers:
    """Of a board that runs TFLite files; `output`: the form of outputs that is chosen."""
    return COMMON | {
        "model.activation": {"train", "export", "package", "diagnose"},
        "quant.weights": {"quantize", "package"},
        "quant.calibration.source": {"calibration", "diagnose"},
        "quant.calibration.count": {"calibration", "diagnose"},
        "target.preprocess": {"calibration", "validation", "package", *TFLITE_TIERS},
        "evaluate.": FLOAT | TFLITE_TIERS,
        "diagnose.images": {"diagnose"},
        "target.at_info_chars": {"check", "package"},
        f"{output}.form": {"head", "check", "package"},
        f"{output}.order": {"head", "check"},
        f"{output}.score": {"check", "package", "evaluate", "diagnose"},
        f"{output}.iou": {"package", *TFLITE_TIERS},
        f"{output}.address": {"package"},
        f"{output}.": {"check"},
        "target.contract.firmware": {"check", "package"},
        "target.contract.strides": {"head", "check"},
        "target.contract.box_channels": {"head", "check"},
        "target.contract.keypoint_values": {"head", "check"},
        "target.contract.": {"check"},
        "target.memory.": {"check"},
        "toolchain.locks.tensorflow": {"convert", "quantize", "diagnose"},
        "toolchain.locks.tflm": {"predict onnx", *TFLITE_TIERS},
    }


NPU: Readers = {
    "target.vela.min_npu_percent": {"check"},
    "target.vela.payload.": {"check"},
    "target.vela.proven": {"check"},
    "target.vela.": {"compile"},
    "toolchain.locks.vela": {"compile"},
}
NO_NPU: Readers = {"toolchain.locks.tflm": {"arena", "predict onnx", *TFLITE_TIERS}}


def onnx(output: str) -> Readers:
    """Of a board that runs ONNX files."""
    return COMMON | {
        "model.activation": {"train", "export", "package", "diagnose_onnx"},
        "quant.": {"quantize_onnx"},
        "quant.method": {"quantize_onnx", "diagnose_onnx"},
        "quant.precision_level": {"quantize_onnx", "diagnose_onnx"},
        "quant.finetune_level": {"quantize_onnx", "diagnose_onnx"},
        "quant.calibration.": {"calibration"},
        "quant.calibration.source": {"calibration", "diagnose_onnx"},
        "quant.calibration.count": {"calibration", "diagnose_onnx"},
        "target.preprocess": {"calibration", "validation", "package", *ONNX_TIERS},
        "evaluate.": FLOAT | ONNX_TIERS,
        "diagnose.images": {"diagnose_onnx"},
        f"{output}.form": {"head", "package"},
        f"{output}.order": {"head"},
        f"{output}.max_classes": {"check_onnx"},
        f"{output}.score": {"check_onnx", "package", "evaluate", "diagnose_onnx"},
        f"{output}.iou": {"package", *ONNX_TIERS},
        "target.contract.firmware": {"check_onnx", "package"},
        "target.contract.strides": {"head"},
        "target.contract.box_channels": {"head"},
        "target.contract.keypoint_values": {"head"},
        "target.contract.": {"check_onnx"},
        "toolchain.locks.images": {
            *("dataset", "head", "calibration", "check_onnx", "validation", "diagnose_onnx")
        },
        "toolchain.locks.tflm": {"predict onnx", *ONNX_TIERS},
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
