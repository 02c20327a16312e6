"""Law 7 on the real config: a leaf re-runs its declared readers and what follows, nothing else."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from composed import keys, leaves, plain, with_leaf

FOLLOWS = {
    "dataset": {"train", "calibration"},
    "train": {"export"},
    "export": {"head", "check", "package"},
    "head": {"convert"},
    "convert": {"quantize"},
    "calibration": {"quantize"},
    "quantize": {"compile", "package"},
    "compile": {"check", "package"},
    "check": {"package"},
    "package": set[str](),
}
"""The edges of the pipeline, written down a second time on purpose."""

READERS = {
    "model.name": {"package"},
    "model.architecture": {"train", "export"},
    "model.task": {"train", "export"},
    "model.imgsz": {"train", "export", "calibration", "package"},
    "dataset.name": {"package"},
    "dataset.": {"dataset"},
    "train.epochs": {"train"},
    "train.batch": {"train"},
    "train.imgsz": {"train"},
    "train.seed": {"train"},
    "train.args": {"train"},
    "train.device": set(),
    "train.workers": set(),
    "export.": {"export"},
    "quant.weights": {"quantize", "package"},
    "quant.calibration.": {"calibration"},
    "target.name": {"package"},
    "target.title": {"package"},
    "target.vela.proven": {"check"},
    "target.vela.": {"compile"},
    "target.contract.firmware": {"check", "package"},
    "target.contract.strides": {"head", "check"},
    "target.contract.box_channels": {"head", "check"},
    "target.contract.": {"check"},
    "target.memory.": {"check"},
    "target.thresholds.score": {"check", "package"},
    "target.thresholds.iou": {"package"},
    "target.deliver.": {"package"},
    "toolchain.dir": set(),
    "toolchain.locks.images": {"dataset", "head", "calibration"},
    "toolchain.locks.torch": {"train", "export"},
    "toolchain.locks.tensorflow": {"convert", "quantize"},
    "toolchain.locks.vela": {"compile", "check"},
}
"""Leaf, or prefix of leaves -> the stages that read it. The longest match counts."""

FIXED = {"model.weights", "dataset.kind", "train.kind", "target.preprocess", "target.head",
         "model.task"}  # fmt: skip
"""Leaves with one legal value here, or whose other values make another pipeline."""


def readers(leaf: str) -> set[str]:
    matching = [key for key in READERS if leaf == key or leaf.startswith(key)]
    assert matching, f"say in READERS which stages read {leaf}"
    return READERS[max(matching, key=len)]


def closure(stages: set[str]) -> set[str]:
    reached = set(stages)
    while more := {after for stage in reached for after in FOLLOWS[stage]} - reached:
        reached |= more
    return reached


def other(leaf: str, value: Any) -> Any:
    """Another legal value of the leaf."""
    special = {
        "model.imgsz": 224,
        "model.architecture": "yolov8s.yaml",
        "train.device": "cpu",
        "train.imgsz": 256,
        "quant.weights": "per_channel",
        "quant.calibration.source": "val",
        "target.vela.accelerator": "ethos-u55-128",
        "target.vela.optimise": "Size",
        "target.contract.imgsz_multiple": 16,
        "export.opset": 14,
        "target.contract.min_npu_percent": 90,
        "target.vela.ini.system.axi0_port": "Dram",
        "target.vela.ini.system.axi1_port": "Dram",
        "target.vela.ini.memory.const_mem_area": "Axi0",
        "target.vela.ini.memory.arena_mem_area": "Axi1",
        "target.vela.ini.memory.cache_mem_area": "Axi1",
    }
    if leaf in special:
        return special[leaf]
    match value:
        case bool():
            changed: Any = not value
        case int():
            changed = value + 1
        case float():
            changed = value * 0.5 + 0.25
        case list():
            changed = value[:-1]
        case dict():
            changed = {"more": 1}
        case _:
            changed = f"{value}x"
    return changed


LEAVES = [(leaf, value) for leaf, value in leaves(plain()) if leaf not in FIXED]


@pytest.mark.parametrize(("leaf", "value"), LEAVES, ids=[leaf for leaf, _ in LEAVES])
def test_a_leaf_reaches_its_readers_and_what_follows(leaf: str, value: Any) -> None:
    before = keys(plain())
    after = keys(with_leaf(plain(), leaf, other(leaf, value)))
    changed = {stage for stage in before if before[stage] != after[stage]}
    assert changed == closure(readers(leaf))


def test_the_calibration_list_never_touches_training() -> None:
    changed = closure({"calibration"})
    assert changed == {"calibration", "quantize", "compile", "check", "package"}
