"""Law 7 on the real config: a leaf re-runs its declared readers and what follows, nothing else."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from composed import keys, leaves, plain, with_leaf
from readers import CHAINS, Chain

FIXED = {
    *("dataset.kind", "train.kind", "quant.kind", "target.kind", "executor.kind", "model.task"),
    *("model.weights", "model.onnx", "target.output", "target.vela", "evaluate.tiers"),
    *(f"quant.search.{key}" for key in ("weights", "method", "count")),
    *(f"quant.search.{key}" for key in ("precision_level", "finetune_level")),
}
"""Leaves whose other values make another pipeline."""

REFUSED = {
    "target.contract.keypoint_values": ("pose",),
    "target.contract.keypoints": ("himax pose",),
    "target.preprocess": ("spacemit_k1",),
    "gate.min_npu": ("xiao_esp32s3", "spacemit_k1"),
    "gate.max_latency_ms": ("xiao_esp32s3", "spacemit_k1"),
    "gate.max_sram_kib": ("spacemit_k1",),
}
"""Leaf -> ends of the names of the chains in which no other value is allowed."""

OTHER = {
    "model.imgsz": 224,
    "model.activation": "relu6",
    "train.device": "cpu",
    "train.imgsz": 256,
    "export.opset": 14,
    "quant.weights": "per_channel",
    "quant.method": "percentile",
    "quant.calibration.source": "val",
    "quant.calibration.order": "first",
    "target.contract.imgsz_multiple": 16,
    "target.contract.min_imgsz": 64,
    "target.contract.keypoint_values": 2,
    "target.vela.accelerator": "ethos-u55-128",
    "target.vela.optimise": "Size",
    "target.vela.min_npu_percent": 90,
    "target.vela.ini.system.axi0_port": "Dram",
    "target.vela.ini.system.axi1_port": "Dram",
    "target.vela.ini.memory.const_mem_area": "Axi0",
    "target.vela.ini.memory.arena_mem_area": "Axi1",
    "target.vela.ini.memory.cache_mem_area": "Axi1",
}
"""Leaf -> another legal value, where one cannot be made of the first."""
BY_NAME: dict[str, dict[Any, Any]] = {
    "architecture": {"yolov8n.yaml": "yolov8s.yaml", "yolov8n-pose.yaml": "yolov8s-pose.yaml"},
    "preprocess": {"stretch": "letterbox", "letterbox": "stretch"},
    "form": {
        **dict.fromkeys(("six_raw", "seven_raw", "branch"), "decoded"),
        **dict.fromkeys(("decoded", "decoded_normalised", "decoded_pair"), "six_raw"),
    },
    "order": {(): ["box_8"]},
    "forbidden_class_counts": {(): {7: "a reason"}},
    "arena_bytes": {(): {192: 1_000_000, 224: 1_200_000}},
    "needs_operators": {(): ["SOFTMAX"]},
    "max_scale": {None: 0.2},
    "keypoints": {None: 17},
    "flash_slot_bytes": {None: 3_000_000},
    "wheel": {None: "x.whl"},
    "at_info_chars": {None: 1000},
    "count": {None: 50},
    "mlflow": {None: "runs"},
    "min_map": {None: 0.5},
    **{key: {None: 1.5} for key in ("max_map_drop", "min_npu", "max_sram_kib")},
    **{key: {None: 1.5} for key in ("max_flash_kib", "max_latency_ms")},
}
"""Last part of a leaf -> value (() for nothing in it) -> another legal one."""


def readers(chain: Chain, leaf: str) -> set[str]:
    matching = [key for key in chain.readers if leaf == key or leaf.startswith(key)]
    assert matching, f"say in readers.py which stages read {leaf}"
    return chain.readers[max(matching, key=len)]


def closure(follows: dict[str, set[str]], stages: set[str]) -> set[str]:
    reached = set(stages)
    while more := {after for stage in reached for after in follows[stage]} - reached:
        reached |= more
    return reached


def other(leaf: str, value: Any) -> Any:
    """Another legal value of the leaf."""
    if leaf in OTHER:
        return OTHER[leaf]
    known = BY_NAME.get(leaf.rpartition(".")[2], {})
    now = () if value in ([], {}) else value
    if not isinstance(now, list) and now in known:
        return known[now]
    match value:
        case bool():
            changed: Any = not value
        case int():
            changed = value + 1
        case float():
            changed = value * 0.6 + 0.15
        case list():
            changed = value[:-1]
        case dict():
            changed = {"more": 1}
        case _:
            changed = f"{value}x"
    return changed


@cache
def base(chain: str) -> dict[str, str]:
    return keys(plain(*CHAINS[chain].overrides))


CASES = [
    (name, leaf, value)
    for name, chain in CHAINS.items()
    for leaf, value in leaves(plain(*chain.overrides))
    if leaf not in FIXED and not name.endswith(REFUSED.get(leaf, ("no chain",)))
]


@pytest.mark.parametrize(("name", "leaf", "value"), CASES, ids=[f"{n}: {k}" for n, k, _ in CASES])
def test_a_leaf_reaches_its_readers_and_what_follows(name: str, leaf: str, value: Any) -> None:
    chain, before = CHAINS[name], base(name)
    after = keys(with_leaf(plain(*chain.overrides), leaf, other(leaf, value)))
    changed = {stage for stage in before if before[stage] != after[stage]}
    assert changed == closure(chain.follows, readers(chain, leaf))


@pytest.mark.parametrize("name", CHAINS)
def test_the_edges_are_those_of_the_plan(name: str) -> None:
    assert set(base(name)) == {"dataset", *CHAINS[name].follows}


@pytest.mark.parametrize("name", CHAINS)
def test_the_calibration_list_never_touches_training(name: str) -> None:
    chain = CHAINS[name]
    changed = closure(chain.follows, readers(chain, "quant.calibration.source"))
    assert {"dataset", "train", "export", "head", "convert"}.isdisjoint(changed)
    assert "package" in changed


def test_another_output_leaves_training_and_export_alone() -> None:
    before, after = base("grove_v2"), base("grove_v2 decoded")
    same = {stage for stage in before if before[stage] == after[stage]}
    assert same == {
        *("dataset", "train", "export", "calibration", "validation", "predict pytorch"),
        "predict onnx",
    }


def test_three_boards_train_and_export_once_and_two_convert_once() -> None:
    """One size and one opset; Seeed's boards in the form that both take."""
    grove, xiao, k1 = base("grove_v2 decoded"), base("xiao_esp32s3"), base("spacemit_k1")
    shared = {stage for stage in k1 if grove.get(stage) == xiao.get(stage) == k1[stage]}
    assert shared == {"dataset", "train", "export", "predict pytorch", "predict onnx"}
    assert {stage for stage in xiao if grove.get(stage) == xiao[stage]} == shared | {
        *("calibration", "head", "convert", "quantize", "validation", "diagnose"),
        *("predict cut_onnx", "predict litert", "predict tflm", "evaluate"),
    }
