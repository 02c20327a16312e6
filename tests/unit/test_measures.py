"""Names that `objective=` may aim at, and where their figures are read."""

import json
from pathlib import Path
from typing import Any

import pytest
from stage_configs import config

from stages import evaluate, gate, measures, pipeline


def of(*overrides: str) -> set[str]:
    chosen = config(*overrides)
    return set(measures.of(chosen, pipeline.plan(chosen).appendix).names)


def test_tiers_are_those_of_the_evaluation() -> None:
    tiers = {*measures.COMPARABLE, measures.REFERENCE, *measures.FINAL}
    assert tiers == set(evaluate.TABLES)
    assert set(measures.COMPARABLE) == {t for t, at in evaluate.TABLES.items() if at != "board"}
    assert set(measures.FINAL) == {tier for tiers in gate.FINAL.values() for tier in tiers}
    assert measures.REFERENCE == evaluate.REFERENCE


def test_each_config_has_names_of_its_own() -> None:
    grove = of()
    assert {"board.final.box.map50_95", "board.drop.box.map50", "figures.latency_ms"} <= grove
    assert "board.tiers.tflm.at_threshold.f1" in grove
    assert not any("keypoints" in name for name in grove)
    assert "figures.latency_ms" not in of("target=xiao_esp32s3")
    spacemit = of("target=spacemit_k1")
    assert {"board.tiers.q_onnx.box.map50", "figures.box_overlap"} <= spacemit
    assert not {"figures.arena_bytes", "board.tiers.tflm.box.map50"} & spacemit
    assert of("evaluate.tiers=[]") == {n for n in grove if n.startswith("figures.")}
    only = of("evaluate.tiers=[litert]")
    assert "board.final.box.map50" in only
    assert not any(name.startswith(("board.drop", "board.reference")) for name in only)
    assert "board.final.keypoints.map50_95" in of("model=yolov8n_pose", "dataset=figures")
    assert grove | spacemit <= set(measures.every())


@pytest.fixture
def delivered(tmp_path: Path) -> Path:
    metrics: dict[str, Any] = {
        "board": {
            "tiers": {
                "cut_onnx": {"box": {"map50_95": 0.7}, "at_threshold": {"f1": 0.9}},
                "tflm": {"box": {"map50_95": 0.6, "map50": None}, "at_threshold": {"f1": 0.8}},
            },
            "final": "tflm",
            "reference": "cut_onnx",
            "drop": None,
        },
        "comparable": None,
    }
    (tmp_path / "metrics.json").write_text(json.dumps(metrics))
    model = {"figures": {"arena_bytes": 5, "latency_ms": None, "arena_source": "vela"}}
    (tmp_path / "model.json").write_text(json.dumps(model))
    return tmp_path


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("board.final.box.map50_95", 0.6),
        ("board.reference.box.map50_95", 0.7),
        ("board.tiers.cut_onnx.at_threshold.f1", 0.9),
        ("board.final.box.map50", None),
        ("board.final.keypoints.map50", None),
        ("board.drop.box.map50", None),
        ("comparable.tiers.onnx.box.map50", None),
        ("figures.arena_bytes", 5.0),
        ("figures.latency_ms", None),
        ("figures.arena_source", None),
    ],
)
def test_a_figure_is_where_its_name_leads(delivered: Path, name: str, value: float | None) -> None:
    assert measures.look(delivered, name) == value


def test_what_is_not_there_has_no_figures(delivered: Path) -> None:
    (delivered / "metrics.json").unlink()
    assert measures.look(delivered, "board.final.box.map50_95") is None
    assert measures.look(delivered, "figures.arena_bytes") == 5.0
