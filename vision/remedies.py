"""What to try against a loss by quantization: options that exist and were not chosen yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ENOUGH = 128
"""Images that the quantizers' options take as they come."""


@dataclass(frozen=True)
class Chosen:
    """What a build chose, as far as advice depends on it."""

    quant: str
    """Kind of quantizer: tflite, xslim or xquant."""
    settings: Mapping[str, Any]
    """Its options: weights; method, precision_level, finetune_level."""
    source: str
    """Of the calibration images: train, val or user."""
    count: int
    """How many of them were asked for."""
    has_dataset: bool
    trains: bool
    activation: str


def more_images(found: int, chosen: Chosen) -> str:
    """How to come to better calibration images."""
    if chosen.has_dataset and chosen.source != "train":
        return f"try quant.calibration.source=train quant.calibration.count={ENOUGH}"
    if found >= chosen.count and chosen.count < ENOUGH:
        return f"try quant.calibration.count={ENOUGH}"
    return "add pictures of the board's camera that show all that it will see"


def other_ways(chosen: Chosen) -> str:
    """The quantizer's option that was not chosen yet, or another activation."""
    settings, ways = chosen.settings, list[str]()
    if settings.get("weights") == "per_tensor":
        ways.append("quant=int8_per_channel")
    if "method" in settings:
        if settings["method"] != "default":
            ways.append("quant.method=default")
        if not settings["finetune_level"]:
            ways.append("quant.finetune_level=1")
        elif not settings["precision_level"]:
            ways.append("quant.precision_level=1")
    if chosen.trains and chosen.activation != "relu6":
        ways.append("model.activation=relu6 (it trains again; no value is then above 6)")
    return f"try {', then '.join(ways)}" if ways else ""
