"""Which files make up a split, and every fault a label row can have."""

from __future__ import annotations

from pathlib import Path

import pytest

from vision.layout import Fault, label_path, list_split, read_rows, row_fault, stems


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")


@pytest.mark.parametrize(
    ("image", "label"),
    [
        ("images/train/a.jpg", "labels/train/a.txt"),
        ("train/images/a.b.png", "train/labels/a.b.txt"),
        ("images/images/a.jpg", "images/labels/a.txt"),
        ("photos/a.jpg", "photos/a.txt"),
        ("my images/a.jpg", "my images/a.txt"),
    ],
)
def test_label_path(image: str, label: str) -> None:
    assert label_path(image) == label


def test_folder_is_searched_deep_and_sorted(tmp_path: Path) -> None:
    touch(tmp_path, "images/b.JPG", "images/deep/a ö.png", "images/notes.md", "images/.hidden.jpg")
    split = list_split(tmp_path, ["images"])
    assert split.images == ["images/b.JPG", "images/deep/a ö.png"]
    assert split.faults == []


def test_label_without_image_is_a_fault_but_not_the_other_way_round(tmp_path: Path) -> None:
    touch(tmp_path, "images/train/a.jpg", "images/train/background.jpg")
    touch(tmp_path, "labels/train/a.txt", "labels/train/gone.txt", "labels/train/classes.txt")
    split = list_split(tmp_path, ["images/train"])
    assert split.faults == [Fault("labels/train/gone.txt", 0, "has no image")]


def test_list_lines_relative_to_the_list_to_the_root_or_absolute(tmp_path: Path) -> None:
    touch(tmp_path, "images/a.jpg", "images/b.jpg", "lists/c.jpg")
    absolute = tmp_path / "images/b.jpg"
    (tmp_path / "lists/train.txt").write_text(f"./c.jpg\n\nimages/a.jpg\n{absolute}\n")
    split = list_split(tmp_path, ["lists/train.txt"])
    assert split.images == ["images/a.jpg", "images/b.jpg", "lists/c.jpg"]


def test_list_lines_that_lead_nowhere_or_outside(tmp_path: Path) -> None:
    root = tmp_path / "set"
    touch(root, "images/a.jpg")
    touch(tmp_path, "outside.jpg")
    (root / "val.txt").write_text(f"images/a.jpg\nimages/gone.jpg\n{tmp_path / 'outside.jpg'}\n")
    split = list_split(root, ["val.txt"])
    assert [(fault.file, fault.line) for fault in split.faults] == [("val.txt", 2), ("val.txt", 3)]
    assert "outside the data set" in split.faults[1].text


def test_formats_that_cannot_be_checked_are_refused(tmp_path: Path) -> None:
    touch(tmp_path, "images/a.heic")
    split = list_split(tmp_path, ["images"])
    assert "convert it" in str(split.faults[0])


def test_stems_are_unique_without_regard_to_case() -> None:
    images = ["a/1.jpg", "b/1.jpg", "b/1.png", "c/X.jpg", "d/x.jpg", "e/1-2.jpg"]
    chosen = stems(images)
    assert list(chosen.values()) == ["1", "1-2", "1-3", "X", "x-2", "1-2-2"]


@pytest.mark.parametrize(
    "row",
    ["0 0.5 0.5 1 1", "9 0 0 0.01 0.01", "3.0 0.999 0.5 0.01 0.2", "1 0.5 0.5 1.0 1e-3"],
)
def test_good_rows(row: str) -> None:
    assert row_fault(row.split(), 10) is None


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("0 0.5 0.5 1", "has 4 columns"),
        ("0 0.1 0.1 0.2 0.1 0.2 0.2", "has 7 columns"),
        ("cat 0.5 0.5 1 1", "not made of numbers"),
        ("0 nan 0.5 1 1", "not finite"),
        ("0 0.5 inf 1 1", "not finite"),
        ("10 0.5 0.5 1 1", "class 10, but there are 10 classes"),
        ("-1 0.5 0.5 1 1", "class -1"),
        ("1.5 0.5 0.5 1 1", "class 1.5"),
        ("0 96 0.5 1 1", "cx 96 is outside 0..1"),
        ("0 0.5 -0.1 1 1", "cy -0.1"),
        ("0 0.5 0.5 1.2 1", "w 1.2"),
        ("0 0.9 0.5 0.4 0.1", "reaches from 0.700 to 1.100 in x"),
        ("0 0.5 0.5 0 0.1", "no area"),
    ],
)
def test_bad_rows(row: str, words: str) -> None:
    assert words in (row_fault(row.split(), 10) or "")


