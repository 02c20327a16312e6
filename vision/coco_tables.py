"""metrics.json and curves.json: what was counted, as tables that people and gates read.

docs/metrics.md explains every key. Standard library only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

DIGITS = 6
"""Decimals of a share; points, which are hundredths, have two less."""
LITTLE = 0.05
"""mAP50-95 of the float network below which a drop says little."""
ALIKE = 0.98
"""Share of output values within one quantum, below which LiteRT and TFLM are said to part."""
APART = 0.3
"""Points of mAP50-95 above which they are, too."""

Json = dict[str, Any]


@dataclass(frozen=True)
class Accuracy:
    """What pycocotools counts of one tier, by boxes or by keypoints."""

    instances: list[int]
    """Objects of each class."""
    map50: list[float | None]
    """Average precision of each class at IoU 0.5; None for a class without objects."""
    map50_95: list[float | None]
    """Mean over IoU 0.5 to 0.95 in steps of 0.05."""
    precision: list[float]
    """At recall 0, 0.01, … 1 and IoU 0.5, mean over the classes that have objects."""
    hits: int
    """At the score threshold and IoU 0.5: predictions that match an object."""
    wrong: int
    """Predictions that match none."""
    wanted: int
    """Objects."""


@dataclass(frozen=True)
class Tier:
    """One way of running the model, judged."""

    name: str
    told: Mapping[str, Any]
    """predictions.json."""
    box: Accuracy
    keypoints: Accuracy | None

    @property
    def kinds(self) -> dict[str, Accuracy]:
        """What it was judged by."""
        points = {} if self.keypoints is None else {"keypoints": self.keypoints}
        return {"box": self.box} | points


def mean(values: Sequence[float | None]) -> float | None:
    """Over the classes that have objects; None when there is none."""
    known = [value for value in values if value is not None]
    return _rounded(sum(known) / len(known)) if known else None


def table(tiers: Sequence[Tier], classes: Sequence[str], threshold: float | None) -> Json | None:
    """The tiers of one table; None without any. With a threshold, it and what it leaves is told."""
    if not tiers:
        return None
    told = tiers[0].told
    found: Json = {key: told[key] for key in ("preprocess", "score", "iou")}
    if threshold is not None:
        found["threshold"] = threshold
    found["tiers"] = {tier.name: _tier(tier, classes, threshold) for tier in tiers}
    return found


def _tier(tier: Tier, classes: Sequence[str], threshold: float | None) -> Json:
    found: Json = {"runtime": tier.told["runtime"]}
    found |= {name: _means(kind, classes) for name, kind in tier.kinds.items()}
    if threshold is not None:
        found["at_threshold"] = {**rates(tier.box), "threshold": threshold}
    return found


def _means(found: Accuracy, classes: Sequence[str]) -> Json:
    columns = zip(classes, found.instances, found.map50, found.map50_95, strict=True)
    return {
        "map50": mean(found.map50),
        "map50_95": mean(found.map50_95),
        "per_class": [
            {"name": name, "instances": n, "map50": _rounded(one), "map50_95": _rounded(all_)}
            for name, n, one, all_ in columns
        ],
    }


def rates(found: Accuracy) -> dict[str, float]:
    """Of all classes together; 0 where there is nothing to divide by."""
    told = found.hits + found.wrong
    both = told + found.wanted
    return {
        "precision": round(found.hits / told, DIGITS) if told else 0.0,
        "recall": round(found.hits / found.wanted, DIGITS) if found.wanted else 0.0,
        "f1": round(2 * found.hits / both, DIGITS) if both else 0.0,
    }


def held_against(reference: Tier | None, final: Tier | None, board: Json | None) -> Json | None:
    """The board's table with what its int8 file, `final`, has lost against the float network."""
    if board is None:
        return None
    lost = None if reference is None or final is None else drop(reference, final)
    return board | {
        "reference": None if reference is None else reference.name,
        "final": None if final is None else final.name,
        "drop": lost,
    }


