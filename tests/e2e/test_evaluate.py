"""Accuracy of every tier on the main job's model, and of a pose model: what is counted, that it is
what ultralytics counts, and that no option of it runs what it does not concern."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from e2e.checkout import ROOT, Checkout, Delivered, answer, asked, read
from e2e.conftest import BASE
from e2e.test_every_board import POSE, UNSURE

QUICK = "evaluate.tiers=[onnx,cut_onnx,litert]"
"""Without the tiers that take long."""
ALIKE = 0.5
"""Points of mAP by which our counting may differ from ultralytics'."""


def evaluation(project: Checkout, *overrides: str) -> Path:
    """The artifact of `evaluate`, built if it is not there."""
    said = project.doit("evaluate", *overrides)
    assert said.code == 0, said.text
    told = project.doit("info", "evaluate", *overrides).text
    name = re.search(r"- evaluate:(\S+)", told)
    assert name is not None, told
    return project.root / "artifacts/evaluate" / name[1]


def ran(project: Checkout, *overrides: str) -> list[str]:
    """Stages that `doit evaluate` executes."""
    before = len(project.executions())
    evaluation(project, *overrides)
    return [line["stage"] for line in project.executions()[before:]]


@pytest.fixture(scope="module")
def evaluated(chain: Delivered) -> Path:
    """All tiers of the main job."""
    return evaluation(Checkout(ROOT, BASE))


@pytest.fixture(scope="module")
def metrics(evaluated: Path) -> dict[str, Any]:
    """metrics.json of it."""
    return read(evaluated / "metrics.json")


def test_the_counting_is_right(evaluated: Path) -> None:
    toolchain = read(evaluated / "step.json")["preimage"]["toolchain"]
    assert answer(toolchain, "evaluate_arithmetic.py") == 300


def test_both_tables_are_there_and_are_not_mixed(metrics: dict[str, Any]) -> None:
    comparable, board = metrics["comparable"], metrics["board"]
    assert list(comparable["tiers"]) == ["pytorch", "onnx"]
    assert list(board["tiers"]) == ["cut_onnx", "litert", "tflm"]
    assert [comparable[key] for key in ("preprocess", "score", "iou")] == ["letterbox", 0.001, 0.7]
    assert [board[key] for key in ("preprocess", "score", "iou")] == ["stretch", 0.001, 0.45]
    assert (board["threshold"], board["reference"], board["final"]) == (0.3, "cut_onnx", "tflm")
    assert "drop" not in comparable
    runtimes = {
        tier["runtime"] for table in (comparable, board) for tier in table["tiers"].values()
    }
    assert len(runtimes) == 4, runtimes


def test_classes_add_up(chain: Delivered, metrics: dict[str, Any]) -> None:
    manifest, data = chain.json("dataset", "manifest.json"), chain.file("dataset", "data")
    rows = [
        row.split()[0]
        for entry in manifest["splits"]["val"]
        for row in (data / entry["label"]).read_text().splitlines()
    ]
    assert metrics["instances"] == [rows.count(str(index)) for index in range(10)]
    assert metrics["images"] == len(manifest["splits"]["val"])
    for tier in metrics["board"]["tiers"].values():
        classes = tier["box"]["per_class"]
        assert [entry["name"] for entry in classes] == metrics["classes"]
        for key in ("map50", "map50_95"):
            assert tier["box"][key] == pytest.approx(sum(e[key] for e in classes) / 10, abs=1e-5)


def test_float_is_accurate_and_int8_costs_little(metrics: dict[str, Any]) -> None:
    assert metrics["comparable"]["tiers"]["pytorch"]["box"]["map50"] >= 0.9
    board = metrics["board"]
    assert board["drop"]["box"]["map50_95"] <= 1
    values = [board["tiers"][tier]["box"]["map50_95"] for tier in ("cut_onnx", "tflm")]
    assert board["drop"]["box"]["map50_95"] == pytest.approx(
        100 * (values[0] - values[1]), abs=1e-3
    )
    for tier in board["tiers"].values():
        assert tier["at_threshold"]["precision"] > 0.7
        assert tier["at_threshold"]["recall"] > 0.7


def test_two_interpreters_agree_or_it_says_where_they_part(metrics: dict[str, Any]) -> None:
    agreement = metrics["agreement"]
    assert agreement["map50_95_difference"] <= 0.3
    outputs = agreement["outputs"]
    assert [o["name"] for o in outputs] == [
        f"{k}_{s}" for k in ("box", "class") for s in (8, 16, 32)
    ]
    if agreement["within_one_quantum"] < 0.98:
        worst = min(outputs, key=lambda output: output["within_one_quantum"])
        assert any(f"furthest in output {worst['name']}" in line for line in metrics["warnings"])


