"""Label files of a data set as annotations in COCO's sense: the ground truth of an evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

AREA = 0.53
"""Part of a box that a person fills: COCO divides by an object's area where it weighs keypoints,
and boxes are all that YOLO labels state. ultralytics takes the same figure (its pose/val.py),
which comes from xtcocotools' cocoeval.py."""
BOX = 5
"""Columns of a label row before the keypoints: class, centre x and y, width, height."""
VISIBLE = 2.0
"""Visibility of a keypoint whose label states none."""

Annotation = dict[str, Any]


@dataclass(frozen=True)
class Truth:
    """The images that count, and what is on them."""

    sizes: Sequence[tuple[int, int]]
    """Width and height of each image, pixels."""
    classes: Sequence[str]
    annotations: list[Annotation]
    """As COCO has them: box `[x, y, width, height]` and keypoints in pixels; images and classes
    are counted from 0, ids from 1: pycocotools takes a match with id 0 for none."""

    @property
    def instances(self) -> list[int]:
        """How many objects of each class there are."""
        found = [annotation["category_id"] for annotation in self.annotations]
        return [found.count(index) for index in range(len(self.classes))]


def read_truth(
    texts: Sequence[str],
    sizes: Sequence[tuple[int, int]],
    classes: Sequence[str],
    shape: tuple[int, int] | None,
) -> Truth:
    """`texts`: the label file of each image, rows `class cx cy w h [keypoints]` in parts of it.

    `shape`: how many keypoints, and how many values each; None: boxes alone are read. Rows that
    stand twice count once, as ultralytics counts them.
    """
    found: list[Annotation] = []
    for image, (text, size) in enumerate(zip(texts, sizes, strict=True)):
        for row in dict.fromkeys(text.splitlines()):
            if values := [float(field) for field in row.split()]:
                found.append(_annotation(values, size, shape))
                found[-1] |= {"id": len(found), "image_id": image}
    return Truth(sizes, classes, found)


def _annotation(
    values: Sequence[float], size: tuple[int, int], shape: tuple[int, int] | None
) -> Annotation:
    width, height = size
    wide, high = values[3] * width, values[4] * height
    annotation: Annotation = {
        "category_id": int(values[0]),
        "bbox": [values[1] * width - wide / 2, values[2] * height - high / 2, wide, high],
        "area": wide * high * AREA,
        "iscrowd": 0,
    }
    if shape is not None:
        points = _keypoints(values[BOX:], size, shape[1])
        annotation["keypoints"] = points
        annotation["num_keypoints"] = sum(seen > 0 for seen in points[2::3])
    return annotation


def _keypoints(values: Sequence[float], size: tuple[int, int], each: int) -> list[float]:
    """x, y in pixels and visibility, of all keypoints in one list."""
    width, height = size
    points: list[float] = []
    for start in range(0, len(values), each):
        x, y = values[start : start + 2]
        # Two values: ultralytics holds a point for labelled unless it lies beside the picture.
        stated = VISIBLE if x >= 0 and y >= 0 else 0.0
        points += [x * width, y * height, values[start + 2] if each == 3 else stated]
    return points


def label_paths(manifest: Mapping[str, Any], split: str, images: Sequence[str]) -> list[str]:
    """Where the labels of images (file names) lie below data/. Raises KeyError for another one."""
    known = {
        entry["image"].rpartition("/")[2]: str(entry["label"])
        for entry in manifest["splits"][split]
    }
    return [known[image] for image in images]
