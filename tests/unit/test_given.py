"""A network taken as it is must fit the board, and the images that it is calibrated with."""

from __future__ import annotations

import re

import pytest
from stage_configs import config

from edgemake.errors import UserError
from stages import given
from stages.dataset import Known
from vision.network_identity import Classes

DIGITS = Classes(10, tuple("0123456789"))
LABELLED = Known("detect", 10, DIGITS.names)
PETS = Classes(2, ("cat", "dog"))
GIVEN = ("train=none", "model.weights=my.pt")


def test_the_same_classes_agree() -> None:
    given.examine(config(*GIVEN), DIGITS, DIGITS)
    given.examine(config(*GIVEN), Classes(10, None), DIGITS)  # a release: their number is known
    given.examine(config(*GIVEN), PETS, Classes(2, None))  # a download: their number is known


@pytest.mark.parametrize(
    ("network", "words"),
    [
        (PETS, "my.pt knows cat, dog, but would be calibrated"),
        (Classes(80, None), "knows 80 classes"),
        (Classes(10, tuple("abcdefghij")), "knows 10 classes (a, …)"),
    ],
)
def test_other_images_than_it_was_trained_on(network: Classes, words: str) -> None:
    rest = r"dataset=digits, which shows 10 classes \(0, …\).*calibration\.source=FOLDER"
    with pytest.raises(UserError, match=f"{re.escape(words)}.*{rest}"):
        given.examine(config(*GIVEN), network, DIGITS)


def test_the_users_own_images_are_the_users_choice() -> None:
    chosen = config(*GIVEN, "quant.calibration.source=my_images")
    given.examine(chosen, PETS, DIGITS)
    given.examine(chosen, PETS, None)


def test_a_training_gives_it_the_classes_of_the_data() -> None:
    given.examine(config("model.weights=my.pt"), PETS, DIGITS)


@pytest.mark.parametrize("classes", [64, 1001])
def test_class_counts_that_the_board_cannot_tell(classes: int) -> None:
    with pytest.raises(UserError, match=rf"model\.weights=my\.pt has {classes} classes: .*; train"):
        given.examine(config(*GIVEN), Classes(classes, None), Classes(classes, None))


def test_what_is_not_known_is_left_to_the_stages() -> None:
    given.examine(config(*GIVEN), None, DIGITS)


def test_tiers_of_each_kind_of_board() -> None:
    assert given.tiers(config(), None, LABELLED) == (
        "pytorch", "onnx", "cut_onnx", "litert", "tflm",
    )  # fmt: skip
    assert given.tiers(config("target=spacemit_k1"), None, LABELLED)[-1] == "q_onnx"
    assert given.tiers(config("evaluate.tiers=[tflm,onnx]"), None, LABELLED) == ("onnx", "tflm")
    assert given.tiers(config("evaluate.tiers=[]"), None, LABELLED) == ()


def test_nothing_to_measure_with() -> None:
    assert given.tiers(config(), None, None) == ()
    assert given.tiers(config(*GIVEN), PETS, LABELLED) == ()
    assert given.tiers(config("model=yolov8n_pose"), None, LABELLED) == ()
    with pytest.raises(UserError, match=r"evaluate\.tiers=\['tflm'\]: the model knows cat, dog"):
        given.tiers(config(*GIVEN, "evaluate.tiers=[tflm]"), PETS, LABELLED)
    with pytest.raises(UserError, match="tflm does not apply to SpacemiT K1"):
        given.tiers(config("target=spacemit_k1", "evaluate.tiers=[tflm]"), None, LABELLED)
