"""What each stage needs of the machine: cores, memory, a GPU.

Kept apart from the stages, whose whole modules are in their digests: a figure corrected here runs
nothing again. Memory and cores are measured, on YOLOv8n at 192 px and generated data, and rounded
up; what a stage really took is remembered by its artifacts and counts where it is more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from edgemake.resources import MIB, Needs

if TYPE_CHECKING:
    from stages.schema import Config

ALL = 0
"""As many cores as there are."""
PATIENCE = 10.0
"""Seconds that training waits for all cores that it can use: it takes minutes to hours."""

STAGES: Mapping[str, Needs] = {
    "dataset": Needs(most=ALL),
    "weights": Needs(most=ALL),
    "export": Needs(most=ALL, memory=1024 * MIB),
    "convert": Needs(memory=768 * MIB),
    "quantize": Needs(memory=896 * MIB),
    "quantize_onnx": Needs(memory=1152 * MIB),
    "diagnose": Needs(memory=896 * MIB),
    "predict": Needs(most=ALL, memory=1024 * MIB),
}
"""Those of which a step takes more than a second; of others see BRIEF."""
BRIEF = (
    *("arena", "calibration", "check", "check_onnx", "compare", "compile", "gate", "head"),
    *("infer", "package", "search", "validation"),
)
"""One thread, about a second."""


def needs(config: Config) -> Mapping[str, Needs]:
    """Stage -> what its steps need."""
    brief = dict.fromkeys(BRIEF, Needs(brief=True))
    if config.train.kind == "none":
        return {**brief, **STAGES}
    return {**brief, **STAGES, "train": _training(config.train)}


def _training(train: Any) -> Needs:
    """The device is the user's choice. Beside a GPU there is work for the processes that load
    images, and for the one that feeds the GPU."""
    device = str(train.device)
    return Needs(
        most=ALL,
        memory=2048 * MIB,
        gpu={"auto": "any", "cpu": ""}.get(device, device),
        beside_gpu=train.workers + 1,
        patience=PATIENCE,
    )
