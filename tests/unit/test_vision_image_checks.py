"""Warnings about calibration images that a quantizer would take in silence."""

from __future__ import annotations

from dataclasses import replace

from vision.image_checks import FEW, Seen, warnings

GOOD = Seen("a.jpg", 640, 480, 0, 255, grey=False)


def of(*images: Seen, side: int = 192) -> list[str]:
    """Warnings of these among enough good ones."""
    return warnings([*images, *[GOOD] * FEW], side)


def test_good_ones_say_nothing() -> None:
    assert of() == []


def test_few_images() -> None:
    assert warnings([GOOD], 192) == [
        "1 image is too few to stand for all that the camera will see: the int8 ranges fit these "
        "only; take dozens at least"
    ]
    assert warnings([GOOD] * (FEW - 1), 192)[0].startswith("9 images are too few")
    assert warnings([GOOD] * FEW, 192) == []


def test_pictures_that_show_nothing_are_named_and_counted() -> None:
    flat = [replace(GOOD, name=f"{i}.jpg", lowest=100, highest=103) for i in range(5)]
    [said] = of(*flat)
    assert said.startswith("pictures that show nothing")
    assert said.endswith(": 0.jpg, 1.jpg, 2.jpg and 2 more")
    assert of(replace(flat[0], highest=110)) == []


def test_pictures_much_smaller_than_the_input() -> None:
    [said] = of(replace(GOOD, width=95, height=60))
    assert said.startswith("pictures less than half as large as the input (192 pixels)")
    assert said.endswith(": a.jpg")
    assert of(replace(GOOD, width=96, height=60)) == []


def test_grey_is_reported_when_there_is_no_colour_at_all() -> None:
    grey = replace(GOOD, grey=True)
    assert of(grey) == []
    [said] = warnings([grey] * FEW, 192)
    assert said.startswith("all images are grey, and the network takes colour")


def test_a_range_that_leaves_out_black_or_white() -> None:
    [said] = warnings([replace(GOOD, lowest=20, highest=230)] * FEW, 192)
    assert said.startswith("no pixel is darker than 20 or brighter than 230 (of 0 to 255)")
    assert of(replace(GOOD, lowest=20, highest=230)) == []
    assert warnings([replace(GOOD, lowest=13, highest=242)] * FEW, 192) == []
