"""The command that tells SSCMA firmware what a model is: class names are in no model file.

`AT+INFO="<base64 of JSON>"` and a carriage return, as SSCMA-Micro's docs/protocol describe it. The
firmware stores the text and hands it to whoever asks; hosts have crashed over a missing class name.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence

CATEGORIES = {"detect": "Object Detection", "pose": "Pose Detection"}


def at_info(name: str, task: str, classes: Sequence[str], size: int) -> str:
    """The command without its carriage return; `size`: the model file's, bytes."""
    told = {
        "name": name,
        "version": "1.0.0",
        "category": CATEGORIES[task],
        "model_type": "TFLite",
        "algorithm": "YOLO",
        "description": name,
        "classes": list(classes),
        "size": str(size),
        "isCustom": True,
    }
    text = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    return f'AT+INFO="{base64.b64encode(text.encode()).decode()}"'
