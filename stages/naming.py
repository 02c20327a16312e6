"""What a deliverable is called: everything in it that people vary, readable."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stages.schema import Config


def deliverable_name(config: Config) -> str:
    """For instance yolov8n-192-digits-int8_per_tensor; names the weights that are given."""
    model, quant, given = config.model, config.quant, config.model.weights or config.model.onnx
    searched = any(getattr(quant.search, key) for key in quant.search.__struct_fields__)
    parts = (
        model.name,
        str(model.imgsz),
        "" if model.activation == "silu" else model.activation,
        config.dataset.name if config.train.kind != "none" else "",
        f"from_{Path(given).stem}" if given else "",
        config.target.output or "",
        f"int8_{'searched' if searched else getattr(quant, 'weights', quant.kind)}",
        "finetuned" if getattr(quant, "finetune_level", 0) else "",
    )
    return "-".join(re.sub(r"[^\w.]+", "_", part) for part in parts if part)
