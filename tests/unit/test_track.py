"""MLflow is told of a deliverable: what, under which names, and once."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgemake.errors import UserError
from stages import track

BOARD = {
    "preprocess": "stretch",
    "score": 0.001,
    "reference": "cut_onnx",
    "tiers": {
        "cut_onnx": {
            "runtime": "onnxruntime 1",
            "box": {"map50": 0.9, "per_class": [{"map50": 1}]},
        },
        "tflm": {"box": {"map50": 0.875, "map50_95": None}, "at_threshold": {"f1": 0.5}},
    },
    "drop": {"box": {"map50": 2.5}},
}


def deliverable(folder: Path, drop: float = 2.5) -> Path:
    """A folder as `deliver` leaves it, as far as it is read here."""
    folder.mkdir(parents=True, exist_ok=True)
    board = {**BOARD, "drop": {"box": {"map50": drop}}}
    files: dict[str, Any] = {
        "metrics.json": {"comparable": None, "board": board, "agreement": {"largest": 9}},
        "model.json": {
            "task": "detect",
            "target": {"name": "grove_v2"},
            "figures": {"arena_bytes": 299936, "arena_source": "vela", "latency_ms": None},
        },
        "provenance.json": {
            "config": {
                "model": {"imgsz": 192, "onnx": None},
                "target": {"deliver": {"sscma.cli": "run"}, "operators": ["ADD"] * 5000},
                "train": {"args": {}, "odd,key": "é"},
            },
            "steps": {"package:1": {"stage": "package", "digest": "abc"}},
        },
    }
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content))
    (folder / "report.html").write_text("<p>report</p>")
    return folder


def client(store: Path) -> Any:
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=track.place(str(store)).uri)


def runs(store: Path) -> list[Any]:
    found = client(store).get_experiment_by_name("boards")
    return list(client(store).search_runs([found.experiment_id]))


def test_a_run_says_all_of_a_deliverable_and_is_made_once(tmp_path: Path) -> None:
    store, folder = tmp_path / "a store, new", deliverable(tmp_path / "yolov8n-192-a1b2")
    first = track.log(str(store), "boards", folder)
    assert first is not None
    assert track.log(str(store), "boards", folder) is None
    [run] = runs(store)
    assert (run.info.run_id, run.info.run_name, run.info.status) == (first, folder.name, "FINISHED")
    assert run.data.metrics == {
        "board.cut_onnx.box.map50": 0.9,
        "board.tflm.box.map50": 0.875,
        "board.tflm.at_threshold.f1": 0.5,
        "board.drop.box.map50": 2.5,
        "agreement.largest": 9,
        "figures.arena_bytes": 299936,
    }
    params = run.data.params
    assert (params["model.imgsz"], params["model.onnx"]) == ("192", "null")
    assert (params["target.deliver.sscma.cli"], params["train.odd_key"]) == ("run", "é")
    assert len(params["target.operators"]) == 6000
    assert run.data.tags["edgemake.target"] == "grove_v2"
    assert run.data.tags["edgemake.package"] == "abc"
    names = {file.path for file in client(store).list_artifacts(first)}
    assert names == {"report.html", "metrics.json", "model.json"}
    assert any(store.glob("artifacts/**/report.html")), "files lie in the folder, with the runs"

    deliverable(folder, drop=3)  # measured otherwise: that is news
    second = track.log(str(store), "boards", folder)
    assert second not in (None, first)
    assert len(runs(store)) == 2

    (folder / "metrics.json").write_text("{")
    with pytest.raises(UserError, match="could not be logged"):
        track.log(str(store), "boards", folder)
    assert sorted(run.info.status for run in runs(store)) == ["FAILED", "FINISHED", "FINISHED"]
    deliverable(folder, drop=4)
    assert track.log(str(store), "boards", folder) is not None, "after a failure it goes on"


def test_a_server_that_is_down_is_told_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    folder = deliverable(tmp_path / "yolov8n-192-a1b2")
    with pytest.raises(UserError) as refused:
        track.log("http://127.0.0.1:9", "boards", folder)
    assert "track.mlflow=http://127.0.0.1:9" in str(refused.value)
    assert "The deliverable itself is complete" in str(refused.value)


def test_a_place_that_cannot_be_written_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="could not be logged"):
        track.log(str(tmp_path / "file"), "boards", deliverable(tmp_path / "d"))


def test_without_mlflow_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    track.check("runs")
    monkeypatch.setattr(track, "find_spec", lambda name: None if name == "mlflow" else object())
    with pytest.raises(UserError, match=r"track.mlflow=runs: mlflow cannot.*pip install -e"):
        track.check("runs")


def test_nothing_is_loaded_before_it_is_needed() -> None:
    import subprocess

    words = "import sys, stages.track; stages.track.check('runs'); print('mlflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("uri", ["http://x:5000", "https://x", "sqlite:///a.db", "databricks",
                                 "databricks://profile", "postgresql+psycopg2://x/y"])  # fmt: skip
def test_uris_are_taken_as_they_are(uri: str) -> None:
    assert track.place(uri) == track.Place(uri, None, None)


@pytest.mark.parametrize(
    ("given_", "folder"),
    [("runs", "cwd/runs"), ("./a b", "cwd/a b"), ("~/x", "home/x"), ("/y", "/y"),
     ("file:///y", "/y"), ("databricks_runs", "cwd/databricks_runs")],
)  # fmt: skip
def test_folders_are_relative_to_the_working_directory(
    given_: str, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    found = track.place(given_)
    assert found.folder == tmp_path / folder
    assert found.uri == f"sqlite:///{tmp_path / folder}/mlflow.db"


keys = st.text(min_size=1, max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers()),
    lambda inner: st.dictionaries(keys, inner),
    max_leaves=8,
)


@given(st.dictionaries(keys, values))
def test_leaves_keep_to_mlflows_limits(config: dict[str, Any]) -> None:
    for name, value in track.leaves(config):
        assert 0 < len(name) <= 250
        assert not track.FOREIGN.search(name)
        assert len(value) <= 6000
