"""Groups `model` and `train`, section `export`: the network, its training, its ONNX form."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from stages.schema.base import Imgsz, Name, Scalar, Struct

Task = Literal["detect", "pose"]


class Model(Struct, frozen=True):
    """Group `model`: which network, and the weights it starts from."""

    name: Name
    architecture: Annotated[
        str,
        Meta(
            pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*\.yaml$",
            description="name of a model YAML that ultralytics ships, for instance yolov8n.yaml",
        ),
    ]
    task: Annotated[Task, Meta(description="what the head predicts")]
    imgsz: Annotated[Imgsz, Meta(description="input size of the exported model, pixels")]
    activation: Annotated[
        Literal["silu", "relu6"],
        Meta(description="activation of every convolution; relu6 costs an NPU less than silu"),
    ]
    needs_operators: Annotated[
        list[str],
        Meta(
            description="TFLite operators that not every board has and this network cannot do "
            "without; an NPU's compiler may take them over"
        ),
    ]
    weights: Annotated[
        str | None,
        Meta(
            description="null: from scratch; name.pt: ultralytics' release, downloaded; or a path"
        ),
    ]
    onnx: Annotated[
        str | None,
        Meta(description="a float ONNX file exported by ultralytics, to start from (train=none)"),
    ]


class Training(Struct, frozen=True, tag="ultralytics", tag_field="kind"):
    """Group `train`: how ultralytics trains."""

    epochs: Annotated[int, Meta(ge=1, le=10_000, description="passes over the training split")]
    batch: Annotated[int, Meta(ge=1, le=4096, description="images a step")]
    imgsz: Annotated[
        Imgsz | None, Meta(description="training size, pixels; null: the export's `model.imgsz`")
    ]
    seed: Annotated[int, Meta(ge=0, description="seed of every random generator")]
    device: Annotated[
        Annotated[str, Meta(pattern="^(auto|cpu|[0-9]+)$")] | Annotated[int, Meta(ge=0)],
        Meta(description="auto (a GPU if there is one), cpu, or a GPU's index; in no key"),
    ]
    workers: Annotated[int, Meta(ge=0, le=64, description="data loader processes; in no key")]
    args: Annotated[
        dict[str, Scalar],
        Meta(description="further ultralytics train arguments, for instance +train.args.lr0=0.01"),
    ]


class NoTraining(Struct, frozen=True, tag="none", tag_field="kind"):
    """Train `none`: take `model.weights` or `model.onnx` as they are."""


class Export(Struct, frozen=True):
    """Section `export`: checkpoint to ONNX."""

    opset: Annotated[int, Meta(ge=11, le=20, description="ONNX opset")]
    simplify: Annotated[bool, Meta(description="run onnxsim on the result")]
    tolerance: Annotated[
        float,
        Meta(
            gt=0,
            description="largest difference of ONNX from PyTorch: corners / imgsz, scores / 1",
        ),
    ]
