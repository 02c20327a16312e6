"""Group `quant`: which tool makes the float model int8, with which images, and how."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from stages.schema.base import Struct

Weights = Literal["per_tensor", "per_channel"]
Method = Literal["default", "minmax", "percentile", "kl", "mse"]
Count = Annotated[int, Meta(ge=1, le=100_000)]
Precision = Annotated[int, Meta(ge=0, le=2)]
Finetune = Annotated[int, Meta(ge=0, le=3)]


class Calibration(Struct, frozen=True):
    """Section `quant.calibration`: the images that set the int8 ranges."""

    source: Annotated[
        str,
        Meta(
            description="train, val, a list file (one image a line), or a folder of images",
            examples=["calib_list.txt"],
        ),
    ]
    count: Annotated[Count, Meta(description="how many images to use at most")]
    order: Annotated[
        Literal["random", "first"], Meta(description="which of them: drawn at random, or the first")
    ]
    seed: Annotated[int, Meta(ge=0, description="seed of the random choice")]


class TfliteSearch(Struct, frozen=True):
    """Section `quant.search`: what to try; the best under the gates is delivered. Empty: off."""

    weights: Annotated[list[Weights], Meta(description="values of quant.weights to try")]
    count: Annotated[list[Count], Meta(description="values of quant.calibration.count to try")]


class OnnxSearch(Struct, frozen=True):
    """Section `quant.search`: what to try; the best under the gates is delivered. Empty: off."""

    method: Annotated[list[Method], Meta(description="values of quant.method to try")]
    precision_level: Annotated[
        list[Precision], Meta(description="values of quant.precision_level to try")
    ]
    finetune_level: Annotated[
        list[Finetune], Meta(description="values of quant.finetune_level to try")
    ]
    count: Annotated[list[Count], Meta(description="values of quant.calibration.count to try")]


class TfliteQuant(Struct, frozen=True, tag="tflite", tag_field="kind"):
    """TensorFlow Lite's converter: full int8, for boards that run TFLite files."""

    weights: Annotated[Weights, Meta(description="granularity of the weight scales")]
    calibration: Calibration
    search: TfliteSearch


class OnnxQuant(Struct, frozen=True, kw_only=True):
    """What xslim and xquant have in common: one tool under two names, one JSON config."""

    method: Annotated[
        Method,
        Meta(
            description="calibration_type: how a range is taken from the values seen; default: the "
            "tool's search for the least error, in minutes"
        ),
    ]
    precision_level: Annotated[
        Precision,
        Meta(
            description="0: all int8; 1, 2: convolutions int8, some of the rest float (3 and 4 of "
            "the tools are no static int8)",
        ),
    ]
    finetune_level: Annotated[
        Finetune, Meta(description="0: none; higher levels tune rounding, in minutes")
    ]
    analysis: Annotated[
        bool, Meta(description="the tool's own error analysis, in the log of quantize_onnx")
    ]
    truncate: Annotated[
        bool, Meta(description="leave the decoding behind the last convolutions in float")
    ]
    calibration: Calibration
    search: OnnxSearch


class XslimQuant(OnnxQuant, frozen=True, tag="xslim", tag_field="kind"):
    """xslim, SpacemiT's open quantizer."""

    opset: Annotated[int, Meta(ge=13, le=24, description="ONNX opset of the int8 file")]


class XquantQuant(OnnxQuant, frozen=True, tag="xquant", tag_field="kind"):
    """xquant, the vendor's wheel (`toolchain.xquant.wheel`); it keeps the opset of the export."""
