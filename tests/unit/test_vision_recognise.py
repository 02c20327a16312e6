"""The form of a file's outputs, told by their shapes; and what looks like one and is none."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision.recognise import Form, Geometry, Named, Shapes, looks_like, recognise, trap

BOARD = Geometry((8, 16, 32), 64, 3)
N = 756  # 576 + 144 + 36 at 192 pixels


def six(classes: int, side: int = 192) -> list[tuple[int, ...]]:
    return [(1, cells, c) for cells in BOARD.grids(side) for c in (64, classes)]


def branch(classes: int) -> list[tuple[int, ...]]:
    return [(1, c, s, s) for s in (24, 12, 6) for c in (64, classes, 1)]


@pytest.mark.parametrize(
    ("kind", "shapes", "form"),
    [
        ("tflite", six(10), Form("six_raw", "detect", 10)),
        ("tflite", six(64), Form("six_raw", "detect", 64)),
        ("tflite", [*six(1), (1, N, 51)], Form("seven_raw", "pose", 1, (17, 3))),
        ("tflite", [*six(2), (1, N, 15)], Form("seven_raw", "pose", 2, (5, 3))),
        ("tflite", [(1, 14, N)], Form("decoded_normalised", "detect", 10)),
        ("tflite", [(1, 4, N), (1, N, 10)], Form("decoded_pair", "detect", 10)),
        ("tflite", [(1, N, 10), (1, 4, N)], Form("decoded_pair", "detect", 10)),
        ("onnx", [(1, 14, N)], Form("decoded", "detect", 10)),
        ("onnx", [(1, 56, N)], Form("decoded", "pose", 1, (17, 3))),
        ("onnx", branch(10), Form("branch", "detect", 10)),
        ("onnx", branch(1), Form("branch", "detect", 1)),
    ],
)
def test_forms_are_told_by_their_shapes(kind: str, shapes: Shapes, form: Form) -> None:
    assert recognise(kind, shapes, 192, BOARD) == form


@given(st.integers(1, 80), st.integers(1, 40), st.integers(0, 100))
def test_raw_outputs_come_in_any_order(classes: int, cells: int, seed: int) -> None:
    shapes = six(classes, 32 * cells)
    random.Random(seed).shuffle(shapes)
    assert recognise("tflite", shapes, 32 * cells, BOARD) == Form("six_raw", "detect", classes)


def test_metadata_says_what_rows_cannot() -> None:
    rows = [(1, 4 + 2 + 5 * 3, N)]
    pose = Named("pose", 2, (5, 3))
    assert recognise("onnx", rows, 192, BOARD, pose) == Form("decoded", "pose", 2, (5, 3))
    assert recognise("onnx", [(1, 56, N)], 192, BOARD, Named("detect", 52)) == Form(
        "decoded", "detect", 52
    )
    assert recognise("onnx", [(1, 10, N)], 192, BOARD, pose) is None  # no room for a class


@pytest.mark.parametrize(
    ("shapes", "words"),
    [
        ([(1, N, 14)], "a cell after a cell"),
        ([(1, 14, 2100)], "not the 756 cells"),
        ([(1, 1000)], "a classifier"),
        ([(1, 3 * N, 85)], "YOLOv5"),
        ([(1, 300, 6)], "NMS"),
        ([(1, 24, 24, 74)], "4 axes"),
        ([(1, 64, 24, 24), (1, 10, 24, 24)], "4 axes"),
        ([(1, n, c) for n in (576, 144, 36) for c in (64, 1, 51)], "nine raw branches"),
        (six(10)[:5], "no end of a YOLOv8"),
        (six(10, 224), "no end of a YOLOv8"),
        ([*six(10), (1, N, 50)], "no end of a YOLOv8"),
        ([(1, n, c) for n, m in ((576, 9), (144, 10), (36, 10)) for c in (64, m)], "no end"),
        ([*six(1), (1, N, 3), (1, N, 3)], "no end"),
    ],
)
def test_what_is_of_no_form_is_described(shapes: Shapes, words: str) -> None:
    assert recognise("tflite", shapes, 192, BOARD) is None
    assert words in looks_like(shapes, 192, BOARD)


def test_a_form_of_other_boards_is_named() -> None:
    assert looks_like(branch(10), 192, BOARD).endswith("branch (detect), 10 classes")


def test_without_a_square_picture_nothing_is_told() -> None:
    assert recognise("tflite", six(10), 0, BOARD) is None
    assert "no square picture" in looks_like(six(10), 0, BOARD)


def test_a_stock_pose_export_is_no_detector_of_52_classes() -> None:
    stock = Form("decoded_normalised", "detect", 52)
    assert "52 classes" in trap(stock, [0.75], 0.1)
    assert "stock pose" in trap(stock, [], 0.1)  # float
    assert trap(stock, [1 / 255], 0.1) == ""  # in parts of the image: a detector after all
    assert trap(Form("decoded_normalised", "detect", 51), [0.75], 0.1) == ""
    assert trap(stock, [0.75], None) == ""


def test_words_for_people() -> None:
    assert (
        Form("seven_raw", "pose", 1, (17, 3)).words() == "seven_raw (pose), 1 class, 17 keypoints"
    )
