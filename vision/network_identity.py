"""Which network a checkpoint says it holds, and how that disagrees with what was asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PureWindowsPath
from typing import Any

TASKS = {
    "DetectionModel": "detect",
    "PoseModel": "pose",
    "SegmentationModel": "segment",
    "SemanticSegmentationModel": "semantic",
    "ClassificationModel": "classify",
    "OBBModel": "obb",
    "DepthModel": "depth",
    "RTDETRDetectionModel": "rtdetr",
    "WorldModel": "world",
    "YOLOEModel": "world",
    "YOLOESegModel": "world",
}
"""Classes of ultralytics.nn.tasks (8.4.190) -> what such a network is for."""
WORDS = {
    "detect": "a detection network",
    "pose": "a pose network",
    "segment": "a segmentation network",
    "semantic": "a semantic segmentation network",
    "classify": "a classification network",
    "obb": "a network for oriented boxes (obb)",
    "depth": "a depth network",
    "rtdetr": "an RT-DETR network",
    "world": "a network with text prompts",
}
BUILT = ("detect", "pose")
"""Tasks that boards have decoders for."""
END_TO_END = ("yolov10", "yolo26")
"""Families whose head picks its boxes itself: no board decodes that."""
ACTIVATIONS = {"silu": "SiLU", "relu6": "ReLU6"}
"""model.activation -> class of torch.nn."""
OPTIONS = {
    "yolov8n": "yolov8n",
    "yolov8s": "yolov8s",
    "yolov8m": "yolov8m",
    "yolov8n-pose": "yolov8n_pose",
    "yolov8s-pose": "yolov8s_pose",
    "yolov8m-pose": "yolov8m_pose",
    "yolo11n": "yolo11n",
}
"""Architecture -> the option of the group `model` that means it."""
NAME = re.compile(
    r"(?P<family>yolov?\d+)(?P<scale>[a-z]?)(?P<u>u?)"
    r"(?P<variant>(-(pose|seg|cls|obb|sem|depth|p2|p6|ghost|rtdetr|worldv?2?))*)"
)
"""How ultralytics names its architectures: yolov8n, yolo11s-pose, yolov8x-pose-p6, …"""


@dataclass(frozen=True)
class Identity:
    """What a network says of itself; what it does not say is empty."""

    task: str = ""
    """A value of TASKS."""
    architecture: str = ""
    """yolov8s-pose; empty for the user's own."""
    activations: frozenset[str] = frozenset()
    """Classes of torch.nn."""
    names: tuple[str, ...] = ()
    """Class names, in order."""

    def __str__(self) -> str:
        word = WORDS.get(self.task, "a network of another kind")
        return f"{self.architecture}, {word}" if self.architecture else word


@dataclass(frozen=True)
class Classes:
    """What a network tells apart."""

    classes: int
    names: tuple[str, ...] | None
    """In order; None where only their number is known."""

    @classmethod
    def of(cls, names: Sequence[str]) -> Classes | None:
        """None for a network that does not say."""
        return cls(len(names), tuple(names)) if names else None


def architecture_of(description: Mapping[str, Any]) -> str:
    """The architecture's name as an ultralytics model YAML tells it; empty for a user's own."""
    stem = PureWindowsPath(str(description.get("yaml_file", ""))).stem  # splits at both slashes
    if stem.startswith("rtdetr"):
        return stem
    return canonical(stem, str(description.get("scale") or "n"))


def canonical(stem: str, scale: str = "n") -> str:
    """yolov8n-pose for the stem of a file; empty for a name that ultralytics does not use.

    A stem without a letter for the size means `scale`.
    """
    found = NAME.fullmatch(stem)
    if found is None:
        return ""
    return f"{found['family']}{found['scale'] or scale}{found['variant']}"


@dataclass(frozen=True)
class Mismatch:
    """Why a network cannot serve, and what to do."""

    reason: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.reason}; {self.remedy}"


def mismatch(found: Identity, task: str, architecture: str) -> Mismatch | None:
    """How `found` disagrees with a task and an architecture (yolov8n.yaml) by what it says."""
    family = (NAME.match(found.architecture) or {"family": ""})["family"]
    if family in END_TO_END:
        return Mismatch(
            f"this is {found}, whose head picks its boxes itself, and no board decodes that",
            "give a YOLOv8 network",
        )
    if found.task and found.task not in BUILT:
        return Mismatch(
            f"this is {found}",
            "boards decode detection and pose networks only; give one of those",
        )
    wanted = canonical(architecture.removesuffix(".yaml"))
    if wanted and found.architecture and found.architecture != wanted:
        return Mismatch(f"this is {found}", _say(found))
    if found.task and found.task != task:
        return Mismatch(f"this is {found}", f"choose a model of that kind (model.task={task})")
    return None


def _say(found: Identity) -> str:
    name = found.architecture
    if name in OPTIONS:
        return f"say model={OPTIONS[name]}"
    base = "yolov8n_pose" if found.task == "pose" else "yolov8n"
    return f"say model={base} model.architecture={name}.yaml model.name={name.replace('-', '_')}"


def other_activation(found: frozenset[str], wanted: str) -> Mismatch | None:
    """Whether the convolutions end in another activation than `wanted` (model.activation)."""
    if not found or ACTIVATIONS[wanted] in found:
        return None
    key = next((key for key, name in ACTIVATIONS.items() if name in found), None)
    remedy = "train it (train=ultralytics)" if key is None else f"say model.activation={key}"
    if key is not None:
        remedy += f", or train it to {wanted} (train=ultralytics)"
    return Mismatch(
        f"its activation is {' and '.join(sorted(found))}, not {ACTIVATIONS[wanted]} "
        f"(model.activation={wanted})",
        remedy,
    )
