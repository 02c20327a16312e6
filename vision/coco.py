"""Accuracy as the field counts it: pycocotools on predictions and ground truth, in memory."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from vision.coco_tables import Accuracy

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vision.coco_labels import Truth

Kind = Literal["bbox", "keypoints"]
"""What is compared: boxes by their overlap (IoU), or keypoints by their distance (OKS)."""
MOST = 100
"""Predictions of a class that count on one image, the surest: COCO's limit for boxes, taken for
keypoints too (COCO's is 20)."""
PERSON = (17, 3)
"""Keypoints of COCO's persons: only for these it states how far people place them apart."""
ALL = (0.0, 1e10)
"""Square pixels: objects of every size."""


@dataclass(frozen=True)
class Predictions:
    """What one tier finds on all images, the surest first within an image."""

    image: NDArray[np.int32]
    """`[n]`, index of the image."""
    kinds: NDArray[np.int32]
    """`[n]`, index of the class."""
    score: NDArray[np.float32]
    """`[n]`, 0..1."""
    box: NDArray[np.float32]
    """`[n, 4]` x1, y1, x2, y2, pixels of the image."""
    keypoints: NDArray[np.float32] | None
    """`[n, K, 3]` x, y in pixels of the image, visibility 0..1; None: no pose."""


def read_predictions(path: Path) -> Predictions:
    """predictions.npz of a tier. Raises KeyError when one of its arrays is missing."""
    import numpy as np

    with np.load(path) as file:
        points = file["keypoints"] if "keypoints" in file.files else None
        return Predictions(file["image"], file["cls"], file["score"], file["box"], points)


def count(
    truth: Truth, found: Predictions, kind: Kind, shape: tuple[int, int] | None, threshold: float
) -> Accuracy:
    """Average precision of each class, and what is right at the score `threshold`.

    `shape`: of the keypoints, for `kind` keypoints. Objects without any labelled keypoint are
    left out of that: neither hit nor missed.
    """
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools tells every step
        evaluator = _evaluator(truth, found, kind, shape)
        evaluator.evaluate()
        evaluator.accumulate()
    precision: NDArray[np.float64] = evaluator.eval["precision"][..., 0, 0]  # [IoU, recall, class]
    present = [k for k in range(precision.shape[2]) if precision[0, 0, k] >= 0]
    curve = precision[0][:, present]
    hits, wrong, wanted = _at(evaluator, threshold)
    return Accuracy(
        instances=_instances(truth, kind),
        map50=_by_class(precision[:1]),
        map50_95=_by_class(precision),
        precision=curve.mean(axis=1).tolist() if present else [0.0] * len(curve),
        hits=hits,
        wrong=wrong,
        wanted=wanted,
    )


def _evaluator(truth: Truth, found: Predictions, kind: Kind, shape: tuple[int, int] | None) -> Any:
    """COCOeval with its tables; objects of all sizes are taken together."""
    import numpy as np
    from pycocotools.cocoeval import COCOeval

    evaluator = COCOeval(
        _indexed(truth, truth.annotations), _indexed(truth, _annotations(found)), kind
    )
    params = evaluator.params
    params.maxDets, params.areaRng, params.areaRngLbl = [MOST], [list(ALL)], ["all"]
    if kind == "keypoints" and shape is not None and shape != PERSON:
        params.kpt_oks_sigmas = np.full(shape[0], 1 / shape[0])  # as ultralytics has it
    return evaluator


def _indexed(truth: Truth, annotations: list[dict[str, Any]]) -> Any:
    """pycocotools' tables of these annotations."""
    from pycocotools.coco import COCO

    tables = COCO()
    tables.dataset = {
        "images": [{"id": i, "width": w, "height": h} for i, (w, h) in enumerate(truth.sizes)],
        "categories": [{"id": i, "name": name} for i, name in enumerate(truth.classes)],
        "annotations": annotations,
    }
    tables.createIndex()
    return tables


def _annotations(found: Predictions) -> list[dict[str, Any]]:
    """One for each prediction; in doubles, or pycocotools would compare floats with doubles."""
    import numpy as np

    corners = found.box.astype(np.float64)
    boxes = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)
    columns = zip(
        found.image.tolist(), found.kinds.tolist(), found.score.tolist(), boxes.tolist(),
        strict=True,
    )  # fmt: skip
    annotations = [
        {
            "id": number,
            "image_id": image,
            "category_id": kind,
            "score": score,
            "bbox": box,
            "area": box[2] * box[3],
            "iscrowd": 0,
        }
        for number, (image, kind, score, box) in enumerate(columns, 1)
    ]
    if found.keypoints is not None:
        points = found.keypoints.astype(np.float64).reshape(len(found.score), -1)
        for annotation, row in zip(annotations, points.tolist(), strict=True):
            annotation["keypoints"] = row
    return annotations


def _by_class(precision: NDArray[np.float64]) -> list[float | None]:
    """Mean over IoU thresholds and recall, class by class; None for one that is not there."""
    means = precision.mean(axis=(0, 1)).tolist()
    return [
        mean if first >= 0 else None for mean, first in zip(means, precision[0, 0], strict=True)
    ]


def _instances(truth: Truth, kind: Kind) -> list[int]:
    """Objects of each class that can be hit."""
    if kind == "bbox":
        return truth.instances
    labelled = [a["category_id"] for a in truth.annotations if a["num_keypoints"]]
    return [labelled.count(index) for index in range(len(truth.classes))]


def _at(evaluator: Any, threshold: float) -> tuple[int, int, int]:
    """Right and wrong predictions of at least `threshold`, and how many objects there are.

    Matches are made surest first at IoU 0.5, so what lies below the threshold has taken no
    object from what lies above it. Scores are float32, and so is compared what they are held
    against.
    """
    import numpy as np

    hits = wrong = wanted = 0
    for image in filter(None, evaluator.evalImgs):
        counts = np.asarray(image["dtScores"], np.float32) >= np.float32(threshold)
        counts &= ~image["dtIgnore"][0].astype(bool)
        matched = image["dtMatches"][0] > 0
        hits += int((counts & matched).sum())
        wrong += int((counts & ~matched).sum())
        wanted += int((np.asarray(image["gtIgnore"]) == 0).sum())
    return hits, wrong, wanted
