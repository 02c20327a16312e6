"""What can be configured: one typed struct per config group, a documented field each.

`conf/` holds the values; this package says which keys exist, their types and their ranges.
Stages name these types for the type checker only and never load this package.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from stages.schema.base import Struct
from stages.schema.data import Custom, Digits, Fetched, Figures, NoDataset
from stages.schema.executor import Local, Ray, Slurm
from stages.schema.model import Export, Model, NoTraining, Training
from stages.schema.proof import Diagnose, Evaluate, Gate, Report, Track
from stages.schema.quant import TfliteQuant, XquantQuant, XslimQuant
from stages.schema.target import OnnxTarget, Output, TfliteTarget

__all__ = ["Config", "OnnxTarget", "Struct", "TfliteTarget", "Training"]


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
    tflm: Annotated[
        str, Meta(description="lock (toolchains/….lock) for the interpreter that boards run")
    ]
    xslim: Annotated[str, Meta(description="lock (toolchains/….lock) for SpacemiT's quantizer")]
    xquant: Annotated[
        str, Meta(description="lock (toolchains/….lock) for what the vendor's xquant wheel imports")
    ]
    evaluation: Annotated[
        str, Meta(description="lock (toolchains/….lock) for metrics, charts and reports")
    ]


class Xquant(Struct, frozen=True):
    """Section `toolchain.xquant`: SpacemiT's quantizer under its old name."""

    wheel: Annotated[
        str | None,
        Meta(description="path of SpacemiT's own wheel xquant-….whl, for quant=xquant"),
    ]


class Toolchain(Struct, frozen=True):
    """Group `toolchain`: the isolated environments stages run in."""

    dir: Annotated[str, Meta(description="where the environments live, relative to the project")]
    locks: Locks
    xquant: Xquant


class Config(Struct, frozen=True):
    """One composed, validated config."""

    model: Model
    dataset: Digits | Figures | Fetched | Custom | NoDataset
    train: Training | NoTraining
    export: Export
    quant: TfliteQuant | XslimQuant | XquantQuant
    target: TfliteTarget | OnnxTarget
    evaluate: Evaluate
    gate: Gate
    diagnose: Diagnose
    report: Report
    track: Track
    toolchain: Toolchain
    executor: Local | Slurm | Ray

    def lock(self, toolchain: str) -> str:
        """The lock file chosen for a toolchain, by the name of a field of Locks."""
        return str(getattr(self.toolchain.locks, toolchain))

    @property
    def output(self) -> Output:
        """The form of outputs chosen: `target.output` of the model's task, or the first.

        Raises KeyError for a name the board does not know; `pipeline.examine` refuses it first.
        """
        known = self.target.outputs[self.model.task]
        return known[self.target.output or next(iter(known))]
