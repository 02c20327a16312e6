"""Group `target`: a board as data: what its firmware demands, how its compiler is called."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from stages.schema.base import Scalar, Struct

Form = Literal["six_raw", "seven_raw", "decoded_normalised", "decoded_pair", "decoded", "branch"]
"""Forms of a network's outputs; docs/outputs.md explains them."""


class Output(Struct, frozen=True):
    """One form of outputs that the firmware decodes: `target.outputs.<task>.<name>`."""

    form: Annotated[Form, Meta(description="shapes and meaning of the outputs")]
    order: Annotated[
        list[str],
        Meta(description="order of the outputs in the file, by name (box_8, …); empty: any"),
    ]
    max_classes: Annotated[int, Meta(ge=1, description="most classes the firmware tells apart")]
    forbidden_class_counts: Annotated[
        dict[int, str], Meta(description="class counts the firmware misreads, with the reason")
    ]
    max_scale: Annotated[
        Annotated[float, Meta(gt=0)] | None,
        Meta(description="an output's scale lies below it; null: any scale"),
    ]
    arena_bytes: Annotated[
        dict[int, int],
        Meta(description="arena by input size, where it depends on it; empty: target.memory's"),
    ]
    address: Annotated[str, Meta(description="where in flash the model goes, for {address}")]
    score: Annotated[float, Meta(ge=0, le=1, description="the firmware's confidence threshold")]
    iou: Annotated[float, Meta(ge=0, le=1, description="the firmware's NMS IoU threshold")]


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


class Payload(Struct, frozen=True):
    """Section `target.vela.payload`: what the NPU's driver compares before it runs."""

    fourcc: Annotated[str, Meta(description="fourcc of the driver payload")]
    config: Annotated[int, Meta(ge=0, description="NPU configuration word")]
    arch: Annotated[str, Meta(description="newest architecture version the driver takes")]


class Vela(Struct, frozen=True):
    """Section `target.vela`: the Ethos-U compiler's arguments and what must come of it."""

    accelerator: Annotated[Accelerator, Meta(description="--accelerator-config")]
    system_config: Annotated[str, Meta(description="--system-config, names the ini's section")]
    memory_mode: Annotated[str, Meta(description="--memory-mode, names the ini's section")]
    optimise: Annotated[Literal["Performance", "Size"], Meta(description="--optimise")]
    ini: VelaIni
    min_npu_percent: Annotated[float, Meta(ge=0, le=100, description="NPU placement to reach")]
    payload: Payload
    proven: Annotated[
        list[str], Meta(description="vela versions that people have run on this board")
    ]


class TfliteContract(Struct, frozen=True):
    """Section `target.contract` of a TFLite board: what the firmware demands of the file."""

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
    keypoint_values: Annotated[
        int, Meta(ge=2, le=3, description="values of a keypoint: x, y and visibility")
    ]
    keypoints: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="how many keypoints the firmware reads; null: as many as the model has"),
    ]
    operators: Annotated[
        list[str],
        Meta(
            min_length=1,
            description="operators the firmware registers; nothing else may be left",
        ),
    ]
    unproven: Annotated[
        dict[str, str],
        Meta(description="what no tool here can prove -> why, and who can; lines of the verdict"),
    ]


class OnnxContract(Struct, frozen=True):
    """Section `target.contract` of a board that runs ONNX: what its runtime demands."""

    firmware: Annotated[str, Meta(description="the runtime and demo these rules were read in")]
    min_imgsz: Annotated[int, Meta(ge=1, description="smallest input side, pixels")]
    imgsz_multiple: Annotated[int, Meta(ge=1, description="the side is a multiple of this")]
    strides: Annotated[
        list[Annotated[int, Meta(ge=1)]],
        Meta(min_length=1, description="strides of the detection branches, pixels"),
    ]
    box_channels: Annotated[
        int, Meta(ge=1, description="channels of a box branch: 4 sides x DFL bins")
    ]
    keypoint_values: Annotated[
        int, Meta(ge=2, le=3, description="values of a keypoint: x, y and visibility")
    ]
    max_opset: Annotated[int, Meta(ge=13, description="newest ONNX opset the runtime takes")]
    max_ir: Annotated[int, Meta(ge=7, description="newest ONNX IR version the runtime takes")]
    unproven: Annotated[
        dict[str, str],
        Meta(description="what no tool here can prove -> why, and who can; lines of the verdict"),
    ]


class Memory(Struct, frozen=True):
    """Section `target.memory`: what the board has, bytes."""

    arena_bytes: Annotated[int, Meta(ge=1, description="usable tensor arena")]
    arena_margin: Annotated[
        float,
        Meta(ge=0, le=1, description="part of the arena to keep free where its use is estimated"),
    ]
    flash_bytes: Annotated[int, Meta(ge=1, description="largest model file")]
    flash_slot_bytes: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="distance of two model slots; larger files cover the next; null: one"),
    ]


TargetName = Annotated[
    str,
    Meta(
        pattern="^[a-z][a-z0-9_]*$",
        description="folder of the deliverables: lower-case letters, digits, `_`",
    ),
]
Outputs = Annotated[
    dict[Literal["detect", "pose"], dict[str, Output]],
    Meta(description="task -> name -> a form of outputs that the board takes"),
]


class Board(Struct, frozen=True):
    """What every board says of itself."""

    name: TargetName
    title: Annotated[str, Meta(description="the board's name for people")]
    preprocess: Annotated[
        Literal["stretch", "letterbox"],
        Meta(description="how the board brings a frame to the input size"),
    ]
    output: Annotated[
        str | None, Meta(description="which of target.outputs.<task>; null: the first")
    ]
    outputs: Outputs
    deliver: Annotated[
        dict[str, str | None],
        Meta(
            description="commands that put the file, {model}, on the board; {address}: its place; "
            "null: not this way"
        ),
    ]


class TfliteTarget(Board, frozen=True, tag="tflite", tag_field="kind"):
    """A board that runs int8 TFLite files, with an Ethos-U (`vela`) or without (`vela: null`)."""

    at_info_chars: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(
            description="longest AT command the firmware takes, for at_info.txt; null: it has none"
        ),
    ]
    vela: Vela | None
    contract: TfliteContract
    memory: Memory


class OnnxTarget(Board, frozen=True, tag="onnx", tag_field="kind"):
    """A board that runs int8 ONNX files."""

    contract: OnnxContract
