"""Sections `evaluate`, `gate`, `diagnose`, `report`, `track`: how a model is proved."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from stages.schema.base import Struct

Tier = Literal["pytorch", "onnx", "cut_onnx", "litert", "tflm", "q_onnx"]
"""What a model is run as, from float to what the board runs; docs/metrics.md explains them."""


class Evaluate(Struct, frozen=True):
    """Section `evaluate`: accuracy on the validation split."""

    count: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="validation images to use at most, the first of them; null: all"),
    ]
    tiers: Annotated[
        list[Tier] | None,
        Meta(description="what to run the model as; null: all that apply; []: no evaluation"),
    ]
    score: Annotated[
        float, Meta(ge=0, le=1, description="lowest confidence that counts for the mAP")
    ]
    iou: Annotated[
        float,
        Meta(
            ge=0,
            le=1,
            description="NMS IoU threshold of the comparable table; the other takes the board's",
        ),
    ]


Limit = Annotated[float, Meta(ge=0)] | None


class Gate(Struct, frozen=True):
    """Section `gate`: what a model must reach to be delivered. With none set nothing waits."""

    max_map_drop: Annotated[
        Limit, Meta(description="most points of mAP50-95 that int8 may lose against cut float")
    ]
    min_map: Annotated[
        Annotated[float, Meta(ge=0, le=1)] | None,
        Meta(description="least mAP50-95 (0..1) of the board's file"),
    ]
    min_npu: Annotated[
        Annotated[float, Meta(ge=0, le=100)] | None,
        Meta(description="least share of operators on the NPU, per cent"),
    ]
    max_sram_kib: Annotated[Limit, Meta(description="largest tensor arena, KiB")]
    max_flash_kib: Annotated[Limit, Meta(description="largest model file, KiB")]
    max_latency_ms: Annotated[Limit, Meta(description="longest run, ms (vela's estimate)")]


class Diagnose(Struct, frozen=True):
    """Section `diagnose`: float against int8, tensor by tensor."""

    images: Annotated[
        int,
        Meta(ge=1, le=256, description="calibration images, and as many of the validation split"),
    ]


class Report(Struct, frozen=True):
    """Section `report`: the page beside the model."""

    images: Annotated[
        int, Meta(ge=0, le=64, description="validation images drawn, float beside int8")
    ]


class Track(Struct, frozen=True):
    """Section `track`: where metrics are logged beside the deliverable."""

    mlflow: Annotated[
        str | None,
        Meta(description="MLflow tracking URI: a folder or a server; null: nothing is logged"),
    ]
    experiment: Annotated[str, Meta(min_length=1, description="MLflow experiment")]
