"""The words of an ONNX board's contract: what is demanded, what is known of a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from vision.contract import Line
from vision.onnx_agreement import Agreement
from vision.onnx_ends import Ends
from vision.onnx_facts import OnnxFacts


@dataclass(frozen=True)
class OnnxRules:
    """What the runtime and the program on the board demand; see `stages.schema`."""

    firmware: str
    max_opset: int
    max_ir: int
    max_classes: int
    min_imgsz: int
    imgsz_multiple: int
    score_threshold: float
    tool: str
    """The quantizer, for remedies: their keys differ."""
    unproven: dict[str, str]
    """What no tool here can tell -> why, and who can."""


@dataclass(frozen=True)
class Described:
    """What the network is: of the build, as head.json says; of other files, as the outputs show."""

    imgsz: int
    outputs: tuple[tuple[str, tuple[int | None, ...]], ...]
    """Name and shape, in order."""
    classes: int | None
    """None: the outputs are of no form that the board knows."""


@dataclass(frozen=True)
class OnnxSubject:
    """A file, what it should be, and what it was seen to do."""

    file: OnnxFacts
    ends: Ends
    described: Described
    agreement: Agreement | None
    """None when the file cannot be run, or when there is no float network to hold against it."""
    fault: str
    """Why it cannot be run; empty when it can."""
    largest_score: float | None = None
    """On pictures made by arithmetic, where there are no others."""


OnnxRule: TypeAlias = Callable[[OnnxRules, OnnxSubject], Iterator[Line]]
