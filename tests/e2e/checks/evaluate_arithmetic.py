"""Holds what `evaluate` counts against figures that can be told by hand, and against slow and
plain reckoning on random boxes. Runs in toolchain `evaluation`; prints how many random cases."""

from __future__ import annotations

import json
import random
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from edgemake.work import StageError, Work
from stages.evaluate import Params, run
from vision.coco import Predictions, count
from vision.coco_labels import Truth, read_truth
from vision.coco_tables import Accuracy, mean

SIDE = 100
Box = list[float]
Found = tuple[int, int, float, Box]
"""(image, class, score, corners in pixels)"""


def truth(boxes: list[list[tuple[int, Box]]], classes: int = 1, **points: Any) -> Truth:
    """Labels as a data set has them: (class, corners in pixels) for each image."""
    texts = []
    for image, objects in enumerate(boxes):
        rows = []
        for number, (kind, (x1, y1, x2, y2)) in enumerate(objects):
            values = [(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1]
            row = [str(kind), *(repr(value / SIDE) for value in values)]
            rows.append(" ".join(row + points.get("rows", {}).get((image, number), [])))
        texts.append("\n".join(rows))
    names = [f"class {i}" for i in range(classes)]
    return read_truth(texts, [(SIDE, SIDE)] * len(boxes), names, points.get("shape"))


def predictions(found: list[Found], points: Any = None) -> Predictions:
    """As `predict` leaves them."""
    columns = list(zip(*found, strict=True)) or [(), (), (), ()]
    return Predictions(
        np.array(columns[0], np.int32),
        np.array(columns[1], np.int32),
        np.array(columns[2], np.float32),
        np.array(columns[3], np.float32).reshape(-1, 4),
        None if points is None else np.array(points, np.float32),
    )


def boxes(real: Truth, found: list[Found], threshold: float = 0.5) -> Accuracy:
    return count(real, predictions(found), "bbox", None, threshold)


def near(one: float | None, other: float) -> bool:
    return one is not None and abs(one - other) < 1e-6


def check_boxes() -> None:
    """Each on its own: what is perfect, shifted, missing, there twice, or nowhere."""
    objects = [[(0, [10.0, 10.0, 50.0, 50.0])], [(0, [20.0, 30.0, 60.0, 90.0])]]
    real = truth(objects)
    perfect: list[Found] = [(i, 0, 0.9 - i / 10, rows[0][1]) for i, rows in enumerate(objects)]
    good = boxes(real, perfect)
    assert near(good.map50[0], 1) and near(good.map50_95[0], 1)
    assert (good.hits, good.wrong, good.wanted) == (2, 0, 2)
    assert good.precision == [1.0] * 101

    one = truth([[(0, [0.0, 0.0, 50.0, 50.0])]])
    shifted = boxes(one, [(0, 0, 0.9, [12.0, 0.0, 62.0, 50.0])])  # IoU 38/62: three thresholds
    assert near(shifted.map50[0], 1) and near(shifted.map50_95[0], 0.3)

    assert (shifted.hits, shifted.wrong) == (1, 0)

    half = boxes(real, perfect[:1])  # recall 0, 0.01, … 0.5 are reached: 51 points of 101
    assert near(half.map50[0], 51 / 101)
    assert (half.hits, half.wrong, half.wanted) == (1, 0, 2)

    twice = boxes(real, [*perfect, *[(i, 0, 0.6, b) for i, _, _, b in perfect]])
    assert near(twice.map50[0], 1) and (twice.hits, twice.wrong) == (2, 2)

    wrong_first = boxes(one, [(0, 0, 0.9, [60.0, 60.0, 90.0, 90.0]), (0, 0, 0.8, [0, 0, 50, 50])])
    assert near(wrong_first.map50[0], 0.5)

    nothing = boxes(real, [])
    assert nothing.map50 == nothing.map50_95 == [0.0]
    assert (nothing.hits, nothing.wrong, nothing.wanted) == (0, 0, 2)
    assert nothing.precision == [0.0] * 101


def check_classes() -> None:
    """A class that is never there counts nowhere; what is taken for another class is wrong."""
    real = truth([[(0, [10.0, 10.0, 50.0, 50.0]), (1, [60.0, 60.0, 90.0, 90.0])]], classes=3)
    found = boxes(real, [(0, 0, 0.9, [10, 10, 50, 50]), (0, 2, 0.9, [60, 60, 90, 90])])
    assert near(found.map50[0], 1) and found.map50[1:] == [0.0, None]
    assert near(mean(found.map50), 0.5)
    assert found.instances == [1, 1, 0]
    assert (found.hits, found.wrong, found.wanted) == (1, 1, 2)


def check_threshold() -> None:
    """What is exactly as sure as asked counts, though 0.7 as a float32 is less than 0.7."""
    real = truth([[(0, [10.0, 10.0, 50.0, 50.0])]])
    for score, hits in ((0.7, 1), (0.7001, 1), (0.6999, 0)):
        found = boxes(real, [(0, 0, score, [10, 10, 50, 50])], 0.7)
        assert (found.hits, found.wrong) == (hits, 0)


def check_labels() -> None:
    """A row that stands twice counts once; empty lines and empty files are no objects."""
    row = "0 0.5 0.5 0.2 0.2"
    assert (
        len(read_truth([f"{row}\n\n{row}\n", "", "\n"], [(9, 9)] * 3, ["a"], None).annotations) == 1
    )
    pair = read_truth(["0 .5 .5 .2 .2 .1 .2 -.01 .4"], [(100, 50)], ["a"], (2, 2))
    assert pair.annotations[0]["keypoints"] == [10.0, 10.0, 2.0, -1.0, 20.0, 0.0]
    assert pair.annotations[0]["num_keypoints"] == 1


def pose(rows: dict[tuple[int, int], list[str]], found: list[Any], points: int) -> Accuracy:
    """Two people on one image, found with these keypoints."""
    people = [(0, [0.0, 0.0, 40.0, 50.0]), (0, [50.0, 50.0, 90.0, 100.0])]
    real = truth([people], rows=rows, shape=(points, 3))
    surest: list[Found] = [(0, 0, 0.9 - i / 10, box) for i, (_, box) in enumerate(people)]
    return count(real, predictions(surest, found), "keypoints", (points, 3), 0.5)


def check_keypoints() -> None:
    """Two keypoints have sigma 1/2: OKS = exp(-d² / (2 * area)), area = 0.53 of the box."""
    label = ["0.1", "0.1", "2", "0.3", "0.3", "1"]
    other = ["0.6", "0.6", "2", "0.7", "0.7", "2"]
    exact = [[[10, 10, 1], [30, 30, 1]], [[60, 60, 1], [70, 70, 1]]]
    both = {(0, 0): label, (0, 1): other}
    assert near(pose(both, exact, 2).map50_95[0], 1)

    away = (-2 * 0.53 * 40 * 50 * np.log(0.77)) ** 0.5  # OKS 0.77: six thresholds of ten
    moved = [[[x + away, y, 1] for x, y, _ in person] for person in exact]
    found = pose(both, moved, 2)
    assert near(found.map50[0], 1) and near(found.map50_95[0], 0.6)

    hidden = {**both, (0, 0): [*label[:3], "0", "0", "0"]}
    far = [[exact[0][0], [99, 99, 1]], exact[1]]  # what is not labelled may be anywhere
    assert near(pose(hidden, far, 2).map50_95[0], 1)

    nobody = {**both, (0, 0): ["0"] * 6}  # no labelled keypoint: neither hit nor wrong
    left = pose(nobody, exact, 2)
    assert near(left.map50_95[0], 1)
    assert (left.instances, left.wanted, left.hits, left.wrong) == ([1], 1, 1, 0)

    # COCO's 17: a nose 5 px away is wrong, a hip 5 px away is nearly right.
    for joint, sigma, least in ((0, 0.026, False), (11, 0.107, True)):
        label = [
            str(part) for k in range(17) for part in ((0.2, 0.2, 2) if k == joint else [0] * 3)
        ]
        found = pose({(0, 0): label, (0, 1): label}, [[[25, 20, 1]] * 17] * 2, 17)
        oks = np.exp(-(5**2) / (2 * (2 * sigma) ** 2 * 0.53 * 40 * 50))
        reached = sum(oks >= 0.5 + 0.05 * i for i in range(10)) / 10
        assert near(found.map50_95[0], reached) and (reached > 0) == least


def overlap(one: Box, other: Box) -> float:
    """Intersection over union."""
    sides = [min(one[i + 2], other[i + 2]) - max(one[i], other[i]) for i in (0, 1)]
    both = max(0.0, sides[0]) * max(0.0, sides[1])
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return both / (sum(areas) - both)


def plainly(objects: list[list[Box]], found: list[Found], limit: float) -> float:
    """Average precision of one class at one IoU, as one would tell it."""
    taken: set[tuple[int, int]] = set()
    right = []
    for image, _, _, box in sorted(found, key=lambda f: -f[2]):
        free = [
            (overlap(box, other), n)
            for n, other in enumerate(objects[image])
            if (image, n) not in taken and overlap(box, other) >= limit
        ]
        taken |= {(image, max(free)[1])} if free else set()
        right.append(bool(free))
    wanted = sum(map(len, objects))
    hits = np.cumsum(right)
    points = [
        max((hits[i] / (i + 1) for i in range(len(right)) if hits[i] / wanted >= r), default=0.0)
        for r in np.linspace(0, 1, 101)
    ]
    return float(np.mean(points))


def check_random(draw: random.Random) -> None:
    """Random objects, found more or less."""
    objects: list[list[Box]] = []
    found: list[Found] = []
    for image in range(draw.randint(1, 4)):
        objects.append([])
        for _ in range(draw.randint(image == 0, 5)):
            x, y = draw.randint(0, 60), draw.randint(0, 60)
            box = [
                float(x),
                float(y),
                x + float(draw.randint(8, 40)),
                y + float(draw.randint(8, 40)),
            ]
            objects[-1].append(box)
            for _ in range(draw.randint(0, 2)):
                moved = [value + draw.randint(-5, 5) for value in box]
                if moved[2] > moved[0] and moved[3] > moved[1]:
                    score = round(0.02 + 0.9 * draw.random(), 2) + len(found) / 1e4
                    found.append((image, 0, score, moved))
    got = boxes(truth([[(0, box) for box in row] for row in objects]), found)
    every = [plainly(objects, found, limit) for limit in np.linspace(0.5, 0.95, 10)]
    assert near(got.map50[0], every[0])
    assert near(got.map50_95[0], float(np.mean(every)))


class Case:
    """A data set of three images and predictions of some tiers, as the stage takes them."""

    def __init__(self, folder: Path, labels: list[str]) -> None:
        self.folder, self.inputs = folder, {"data": folder / "data"}
        (folder / "data/labels/val").mkdir(parents=True)
        self.images = [f"v{i}.jpg" for i in range(len(labels))]
        entries = []
        for name, text in zip(self.images, labels, strict=True):
            label = f"labels/val/{name[:-4]}.txt"
            (folder / "data" / label).write_text(text)
            entries.append({"image": f"images/val/{name}", "label": label})
        self.json("manifest.json", {"names": ["a", "b"], "splits": {"val": entries}})
        self.json("head.json", {"outputs": [{"name": "box_8"}, {"name": "class_8"}]})

    def json(self, name: str, content: Any) -> None:
        self.inputs[name] = self.folder / name
        self.inputs[name].write_text(json.dumps(content))

    def tier(self, name: str, found: list[Found], images: int = 3, **arrays: Any) -> None:
        made = predictions(found)
        columns = {"image": made.image, "cls": made.kinds, "score": made.score, "box": made.box}
        for file, content in ((name, columns), (f"{name}_outputs", arrays)):
            if content:
                self.inputs[f"{file}.npz"] = self.folder / f"{file}.npz"
                np.savez(self.inputs[f"{file}.npz"], **content)
        self.json(f"{name}.json", {
            "runtime": "r", "preprocess": "stretch", "score": 0.001, "iou": 0.45,
            "classes": ["a", "b"], "keypoints": None, "images": self.images[:images],
            "sizes": [[SIDE, SIDE]] * images,
        })  # fmt: skip

    def run(self) -> tuple[dict[str, Any], dict[str, Any]]:
        run(Params("mine", 0.3), Work(self.inputs, self.folder, self.folder, 1))
        metrics, curves = (
            json.loads((self.folder / f"{name}.json").read_text()) for name in ("metrics", "curves")
        )
        return metrics, curves


def check_stage(folder: Path) -> None:
    """The files it leaves; tiers that find nothing; what it warns of."""
    row = "0 0.3 0.3 0.4 0.4"
    hit: list[Found] = [(0, 0, 0.9, [10, 10, 50, 50])]
    one = Case(folder / "one", [row, "", ""])
    zeros, apart = np.zeros((1, 8, 4), np.int8), np.full((1, 8, 4), -5, np.int8)
    one.tier("tflm", [], output_0=zeros, output_1=zeros, scales=np.ones(2))
    one.tier("cut_onnx", hit)
    one.tier("litert", hit, output_0=zeros + 1, output_1=apart, exact_0=zeros, exact_1=zeros)
    metrics, curves = one.run()
    board = metrics["board"]
    assert list(board["tiers"]) == ["cut_onnx", "litert", "tflm"]
    assert metrics["comparable"] is None and metrics["task"] == "detect"
    assert (board["reference"], board["final"]) == ("cut_onnx", "tflm")
    assert board["drop"] == {"box": {"map50": 100.0, "map50_95": 100.0}}
    assert board["tiers"]["tflm"]["at_threshold"]["f1"] == 0
    assert board["tiers"]["litert"]["at_threshold"] == {
        "precision": 1.0, "recall": 1.0, "f1": 1.0, "threshold": 0.3,
    }  # fmt: skip
    agreement = metrics["agreement"]
    assert (agreement["within_one_quantum"], agreement["largest"]) == (0.5, 5)
    assert [o["within_one_quantum"] for o in agreement["outputs"]] == [1.0, 0.0]
    assert agreement["map50_95_difference"] == 100
    assert agreement["reference_kernels"] == {"within_one_quantum": 1.0, "largest": 0}
    absent, silent, parted = metrics["warnings"]
    assert "class b" in absent and "tflm" in silent and "output class_8" in parted
    assert board["tiers"]["litert"]["box"]["per_class"][1] == {
        "name": "b", "instances": 0, "map50": None, "map50_95": None,
    }  # fmt: skip
    assert len(curves["tiers"]["litert"]["box"]["precision"]) == 101
    first = [(one.folder / name).read_bytes() for name in ("metrics.json", "curves.json")]
    one.run()
    assert first == [(one.folder / name).read_bytes() for name in ("metrics.json", "curves.json")]

    weak = Case(folder / "weak", [row, "", ""])
    weak.tier("cut_onnx", [(1, 0, 0.9, [10, 10, 50, 50])])
    weak.tier("q_onnx", hit)
    metrics, _ = weak.run()
    assert metrics["agreement"] is None and metrics["board"]["final"] == "q_onnx"
    assert "the float network itself reaches 0.000" in metrics["warnings"][1]

    floats = Case(folder / "floats", [row, "", ""])
    floats.tier("onnx", hit)
    metrics, _ = floats.run()
    assert metrics["board"] is None
    assert "at_threshold" not in metrics["comparable"]["tiers"]["onnx"]


def check_refusals(folder: Path) -> None:
    """Nothing to count: what it says depends on what was left out."""
    for number, (labels, images, words) in enumerate((
        (["", "", "0 0.3 0.3 0.4 0.4"], 2, ("none of the 2 validation images", "evaluate.count")),
        (["", "", ""], 3, ("none of the 3 validation images", "label the validation split")),
    )):  # fmt: skip
        case = Case(folder / f"refused {number}", labels)
        case.tier("onnx", [], images)
        try:
            case.run()
        except StageError as fault:
            assert all(word in str(fault) for word in words), fault
        else:
            raise AssertionError("nothing was refused")


def main(cases: int) -> int:
    """All of it."""
    check_boxes()
    check_classes()
    check_threshold()
    check_labels()
    check_keypoints()
    draw = random.Random(0)
    for _ in range(cases):
        check_random(draw)
    with tempfile.TemporaryDirectory() as folder:
        check_stage(Path(folder))
        check_refusals(Path(folder))
    return cases


print(json.dumps(main(300)))
