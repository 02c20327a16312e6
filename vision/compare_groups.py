"""What may be compared with what: models measured on the same thing, and the fronts among them.

A model is called by a label: a letter in a comparison, a number in a sweep.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from vision.compare_figures import COST, COSTS, Entry, final, measured
from vision.pareto import front

DASH = "–"
_DATA = ("task", "dataset", "split", "images", "classes", "instances")
"""Of metrics.json: what makes two measurements of accuracy measurements of the same thing."""
_SCORES = {"box": "mAP50-95 of boxes", "keypoints": "mAP50-95 of keypoints"}

Plain = dict[str, Any]


def data_groups(labels: Sequence[str], entries: Sequence[Entry]) -> list[Plain]:
    """What accuracy was measured on, in order of appearance, and by which `entries`."""
    found: dict[str, Plain] = {}
    for label, entry in zip(labels, entries, strict=True):
        if not measured(entry):
            continue
        metrics = entry["metrics"]
        same = [metrics[name] for name in _DATA] + [metrics["board"]["score"]]
        told = {name: metrics[name] for name in _DATA[:4]} | {"entries": []}
        found.setdefault(json.dumps(same), told)["entries"].append(label)
    return list(found.values())


def describe(group: Mapping[str, Any]) -> str:
    """What accuracy was measured on, in words."""
    return f"{group['task']} on {group['images']} images of {group['dataset']} ({group['split']})"


def passed(entry: Entry) -> bool:
    """Whether the board would run it; what it refuses is best at nothing."""
    return bool(entry["model"]["contract"]["passed"])


def best_of(values: Sequence[Any], end: str | None) -> list[int]:
    """Positions of the best values; none where all are as good."""
    known = [value for value in values if value is not None]
    if end is None or len(set(known)) < 2:
        return []
    best = max(known) if end == "high" else min(known)
    return [i for i, value in enumerate(values) if value == best]


def shown(value: Any, digits: int) -> str:
    """A figure as people read it."""
    if value is None:
        return DASH
    if isinstance(value, float):
        return f"{value + 0.0:,.{digits}f}"  # + 0.0: no -0.00
    return str(value)


def kind_of(entries: Sequence[Entry]) -> str:
    """What models are judged by, `keypoints` or `box`; all of them were measured."""
    return "keypoints" if all("keypoints" in final(entry) for entry in entries) else "box"


def charts(
    labels: Sequence[str],
    entries: Sequence[Entry],
    data: Sequence[Plain],
    gated: Collection[str] = (),
) -> Iterator[Plain]:
    """Accuracy against each cost, of each data set that was measured on.

    `gated`: labels of models that were not delivered, though the board would take them.
    """
    costs = {figure.key: figure for figure in COST}
    known = dict(zip(labels, entries, strict=True))
    for number, group in enumerate(data):
        mine: list[str] = group["entries"]
        chosen = [known[label] for label in mine]
        kind = kind_of(chosen)
        values = [final(entry)[kind]["map50_95"] for entry in chosen]
        refused = [label in gated or not passed(known[label]) for label in mine]
        for key, title in COSTS:
            paid = [costs[key].of(entry) for entry in chosen]
            yield {
                "data": number,
                "cost": key,
                "label": title,
                "accuracy": _SCORES[kind],
                **_points(mine, paid, values, refused),
            }


def _points(
    labels: Sequence[str], costs: Sequence[Any], values: Sequence[Any], refused: Sequence[bool]
) -> Plain:
    """The points with both figures, which of them no other beats, and why the others are none."""
    known, without = [], []
    for i, label in enumerate(labels):
        if refused[i] or costs[i] is None or values[i] is None:
            why = "refused" if refused[i] else "no such cost" if costs[i] is None else "no mAP"
            without.append({"letter": label, "why": why})
        else:
            known.append(i)
    best = [known[i] for i in front([(costs[i], values[i]) for i in known])]
    return {
        "points": [
            {"letter": labels[i], "x": costs[i], "y": values[i], "front": i in best} for i in known
        ],
        "front": [labels[i] for i in best],
        "without": without,
    }