@pytest.mark.parametrize(
    ("row", "shape"),
    [
        ("0 0.5 0.5 1 1 0.5 0.5 2 0 0 0", (2, 3)),
        ("0 0.5 0.5 1 1 0.5 0.5 1.000000 1.004 0.3 2", (2, 3)),
        ("0 0.5 0.5 1 1 0.5 0.5 0 0", (2, 2)),
    ],
)
def test_good_pose_rows(row: str, shape: tuple[int, int]) -> None:
    assert row_fault(row.split(), 1, shape) is None


@pytest.mark.parametrize(
    ("row", "shape", "words"),
    [
        ("0 0.5 0.5 1 1", (2, 3), "has 11: class cx cy w h and 2 times x y visibility; this is a"),
        ("0 0.5 0.5 1 1", (2, 3), "remove kpt_shape and choose a detection model"),
        ("0 0.5 0.5 1 1 0.5 0.5 2", (2, 3), "has 8 columns, a row with kpt_shape [2, 3] has 11"),
        ("0 0.5 0.5 1 1 0.5 0.5 2 0 0 0", (2, 2), "has 11 columns, a row with kpt_shape [2, 2] h"),
        ("0 0.5 0.5 1 1 0.5 0.5 2 1.2 0 2", (2, 3), "keypoint 2: x 1.2 is outside 0..1"),
        ("0 0.5 0.5 1 1 0.5 -1 0 0 0 2", (2, 3), "keypoint 1: y -1 is outside"),
        ("0 0.5 0.5 1 1 0.5 0.5 0.7 0 0 2", (2, 3), "keypoint 1: visibility 0.7 must be 0"),
        ("0 0.5 0.5 1 1 0.5 0.5 -1 0 0 2", (2, 3), "visibility -1 must be"),
        ("0 0.5 0.5 1 1 0.5 nan 2 0 0 2", (2, 3), "not finite: 0 0.5 0.5 1 1 0.5 nan 2 …"),
        ("1 0.5 0.5 1 1 0.5 0.5 2 0 0 2", (2, 3), "class 1, but there are 1 classes"),
        ("0 0.5 0.5 0 1 0.5 0.5 2 0 0 2", (2, 3), "no area"),
    ],
)
def test_bad_pose_rows(row: str, shape: tuple[int, int], words: str) -> None:
    assert words in (row_fault(row.split(), 1, shape) or "")


def test_keypoints_where_boxes_are_meant() -> None:
    coco = ("0 0.5 0.5 1 1" + " 0.5 0.5 2" * 17).split()
    fault = row_fault(coco, 1) or ""
    assert "has 56 columns, a detection row has 5: class cx cy w h; these are keypoints" in fault
    assert "add kpt_shape: [17, 3] to the data.yaml and choose a pose model" in fault
    outline = "0 0.1 0.1 0.2 0.1 0.2 0.2 0.1 0.2".split()
    assert "keypoints" not in (row_fault(outline, 1) or "keypoints")


def test_every_fault_has_its_line() -> None:
    rows, faults = read_rows("labels/a.txt", "0 .5 .5 1 1\n\n 7 .5  .5 1 1\n0 2 .5 1 1\n", 3)
    assert rows == ["0 .5 .5 1 1", "7 .5 .5 1 1", "0 2 .5 1 1"]
    assert [str(fault).split(": ")[0] for fault in faults] == ["labels/a.txt:3", "labels/a.txt:4"]
