"""Measures an int8 network against its float form, tensor by tensor: diagnosis.json's figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from vision.branches import DECODE, KEYPOINT, SIGMOIDS, Place
from vision.noise import Noise, Spread, weights_db

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vision.pair import Pair, Tensor

    Images: TypeAlias = NDArray[np.uint8]

SETS = ("calibration", "val")
SCORES = ("class", "score", "decoded")
"""Roles of outputs that hold scores."""
LOST = 999.0
"""Sorts what has no ratio behind all that has."""


def evenly(images: Images, count: int) -> Images:
    """At most `count` of the images, evenly spaced: neighbours of a video are much alike."""
    few = min(count, len(images))
    return images[[i * len(images) // few for i in range(few)]] if few else images[:0]


@dataclass
class Measured:
    """What was found of each tensor, by set of images."""

    pair: Pair
    sets: Mapping[str, Images]
    """calibration and perhaps val: `[n, S, S, 3]` uint8 RGB."""
    noise: dict[tuple[str, str], Noise] = field(default_factory=dict)
    """(set, tensor) -> sums."""
    spread: dict[str, Spread] = field(default_factory=dict)
    """Tensor -> its channels' ranges, of all images."""
    places: dict[str, Place] = field(default_factory=dict)

    @property
    def judged(self) -> str:
        """The set that counts: images the ranges were not made of, if there are any."""
        return SETS[1] if SETS[1] in self.sets else SETS[0]

    def run(self, progress: Callable[[int, int], None]) -> None:
        """Run both forms on all images."""
        self.places = self.pair.graph.places()
        ends = {tensor.name for entry in self._ends() for tensor in [entry[2]]}
        total, done = sum(map(len, self.sets.values())), 0
        for name, images in self.sets.items():
            for image in images:
                progress(done, total)
                self._one(name, image, ends)
                done += 1

    def _one(self, name: str, image: Images, ends: set[str]) -> None:
        for tensor, true, found in self.pair.run(image):
            noise = self.noise.setdefault((name, tensor.name), Noise())
            noise.add(true, found, tensor.scale, tensor.zero_point, tensor.limits)
            if tensor.name in ends:
                self.spread.setdefault(tensor.name, Spread()).add(true, tensor.axis)

    def tensors(self) -> list[dict[str, Any]]:
        """diagnosis.json's `tensors`: worst first."""
        weights = {
            entry.tensor: weights_db(entry.true, entry.found, entry.axis)
            for entry in self.pair.weights()
        }
        rows = [self._row(tensor, weights.get(tensor.name)) for tensor in self.pair.tensors]

        def worst(row: dict[str, Any]) -> tuple[float, str]:
            found = row["snr_db"][self.judged]
            return (LOST if found is None else found, row["name"])

        return sorted(rows, key=worst)

    def _row(self, tensor: Tensor, weights: Sequence[float | None] | None) -> dict[str, Any]:
        place = self.places.get(tensor.name, Place("", DECODE, None))
        sums = {name: self.noise.get((name, tensor.name)) for name in SETS}
        row: dict[str, Any] = {
            "name": tensor.name,
            "layer": place.layer or tensor.name,
            "kind": tensor.kind,
            "branch": place.branch,
            "stride": place.stride,
            "snr_db": {n: None if s is None else _rounded(s.snr_db) for n, s in sums.items()},
            "clipped": {
                n: None if s is None else round(s.clipped_share, 6) for n, s in sums.items()
            },
        }
        if weights is not None:
            row["weights_db"] = {
                "found": _rounded(weights[0]),
                "per_channel": _rounded(weights[1]),
            }
        return row

    def outputs(self, threshold: float) -> list[dict[str, Any]]:
        """diagnosis.json's `outputs`: the ends of the branches, and the file's own if int8.

        `threshold`: the firmware's, of scores.
        """
        return [self._output(*entry, threshold) for entry in self._ends()]

    def _ends(self) -> list[tuple[str, str, Tensor]]:
        """(name, role, tensor that holds the values) of each end; ends inside come first."""
        graph, known = self.pair.graph, {tensor.name: tensor for tensor in self.pair.tensors}
        places = self.places or graph.places()
        found: dict[str, tuple[str, str, Tensor]] = {}
        for tensor, entry in zip(graph.outputs, graph.head["outputs"], strict=True):
            names = graph.back_to(tensor, known)
            if len(names) == 1:
                found[names[0]] = (entry["name"], entry["role"], known[names[0]])
        taken = {name for name, _, _ in found.values()}
        inner: dict[str, tuple[str, str, Tensor]] = {}
        for end in graph.ends():
            for name in graph.back_to(end.tensor, known):
                stride = places[name].stride if name in places else None
                role = "keypoints" if end.branch == KEYPOINT else end.branch
                label = f"{role}_{stride}" if stride else role
                label = f"{label} logits" if label in taken else label
                inner.setdefault(name, (label, role, known[name]))
        return [*(e for name, e in inner.items() if name not in found), *found.values()]

    def _output(self, name: str, role: str, tensor: Tensor, threshold: float) -> dict[str, Any]:
        place = self.places.get(tensor.name, Place("", DECODE, None))
        largest = largest_score(tensor, role) if role in SCORES else None
        noise = self.noise[self.judged, tensor.name]
        return {
            "name": name,
            "role": role,
            "layer": place.layer,
            "stride": place.stride,
            "scale": tensor.scale,
            "zero_point": tensor.zero_point,
            "largest_score": None if largest is None else round(largest, 4),
            "threshold": None if largest is None else threshold,
            "saturated": round(noise.saturated_share, 6),
            "channels_over_range": self._outliers(tensor)
            if role == "box" and place.stride
            else None,
        }

    def _outliers(self, tensor: Tensor) -> dict[str, Any]:
        few, of, rest = self.spread[tensor.name].outliers()
        return {"channels": few, "of": of, "rest": round(rest, 3)}


def largest_score(tensor: Tensor, role: str) -> float:
    """The largest score that a tensor can express: of class logits their sigmoid's."""
    from math import exp

    largest = (tensor.limits[1] - tensor.zero_point) * tensor.scale
    if role == "class" and tensor.kind not in SIGMOIDS:
        return 1 / (1 + exp(-largest))
    return min(largest, 1.0)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
