"""What a training is made of, what it resumes from, and what it tells while it runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from edgemake.errors import UserError
from edgemake.step import Step, UserFile
from stages import train
from vision.kept_epochs import KeptEpochs
from vision.train_arguments import ARGUMENTS
from vision.train_progress import EpochProgress, losses, time_left


def config(**values: Any) -> Any:
    training = {"epochs": 3, "batch": 8, "imgsz": None, "seed": 0, "device": "cpu", "workers": 7}
    return SimpleNamespace(
        train=SimpleNamespace(**{**training, "args": {"lr0": 0.01}, **values}),
        model=SimpleNamespace(
            name="yolov8n", architecture="yolov8n.yaml", task="detect", imgsz=192, weights=None
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
    assert train._without_time(curves) == [
        {"epoch": "1", "train/box_loss": "2.5"},
        {"epoch": "2", "train/box_loss": "2.25"},
    ]