def drop(reference: Tier, final: Tier) -> Json:
    """Points (hundredths) that `final` has lost against `reference`."""
    return {
        kind: {
            "map50": points(mean(wanted.map50), mean(final.kinds[kind].map50)),
            "map50_95": points(mean(wanted.map50_95), mean(final.kinds[kind].map50_95)),
        }
        for kind, wanted in reference.kinds.items()
    }


def points(one: float | None, other: float | None) -> float | None:
    """The difference of two shares in hundredths."""
    return None if one is None or other is None else round(100 * (one - other), DIGITS - 2)


def curves(tiers: Sequence[Tier]) -> Json:
    """curves.json: precision over recall at IoU 0.5."""
    recall = [i / 100 for i in range(101)]
    return {
        "schema": 1,
        "tiers": {
            tier.name: {
                name: {"recall": recall, "precision": [round(p, DIGITS) for p in kind.precision]}
                for name, kind in tier.kinds.items()
            }
            for tier in tiers
        },
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)


# --- warnings -----------------------------------------------------------------------------


def absent(classes: Sequence[str], tier: Tier) -> Iterator[str]:
    """Classes that are never there, and so have no mAP."""
    for kind, found in tier.kinds.items():
        missing = [name for name, n in zip(classes, found.instances, strict=True) if not n]
        if missing:
            what = "is never there" if kind == "box" else "never has a labelled keypoint"
            yield (
                f"in the images that count, {_listed(missing)} {what}: no mAP for it, and the "
                "means are taken over the other classes"
            )


def weak(reference: Tier) -> Iterator[str]:
    """A float network that finds next to nothing."""
    for kind, found in reference.kinds.items():
        value = mean(found.map50_95)
        if value is not None and value < LITTLE:
            yield (
                f"the float network itself reaches {value:.3f} mAP50-95 ({kind}): what int8 costs "
                "says little yet; train longer or with more images first"
            )


def silent(board: Sequence[Tier], threshold: float) -> Iterator[str]:
    """A model that the board would show nothing of."""
    for tier in board[-1:]:
        if not tier.box.hits + tier.box.wrong:
            yield (
                f"nothing that {tier.name} finds is as sure as the firmware asks ({threshold:g}): "
                "the board would show nothing; train longer, or lower the board's threshold"
            )


def parted(agreement: Json) -> Iterator[str]:
    """Where two interpreters of the same file part, when they do more than is usual."""
    share, apart = agreement["within_one_quantum"], agreement["map50_95_difference"]
    if share >= ALIKE and (apart is None or apart <= APART):
        return
    worst = min(agreement["outputs"], key=lambda output: output["within_one_quantum"])
    names = " and ".join(agreement["tiers"])
    mean_ = "" if apart is None else f" and their mAP50-95 differs by {apart:g} points"
    yield (
        f"{names} part on the same file: {100 * share:.1f} % of the output values lie within one "
        f"quantum of each other{mean_}; furthest in output {worst['name']}, where it is "
        f"{100 * worst['within_one_quantum']:.1f} % and the largest difference is "
        f"{worst['largest']} quanta{_why(agreement['reference_kernels'])}"
    )


def _why(exact: Json | None) -> str:
    """What the same comparison says with LiteRT's reference kernels, which round as TFLM's do."""
    if exact is None:
        return ""
    if exact["largest"] == 0:
        return (
            ". With its reference kernels LiteRT gives the very integers of TFLM: only the "
            "rounding of its quick kernels differs"
        )
    share = 100 * exact["within_one_quantum"]
    return f". With LiteRT's reference kernels it is {share:.1f} %, at most {exact['largest']}"


def _listed(names: Sequence[str], shown: int = 8) -> str:
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    word = "class" if len(names) == 1 else "each of the classes"
    return f"{word} {', '.join(names[:shown])}{more}"
