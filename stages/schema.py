"""What can be configured: one typed struct per config group, a documented field each.

`conf/` holds the values; this module says which keys exist, their types and their ranges.
Stages name these types for the type checker only and never load this module.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Scalar = bool | int | float | str | None


class Struct(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of every section: immutable, no unknown keys."""

    @property
    def kind(self) -> str:
        """Which of several forms of the section this is: its `kind:` in the YAML."""
        return str(self.__struct_config__.tag)


Name = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$",
        description="short name (letters, digits, `_.-`), part of the deliverable's name",
    ),
]

Imgsz = Annotated[
    int, Meta(ge=32, le=1280, multiple_of=32, description="square image size, a multiple of 32")
]
Part = Annotated[float, Meta(ge=0.05, le=0.9)]


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
    task: Annotated[Literal["detect"], Meta(description="what the head predicts")]
    imgsz: Annotated[Imgsz, Meta(description="input size of the exported model, pixels")]
    weights: Annotated[
        str | None,
        Meta(
            description="null: from scratch; name.pt: ultralytics' release, downloaded; or a path"
        ),
    ]


class Digits(Struct, frozen=True, tag="digits", tag_field="kind"):
    """Dataset `digits`: handwritten digits on photos, generated offline."""

    name: Name
    train_images: Annotated[
        int, Meta(ge=10, le=100_000, description="images in the training split")
    ]
    val_images: Annotated[
        int, Meta(ge=10, le=100_000, description="images in the validation split")
    ]
    imgsz: Annotated[int, Meta(ge=64, le=1280, description="side of a generated image, pixels")]
    seed: Annotated[int, Meta(ge=0, description="seed of the composition")]
    digits: Annotated[int, Meta(ge=1, le=50, description="largest number of digits in an image")]
    smallest: Annotated[Part, Meta(description="smallest height of a digit, part of the side")]
    largest: Annotated[Part, Meta(description="largest height of a digit, part of the side")]
    contrast: Annotated[
        int, Meta(ge=10, le=120, description="smallest difference of luminance to the background")
    ]


class Fetched(Struct, frozen=True, tag="fetched", tag_field="kind"):
    """Dataset that ultralytics downloads by its name (needs a network)."""

    name: Name
    yaml: Annotated[str, Meta(description="ultralytics data set YAML, for instance coco8.yaml")]


class Custom(Struct, frozen=True, tag="custom", tag_field="kind"):
    """Dataset `custom`: the user's own, in ultralytics layout."""

    name: Name
    path: Annotated[str | None, Meta(description="the data.yaml; relative to the current folder")]


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
    """Train `none`: take `model.weights` as they are."""


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


class Calibration(Struct, frozen=True):
    """Section `quant.calibration`: the images that set the int8 ranges."""

    source: Annotated[
        str,
        Meta(description="train, val, a list file (one image a line), or a folder of images"),
    ]
    count: Annotated[int, Meta(ge=1, le=100_000, description="how many images to use at most")]
    seed: Annotated[int, Meta(ge=0, description="seed of the random choice")]


class Quant(Struct, frozen=True):
    """Group `quant`: how the float model becomes int8."""

    weights: Annotated[
        Literal["per_tensor", "per_channel"], Meta(description="granularity of the weight scales")
    ]
    calibration: Calibration


class VelaIni(Struct, frozen=True):
    """The board's memory system as vela's configuration file states it."""

    core_clock: Annotated[float, Meta(gt=0, description="NPU clock, Hz")]
    system: Annotated[dict[str, Scalar], Meta(description="keys of the System_Config section")]
    memory: Annotated[dict[str, Scalar], Meta(description="keys of the Memory_Mode section")]


Accelerator = Literal[
    "ethos-u55-32", "ethos-u55-64", "ethos-u55-128", "ethos-u55-256",
    "ethos-u65-256", "ethos-u65-512",
    "ethos-u85-128", "ethos-u85-256", "ethos-u85-512", "ethos-u85-1024", "ethos-u85-2048",
]  # fmt: skip
"""What vela 5.2.0 compiles for: `Accelerator` in its architecture_features.py."""


class Vela(Struct, frozen=True):
    """Section `target.vela`: arguments of the Ethos-U compiler."""

    accelerator: Annotated[Accelerator, Meta(description="--accelerator-config")]
    system_config: Annotated[str, Meta(description="--system-config, names the ini's section")]
    memory_mode: Annotated[str, Meta(description="--memory-mode, names the ini's section")]
    optimise: Annotated[Literal["Performance", "Size"], Meta(description="--optimise")]
    ini: VelaIni
    proven: Annotated[
        list[str], Meta(description="vela versions that people have run on this board")
    ]