def test_curves_are_those_of_the_map(evaluated: Path, metrics: dict[str, Any]) -> None:
    curves = read(evaluated / "curves.json")["tiers"]
    for table in ("comparable", "board"):
        for name, tier in metrics[table]["tiers"].items():
            precision = curves[name]["box"]["precision"]
            assert precision == sorted(precision, reverse=True)
            assert sum(precision) / 101 == pytest.approx(tier["box"]["map50"], abs=1e-4)


def demand_alike(chain: Delivered, metrics: dict[str, Any], task: str) -> None:
    """What ultralytics' own validation says, within half a point."""
    own = asked(
        chain, "train", "evaluate_ultralytics.py", chain.file("train", "best.pt"),
        chain.file("dataset", "data"), task, 192,
    )  # fmt: skip
    for name, tier in metrics["comparable"]["tiers"].items():
        for kind, values in own.items():
            ours = [tier[kind]["map50"], tier[kind]["map50_95"]]
            for one, other in zip(ours, values, strict=True):
                assert abs(one - other) * 100 <= ALIKE, (name, kind, ours, values)


def test_ultralytics_counts_the_same(chain: Delivered, metrics: dict[str, Any]) -> None:
    demand_alike(chain, metrics, "detect")


def test_keypoints_are_counted_too(chain: Delivered) -> None:
    project = Checkout(ROOT, ("target=grove_v2", *POSE, UNSURE))
    pose = project.deliver()
    found = evaluation(project, "evaluate.tiers=[pytorch,onnx,cut_onnx,litert]")
    metrics = read(found / "metrics.json")
    assert metrics["task"] == "pose"
    assert metrics["board"]["final"] == "litert"
    assert metrics["agreement"] is None
    assert metrics["board"]["drop"].keys() == {"box", "keypoints"}
    assert metrics["board"]["tiers"]["cut_onnx"]["keypoints"]["map50"] > 0.1
    assert read(found / "curves.json")["tiers"]["onnx"].keys() == {"box", "keypoints"}
    demand_alike(pose, metrics, "pose")


def test_an_option_runs_what_it_concerns_and_nothing_else(workshop: Checkout) -> None:
    began = evaluation(workshop, QUICK)
    first = read(began / "metrics.json")
    assert ran(workshop, QUICK) == []
    # The threshold at which precision is told: the same detections are counted again.
    assert ran(workshop, QUICK, "target.outputs.detect.raw.score=0.5") == ["evaluate"]
    # The comparable table's own suppression.
    assert ran(workshop, QUICK, "evaluate.iou=0.6") == ["predict", "evaluate"]
    # One tier less: nothing to run but the counting.
    assert ran(workshop, "evaluate.tiers=[cut_onnx,litert]") == ["evaluate"]
    assert read(evaluation(workshop, QUICK) / "metrics.json") == first


def test_a_few_images_and_a_class_that_is_not_on_them(workshop: Checkout) -> None:
    options = ("evaluate.tiers=[cut_onnx]", "evaluate.count=2")
    assert ran(workshop, *options) == ["predict", "evaluate"]
    metrics = read(evaluation(workshop, *options) / "metrics.json")
    assert metrics["images"] == 2
    missing = [i for i, n in enumerate(metrics["instances"]) if not n]
    assert missing, "two images do not show ten classes"
    [warning] = [line for line in metrics["warnings"] if "no mAP" in line]
    classes = metrics["board"]["tiers"]["cut_onnx"]["box"]["per_class"]
    for i in missing:
        assert classes[i]["map50"] is None
        assert classes[i]["name"] in warning
    assert metrics["board"]["final"] is None
    assert metrics["board"]["drop"] is None


def test_mlflow_is_told_once(workshop: Checkout, tmp_path: Path) -> None:
    from mlflow import MlflowClient

    place = f"track.mlflow={tmp_path / 'runs'}"
    for _ in range(2):
        said = workshop.plainly(*workshop.base, QUICK, place)
        assert said.code == 0, said.text
    client = MlflowClient(tracking_uri=f"sqlite:///{tmp_path / 'runs'}/mlflow.db")
    group = client.get_experiment_by_name("edgemake")
    assert group is not None
    [run] = client.search_runs([group.experiment_id])
    [folder] = workshop.root.glob(f"artifacts/grove_v2/{run.info.run_name}")
    metrics = read(folder / "metrics.json")
    assert (
        run.data.metrics["board.litert.box.map50_95"]
        == (metrics["board"]["tiers"]["litert"]["box"]["map50_95"])
    )
    assert run.data.metrics["figures.arena_bytes"] > 0
    assert run.data.params["model.imgsz"] == "192"
    names = {file.path for file in client.list_artifacts(run.info.run_id)}
    assert {"report.html", "metrics.json"} <= names
