"""What a training is made of, what it resumes from, and what it tells while it runs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from edgemake.errors import UserError
from edgemake.step import Step, UserFile
from edgemake.work import StageError, Work
from stages import train
from vision.kept_epochs import KeptEpochs
from vision.train_arguments import ARGUMENTS
from vision.train_progress import EpochProgress, accuracy, losses, time_left
from vision.train_results import figures, write_curves


def config(**values: Any) -> Any:
    training = {"epochs": 3, "batch": 8, "imgsz": None, "seed": 0, "device": "cpu", "workers": 7}
    return SimpleNamespace(
        train=SimpleNamespace(**{**training, "args": {"lr0": 0.01}, **values}),
        model=SimpleNamespace(
            name="yolov8n",
            architecture="yolov8n.yaml",
            activation="silu",
            task="detect",
            imgsz=192,
            weights=None,
        ),
        lock=lambda name: f"{name}-lock",
    )


DATASET = Step("dataset", {}, {}, ("manifest.json", "data"))


def test_machine_is_no_param() -> None:
    one = train.plan(config(), DATASET, None)
    other = train.plan(config(device="0", workers=1), DATASET, None)
    assert one.params == other.params
    assert one.resumable


def test_size_of_the_export_unless_given() -> None:
    assert train.plan(config(), DATASET, None).params.imgsz == 192
    assert train.plan(config(imgsz=128), DATASET, None).params.imgsz == 128


def test_weights_are_an_input() -> None:
    weights = UserFile(Path("my.pt"))
    assert train.plan(config(), DATASET, weights).inputs["weights.pt"] == weights
    assert "weights.pt" not in train.plan(config(), DATASET, None).inputs


@pytest.mark.parametrize(
    ("key", "fix"),
    [
        ("epochs", "use train.epochs"),
        ("project", "remove it"),
        ("cfg", "remove it"),
        ("time", "remove it"),
        ("distill_model", "remove it"),
        ("save_dir", "remove it"),
    ],
)
def test_arguments_that_are_not_the_users(key: str, fix: str) -> None:
    with pytest.raises(UserError, match=f"train.args.{key}=1 .*{fix}"):
        train.plan(config(args={key: 1}), DATASET, None)


@pytest.mark.parametrize(("key", "meant"), [("lr00", "lr0"), ("mosiac", "mosaic")])
def test_arguments_that_ultralytics_does_not_have(key: str, meant: str) -> None:
    with pytest.raises(UserError, match=rf"train\.args\.{key}: .*; did you mean '{meant}'\?"):
        train.plan(config(args={key: 0.1}), DATASET, None)


def test_every_other_argument_can_be_set() -> None:
    assert train.OWN_KEYS < ARGUMENTS
    assert {*ARGUMENTS, "save_dir"} > train.RESERVED  # the trainer takes that one besides
    given = dict.fromkeys(ARGUMENTS - train.RESERVED - train.OWN_KEYS, 1)
    assert train.plan(config(args=given), DATASET, None).params.args == given


def epoch(folder: Path, number: int, stop: bool = False) -> Any:
    for name in ("last.pt", "best.pt", "results.csv"):
        (folder / name).write_text(f"{name} of {number}")
    return SimpleNamespace(
        epoch=number,
        stop=stop,
        last=folder / "last.pt",
        best=folder / "best.pt",
        csv=folder / "results.csv",
    )


def test_only_the_last_whole_epoch_is_kept(tmp_path: Path) -> None:
    kept = KeptEpochs(tmp_path / "kept")
    assert kept.newest() is None
    for number in range(12):
        kept.keep(epoch(tmp_path, number))
    (tmp_path / "kept/new").mkdir()  # what a kill in the middle leaves
    newest = kept.newest()
    assert newest is not None
    assert (newest / "last.pt").read_text() == "last.pt of 11"
    assert sorted(path.name for path in newest.parent.iterdir()) == ["000012", "new"]
    assert not kept.finished(newest)


def test_the_epoch_that_ends_the_training_is_marked(tmp_path: Path) -> None:
    kept = KeptEpochs(tmp_path / "kept")
    kept.keep(epoch(tmp_path, 4, stop=True))
    newest = kept.newest()
    assert newest is not None
    assert kept.finished(newest)


def test_an_epoch_without_a_finite_accuracy_is_not_kept(tmp_path: Path) -> None:
    broken = epoch(tmp_path, 0)
    broken.best.unlink()
    kept = KeptEpochs(tmp_path / "kept")
    kept.keep(broken)
    assert kept.newest() is None


def test_progress_of_a_resumed_training(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([100.0, 130.0])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    said: list[tuple[float, float, str]] = []
    progress = EpochProgress(lambda *words: said.append(words), epochs=10)
    trainer = SimpleNamespace(
        epoch=6,
        train_loader=range(2),
        tloss={"box_loss": 1.234, "cls_loss": 0.5},
        metrics={"metrics/mAP50(B)": 0.71},
    )
    progress.epoch_started(trainer)
    progress.batch_ended(trainer)
    assert said == [
        (6.5, 10, "epoch 7/10, box 1.23 cls 0.50, mAP50 0.71, about 4 min left"),
    ]
    quiet = replace(progress)
    monkeypatch.setattr("time.monotonic", lambda: 130.1)
    quiet.batch_ended(trainer)
    assert len(said) == 1


def test_words_for_time() -> None:
    assert time_left(0) == "about 10 s left"
    assert time_left(44) == "about 40 s left"
    assert time_left(200) == "about 3 min left"
    assert time_left(9000) == "about 2.5 h left"
    assert losses({}) == ""


def test_curves_lose_their_clock(tmp_path: Path) -> None:
    curves = tmp_path / "results.csv"
    curves.write_text("epoch,time,train/box_loss\n1,7.3,2.5\n2,14.1,2.25\n")
    assert write_curves(curves, tmp_path / "out.csv") == 2
    assert (tmp_path / "out.csv").read_bytes() == b"epoch,train/box_loss\n1,2.5\n2,2.25\n"


BOXES = {
    "metrics/precision(B)": 0.5,
    "metrics/recall(B)": 0.25,
    "metrics/mAP50(B)": 0.1234567,
    "metrics/mAP50-95(B)": 0.0625,
    "fitness": 0.1,
}


def test_figures_of_boxes_and_of_keypoints() -> None:
    of_boxes = {"map50": 0.12346, "map50_95": 0.0625, "precision": 0.5, "recall": 0.25}
    assert figures(BOXES) == of_boxes
    keypoints = {"metrics/mAP50(P)": 0.75, "metrics/mAP50-95(P)": 0.375}
    assert figures(BOXES | keypoints) == {**of_boxes, "pose_map50": 0.75, "pose_map50_95": 0.375}


def test_accuracy_in_words() -> None:
    assert accuracy({}) == []
    assert accuracy({"metrics/mAP50(B)": 0.0}) == []
    found = accuracy({"metrics/mAP50(B)": 0.712, "metrics/mAP50(P)": 0.43})
    assert found == ["mAP50 0.71", "keypoints 0.43"]


MANIFEST = {"schema": 1, "names": ["person"], "kpt_shape": [4, 3], "flip_idx": [1, 0, 3, 2]}


def handed(tmp_path: Path, task: str, manifest: dict[str, Any]) -> dict[str, Any]:
    """What the trainer is handed for this manifest."""
    for kind in ("images", "labels"):
        for split in ("train", "val"):
            (tmp_path / "data" / kind / split).mkdir(parents=True)
    (tmp_path / "data/images/val/a.png").write_bytes(b"picture")
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    inputs = {name: tmp_path / name for name in ("manifest.json", "data")}
    work = Work(inputs, tmp_path / "out", tmp_path / "scratch", cores=1)
    params = replace(train.plan(config(), DATASET, None).params, task=task)
    return train._data(params, work)


def test_data_for_boxes_knows_no_keypoints(tmp_path: Path) -> None:
    data = handed(tmp_path, "detect", MANIFEST)
    assert (data["nc"], data["names"], data["channels"]) == (1, {0: "person"}, 3)
    assert not {"kpt_shape", "flip_idx"} & set(data)
    assert (Path(data["val"]) / "a.png").read_bytes() == b"picture"
    assert (tmp_path / "scratch") in Path(data["val"]).parents  # caches fall beside the images


def test_data_for_pose_says_its_keypoints(tmp_path: Path) -> None:
    data = handed(tmp_path, "pose", MANIFEST)
    assert (data["kpt_shape"], data["flip_idx"]) == ([4, 3], [1, 0, 3, 2])


def test_without_pairs_of_keypoints_nothing_is_mirrored(tmp_path: Path) -> None:
    data = handed(tmp_path, "pose", {**MANIFEST, "flip_idx": None})
    assert "flip_idx" not in data


def test_pose_needs_keypoints(tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"model\.task=pose.*no keypoints.*pose data set"):
        handed(tmp_path, "pose", {**MANIFEST, "kpt_shape": None})
