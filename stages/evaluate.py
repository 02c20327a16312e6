"""Accuracy on the validation split, tier by tier, counted by pycocotools. docs/metrics.md."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgemake.step import Input, Step
from edgemake.work import StageError, Work

if TYPE_CHECKING:
    from stages.schema import Config
    from vision.coco_labels import Truth
    from vision.coco_tables import Tier

SCHEMA = 1
"""Version of metrics.json."""
SPLIT = "val"
TABLES = {
    "pytorch": "comparable",
    "onnx": "comparable",
    "cut_onnx": "board",
    "litert": "board",
    "tflm": "board",
    "q_onnx": "board",
}
"""Tier -> the table it stands in; from float to what is closest to the board."""
REFERENCE = "cut_onnx"
"""The float network that int8 is held against."""
SAME_FILE = ("litert", "tflm")
"""Two interpreters of one file: their raw outputs are compared."""


@dataclass(frozen=True)
class Params:
    """What no prediction says."""

    dataset: str
    threshold: float
    """The firmware's: what it shows is at least so sure."""


def plan(config: Config, predictions: Mapping[str, Step], source: Step, head: Input) -> Step:
    """`predictions`: tier -> the step that ran it; `source`: the data set's step; `head`:
    head.json, for the names of the outputs."""
    inputs: dict[str, Input] = {"manifest.json": source["manifest.json"], "data": source["data"]}
    for tier, step in predictions.items():
        inputs[f"{tier}.npz"] = step["predictions.npz"]
        inputs[f"{tier}.json"] = step["predictions.json"]
    if set(SAME_FILE) <= predictions.keys():
        inputs["head.json"] = head
        inputs |= {f"{tier}_outputs.npz": predictions[tier]["outputs.npz"] for tier in SAME_FILE}
    return Step(
        stage="evaluate",
        params=Params(config.dataset.name, config.output.score),
        inputs=inputs,
        outputs=("metrics.json", "curves.json"),
        toolchain=config.lock("evaluation"),
        label=config.target.name,
    )


def run(params: Params, work: Work) -> None:
    """Writes metrics.json and curves.json.

    Raises StageError when nothing is labelled.
    """
    from vision.coco_tables import curves

    told = {
        tier: json.loads(work.inputs[f"{tier}.json"].read_text(encoding="utf-8"))
        for tier in TABLES
        if f"{tier}.json" in work.inputs
    }
    manifest = json.loads(work.inputs["manifest.json"].read_text(encoding="utf-8"))
    first = next(iter(told.values()))
    shape = tuple(manifest["kpt_shape"]) if first["keypoints"] else None
    truth = _truth(first, manifest, shape, work)
    tiers = list(_judged(told, truth, shape, params.threshold, work))
    _write(work, "metrics.json", _metrics(params, tiers, truth, work))
    _write(work, "curves.json", curves(tiers))


def _truth(
    told: Mapping[str, Any],
    manifest: Mapping[str, Any],
    shape: tuple[int, int] | None,
    work: Work,
) -> Truth:
    """The labels of the images that were run. Raises StageError when nothing is labelled."""
    from vision.coco_labels import label_paths, read_truth

    images, data = told["images"], work.inputs["data"]
    paths = label_paths(manifest, SPLIT, images)
    texts = [(data / path).read_text(encoding="utf-8") for path in paths]
    truth = read_truth(texts, [tuple(size) for size in told["sizes"]], manifest["names"], shape)
    every = len(manifest["splits"][SPLIT])
    if not truth.annotations:
        fault = f"none of the {len(images)} validation images counted has a labelled object"
    elif shape and not any(annotation["num_keypoints"] for annotation in truth.annotations):
        fault = f"no object in the {len(images)} validation images counted has labelled keypoints"
    else:
        return truth
    if len(images) < every:
        fix = f"the split has {every}: raise evaluate.count, or count all: evaluate.count=null"
    else:
        fix = "label the validation split, or leave evaluation out: evaluate.tiers=[]"
    raise StageError(f"{fault}; {fix}")


def _judged(
    told: Mapping[str, Mapping[str, Any]],
    truth: Truth,
    shape: tuple[int, int] | None,
    threshold: float,
    work: Work,
) -> Iterator[Tier]:
    """Every tier against the truth. Raises ValueError for one that was run on other images."""
    from vision.coco import count, read_predictions
    from vision.coco_tables import Tier

    images = next(iter(told.values()))["images"]
    for number, (name, described) in enumerate(told.items()):
        if described["images"] != images:
            raise ValueError(f"tier {name} was run on other images")
        work.progress(number, len(told), f"counting what {name} finds")
        found = read_predictions(work.inputs[f"{name}.npz"])
        points = count(truth, found, "keypoints", shape, threshold) if shape else None
        yield Tier(name, described, count(truth, found, "bbox", None, threshold), points)


def _metrics(params: Params, tiers: Sequence[Tier], truth: Truth, work: Work) -> dict[str, Any]:
    """metrics.json."""
    from vision.coco_tables import absent, held_against, parted, silent, table, weak

    named = {tier.name: tier for tier in tiers}
    board = [tier for tier in tiers if TABLES[tier.name] == "board"]
    final = next((tier for tier in reversed(board) if tier.name != REFERENCE), None)
    reference = named.get(REFERENCE)
    comparable = [tier for tier in tiers if TABLES[tier.name] == "comparable"]
    agreement = _agreement(named, work)
    return {
        "schema": SCHEMA,
        "task": "pose" if tiers[0].keypoints else "detect",
        "split": SPLIT,
        "images": len(truth.sizes),
        "dataset": params.dataset,
        "classes": list(truth.classes),
        "instances": truth.instances,
        "comparable": table(comparable, truth.classes, None),
        "board": held_against(reference, final, table(board, truth.classes, params.threshold)),
        "agreement": agreement,
        "warnings": [
            *absent(truth.classes, tiers[0]),
            *(weak(reference) if reference else ()),
            *silent(board, params.threshold),
            *(parted(agreement) if agreement else ()),
        ],
    }


def _agreement(named: Mapping[str, Tier], work: Work) -> dict[str, Any] | None:
    """How LiteRT and TFLM agree on the same file; None unless both were run."""
    if not set(SAME_FILE) <= named.keys():
        return None
    import numpy as np

    from vision.agreement import compare, each, together
    from vision.coco_tables import drop

    head = json.loads(work.inputs["head.json"].read_text(encoding="utf-8"))
    names = [output["name"] for output in head["outputs"]]
    one, other = (dict(np.load(work.inputs[f"{tier}_outputs.npz"])) for tier in SAME_FILE)
    lost = drop(*(named[tier] for tier in SAME_FILE)).values()
    apart = [abs(kind["map50_95"]) for kind in lost if kind["map50_95"] is not None]
    outputs = compare(one, other, names)
    exact = together(compare(one, other, names, "exact")) if "exact_0" in one else None
    return {
        "tiers": list(SAME_FILE),
        **together(outputs),
        "map50_95_difference": max(apart, default=None),
        "outputs": each(outputs),
        "reference_kernels": exact,
    }


def _write(work: Work, name: str, content: Mapping[str, Any]) -> None:
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    (work.out / name).write_text(text, encoding="utf-8")
