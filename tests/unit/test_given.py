"""A network taken as it is must fit the board, and the images that it is calibrated with."""

from __future__ import annotations

import re

import pytest
from stage_configs import config

from edgemake.errors import UserError
from stages import given
from vision.network_identity import Classes

DIGITS = Classes(10, tuple("0123456789"))
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