class Contract(Struct, frozen=True):
    """Section `target.contract`: what the firmware demands of the model file."""

    firmware: Annotated[str, Meta(description="the firmware these rules were read in")]
    input_scale: Annotated[float, Meta(gt=0, description="input quantization scale")]
    input_scale_tolerance: Annotated[float, Meta(gt=0, description="absolute tolerance on it")]
    input_zero_point: Annotated[int, Meta(ge=-128, le=127, description="input zero point")]
    min_imgsz: Annotated[int, Meta(ge=1, description="smallest input side, pixels")]
    imgsz_multiple: Annotated[int, Meta(ge=1, description="the side is a multiple of this")]
    strides: Annotated[
        list[Annotated[int, Meta(ge=1)]],
        Meta(min_length=1, description="strides of the detection branches, pixels"),
    ]
    box_channels: Annotated[
        int, Meta(ge=1, description="channels of a box branch: 4 sides x DFL bins")
    ]
    forbidden_class_counts: Annotated[
        dict[int, str], Meta(description="class counts the firmware misreads, with the reason")
    ]
    unwise_class_counts: Annotated[
        dict[int, str], Meta(description="class counts that deserve a warning, with the reason")
    ]
    operators: Annotated[
        list[str],
        Meta(
            min_length=1,
            description="operators the firmware registers; nothing else may be left",
        ),
    ]
    min_npu_percent: Annotated[float, Meta(ge=0, le=100, description="NPU placement to reach")]
    npu_fourcc: Annotated[str, Meta(description="fourcc of the driver payload")]
    npu_config: Annotated[int, Meta(ge=0, description="NPU configuration word the driver checks")]
    npu_arch: Annotated[str, Meta(description="newest architecture version the driver takes")]


class Memory(Struct, frozen=True):
    """Section `target.memory`: what the board has, bytes."""

    sram_bytes: Annotated[int, Meta(ge=1, description="usable tensor arena")]
    flash_bytes: Annotated[int, Meta(ge=1, description="largest model file")]
    flash_slot_bytes: Annotated[
        int, Meta(ge=1, description="distance of two model slots; larger files cover the next")
    ]


class Thresholds(Struct, frozen=True):
    """Section `target.thresholds`: the firmware's defaults."""

    score: Annotated[float, Meta(ge=0, le=1, description="confidence threshold")]
    iou: Annotated[float, Meta(ge=0, le=1, description="NMS IoU threshold")]


class Target(Struct, frozen=True):
    """Group `target`: a board, as data."""

    name: Annotated[
        str,
        Meta(
            pattern="^[a-z][a-z0-9_]*$",
            description="folder of the deliverables: lower-case letters, digits, `_`",
        ),
    ]
    title: Annotated[str, Meta(description="the board's name for people")]
    preprocess: Annotated[
        Literal["stretch"], Meta(description="how the firmware brings a frame to the input size")
    ]
    head: Annotated[Literal["raw"], Meta(description="form of the outputs")]
    vela: Vela
    contract: Contract
    memory: Memory
    thresholds: Thresholds
    deliver: Annotated[
        dict[str, str],
        Meta(description="commands that put the file on the board; each names it as {model}"),
    ]


class Locks(Struct, frozen=True):
    """Section `toolchain.locks`: toolchain -> lock file in toolchains/, without .lock."""

    images: Annotated[
        str, Meta(description="lock (toolchains/….lock) for pictures and small graphs")
    ]
    torch: Annotated[str, Meta(description="lock (toolchains/….lock) for training and ONNX export")]
    tensorflow: Annotated[
        str, Meta(description="lock (toolchains/….lock) for conversion and quantization")
    ]
    vela: Annotated[
        str,
        Meta(description="lock (toolchains/….lock) for the Ethos-U compiler and its reading back"),
    ]


class Toolchain(Struct, frozen=True):
    """Group `toolchain`: the isolated environments stages run in."""

    dir: Annotated[str, Meta(description="where the environments live, relative to the project")]
    locks: Locks


class Config(Struct, frozen=True):
    """One composed, validated config."""

    model: Model
    dataset: Digits | Fetched | Custom
    train: Training | NoTraining
    export: Export
    quant: Quant
    target: Target
    toolchain: Toolchain

    def lock(self, toolchain: str) -> str:
        """The lock file chosen for a toolchain, by the name of a field of Locks."""
        return str(getattr(self.toolchain.locks, toolchain))
