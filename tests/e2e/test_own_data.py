"""One whole small build from a user's own data set, with a training that is killed and resumed."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from e2e.checkout import Checkout, Delivered, own_data

SIDE, IMAGES, EPOCHS = 64, 24, 3


@pytest.fixture(scope="module")
def project(workshop: Checkout) -> Checkout:
    return workshop.only_target()


@pytest.fixture(scope="module")
def overrides(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """A data set and a list file in a folder of an awkward name."""
    folder = tmp_path_factory.mktemp("own") / "Meine Bilder (größer) 画像"
    data = own_data(folder, IMAGES, SIDE)
    images = sorted((folder / "images/val").iterdir())
    chosen = [images[0].relative_to(folder), *images[1:9]]
    listing = folder / "Kalibrierung ü.txt"
    listing.write_text("# relative, then absolute\n" + "\n".join(map(str, chosen)) + "\n")
    return [
        "dataset=custom", f'dataset.path="{data}"', f'quant.calibration.source="{listing}"',
        f"model.imgsz={SIDE}", f"train.epochs={EPOCHS}", "train.batch=8",
    ]  # fmt: skip


@pytest.fixture(scope="module")
def delivered(project: Checkout, overrides: list[str]) -> Delivered:
    """Built in two goes: the first is killed when an epoch has ended."""
    process = project.start(*project.base, *overrides, "deliver")
    project.wait_until("train-*/*/kept/00000[12]", process)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert not project.wait_until_alone(2)
    return project.deliver(*overrides)


def test_the_training_went_on_where_it_was_killed(delivered: Delivered) -> None:
    assert delivered.records["train"]["resumed"] is True
    rows = delivered.file("train", "results.csv").read_text().splitlines()
    assert [row.partition(",")[0] for row in rows[1:]] == [str(i + 1) for i in range(EPOCHS)]
    assert delivered.json("train", "train.json")["epochs"] == EPOCHS


def test_the_data_set_was_built_once(project: Checkout, delivered: Delivered) -> None:
    digest = delivered.records["dataset"]["digest"]
    assert [line["digest"] for line in project.executions()].count(digest) == 1


def test_the_deliverable_is_of_this_data(delivered: Delivered) -> None:
    model = delivered.model
    assert model["classes"] == ["blå", "röd"]
    assert model["input"]["shape"] == [1, SIDE, SIDE, 3]
    assert model["contract"]["passed"] is True
    report = delivered.json("calibration", "calibration.json")
    assert sorted(image["name"] for image in report["images"]) == [
        f"images/val/bild {IMAGES + i:03d} ä.png" for i in range(9)
    ]
    names = {entry["image"] for entry in
             delivered.json("dataset", "manifest.json")["splits"]["train"]}  # fmt: skip
    assert len(names) == IMAGES


def test_the_same_again_runs_nothing(
    project: Checkout, delivered: Delivered, overrides: list[str]
) -> None:
    assert delivered.path.is_dir()
    assert project.build(*overrides) == []


def test_given_weights_need_no_training(
    project: Checkout, delivered: Delivered, overrides: list[str], tmp_path: Path
) -> None:
    """The checkpoint just trained, given as a user's own: the same network comes out."""
    weights = tmp_path / "mein Netz.pt"
    weights.write_bytes(delivered.file("train", "best.pt").read_bytes())
    source = next(o for o in overrides if o.startswith("quant."))
    began = len(project.executions())
    again = project.deliver(
        "train=none", f'model.weights="{weights}"', f"model.imgsz={SIDE}", source
    )
    # The same bytes by another way: all but the package is found in the store.
    assert [line["stage"] for line in project.executions()[began:]] == ["package"]
    assert "dataset" not in again.records
    name = "model_vela.tflite"
    assert again.model["files"][name] == delivered.model["files"][name]
