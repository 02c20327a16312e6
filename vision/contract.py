"""The words of a board's contract: what is demanded, what is known of a file, what a rule says.

Nothing here knows a board: what is demanded comes from `conf/target/*.yaml`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from vision.npu_payload import Payload
from vision.tflite_file import ModelFile, Tensor

Result = Literal["pass", "fail", "warn", "unproven"]
"""Unproven: no tool here can tell; only what fails keeps a model from being delivered."""


@dataclass(frozen=True)
class Npu:
    """What must come of the compiler, and what the NPU's driver compares before it runs."""

    min_percent: float
    fourcc: str
    config: int
    arch: str
    proven: list[str]
    """Compiler versions that people have run on the board."""


@dataclass(frozen=True)
class Rules:
    """What the firmware demands; see `stages.schema` for the fields' meanings and units."""

    firmware: str
    form: str | None
    """None: the file's outputs are of no form, so what depends on it is not judged."""
    order: list[str]
    max_classes: int
    max_scale: float | None
    input_scale: float
    input_scale_tolerance: float
    input_zero_point: int
    min_imgsz: int
    imgsz_multiple: int
    strides: list[int]
    box_channels: int
    keypoint_values: int
    keypoints: int | None
    """How many the firmware reads; None: as many as the model has."""
    forbidden_class_counts: dict[str, str]
    operators: list[str]
    arena_bytes: int
    arena_margin: float
    """Part of the arena to keep free where its use is estimated."""
    arena_by_size: dict[str, int]
    """Input size -> its own arena, where only these sizes are taken; empty: any size."""
    flash_bytes: int
    flash_slot_bytes: int | None
    npu: Npu | None
    score_threshold: float
    at_info_chars: int | None
    """Longest command that tells the firmware the class names; None: it is not told."""
    unproven: dict[str, str]
    """What no tool here can tell -> why, and who can."""


@dataclass(frozen=True)
class Cost:
    """What a file takes at run time, as the tool says that lays it out in memory."""

    tool: str
    """The tool with its version."""
    version: str
    """Of the tool; empty when the file, compiled elsewhere, does not say."""
    arena_bytes: int | None
    """Tensor arena; None when it is not known."""
    fixed_bytes: int
    """The part of the arena that does not grow with the image."""
    estimated: bool
    """Whether the board's own figure may differ."""
    fault: str
    """Why the file cannot be run; empty when nothing says that."""
    npu_percent: float | None
    """Share of the compiled operators that run on the NPU; None when it is not known."""
    latency_ms: float | None
    """The tool's estimate of one run; None when there is none."""

    @property
    def source(self) -> str:
        """The tool, and whether its figure is an estimate."""
        return f"{self.tool}: an estimate" if self.estimated else self.tool


@dataclass(frozen=True)
class Facts:
    """What is known of the final file."""

    model: ModelFile
    logits: tuple[Tensor, ...] | None
    """`[1, side, side, classes]`: what the scores of decoded outputs are sigmoids of; None: they
    lie in what the NPU runs, and cannot be seen."""
    file_bytes: int
    classes: int
    names: tuple[str, ...] | None
    """Of the classes; None: not known, as of a file from elsewhere."""
    keypoints: tuple[int, int] | None
    """How many keypoints, and the values of each; None: unknown, or no pose network."""
    payloads: tuple[Payload | None, ...]
    """One for each NPU operator; None where the header cannot be read."""
    cost: Cost


@dataclass(frozen=True)
class Line:
    """One rule applied."""

    rule: str
    result: Result
    found: str
    demanded: str
    remedy: str
    """Empty when the rule is kept; of what is unproven: why, and who can prove it."""
    source: str
    """The config key of the demand, and the firmware it was read in."""


Rule = Callable[[Rules, Facts], Iterator[Line]]


def line(
    rule: str,
    ok: bool,
    found: object,
    demanded: object,
    remedy: str,
    *,
    key: str,
    otherwise: Result = "fail",
) -> Line:
    """A line; `key` is where in the target's config the demand stands, `otherwise` if not `ok`."""
    return Line(
        rule, "pass" if ok else otherwise, str(found), str(demanded), "" if ok else remedy, key
    )


def unproven(rule: str, found: object, demanded: object, why: str, *, key: str) -> Line:
    """A line on what cannot be told here; `why` also says who can."""
    return Line(rule, "unproven", str(found), str(demanded), why, key)
