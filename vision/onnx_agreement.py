"""What int8 has done to a network: its scores and boxes beside the float network's, on images."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vision.decode import Floats
    from vision.forms import Decoded

LEVELS = 255
"""A pixel's largest value: both networks take pixel / 255."""


@dataclass(frozen=True)
class Agreement:
    """Two networks on the same images. Scores are 0..1."""

    images: int
    largest_score: float
    """Of the int8 network; NaN when it computes something that is no number."""
    float_largest_score: float
    cells: int
    """Cells in which either network is sure of an object: the others tell nothing."""
    score_difference: float | None
    """Mean difference of the surest class's score in those cells; None without cells."""
    overlap: float | None
    """Mean intersection over union of their boxes; None without cells."""


def agreement(
    networks: tuple[Path, Path],
    images: NDArray[np.uint8],
    head: Mapping[str, Any],
    threshold: float,
    progress: Callable[[int, int, str], None],
) -> Agreement:
    """Runs float and int8 network of one head.json on `images` `[n, S, S, 3]` uint8 RGB.

    A cell counts when its best score in either network reaches `threshold`. Raises ValueError
    when outputs are not of the shapes that head.json describes.
    """
    import numpy as np

    best, float_best = 0.0, 0.0
    differences: list[Floats] = []
    overlaps: list[Floats] = []
    for i, (wanted, found) in enumerate(_decoded(networks, images, head)):
        progress(i, len(images), "comparing with the float network")
        # NaN passes through max() of numpy, not through Python's.
        best = float(np.max([best, found.scores.max()]))
        float_best = max(float_best, float(wanted.scores.max()))
        either = np.maximum(wanted.scores, found.scores)
        kinds, sure = either.argmax(axis=1), np.flatnonzero(either.max(axis=1) >= threshold)
        scores = (network.scores[sure, kinds[sure]] for network in (wanted, found))
        differences.append(np.abs(np.subtract(*scores)))
        overlaps.append(overlap(wanted.corners[sure], found.corners[sure]))
    cells = sum(map(len, differences))
    return Agreement(
        images=len(images),
        largest_score=best,
        float_largest_score=float_best,
        cells=cells,
        score_difference=float(np.concatenate(differences).mean()) if cells else None,
        overlap=float(np.concatenate(overlaps).mean()) if cells else None,
    )


def agree(
    networks: tuple[Path, Path],
    images: tuple[Path, int],
    head: Mapping[str, Any],
    threshold: float,
    progress: Callable[[int, int, str], None],
) -> tuple[Agreement | None, str]:
    """How the int8 network agrees with the float one, or why it cannot be run.

    `images`: a file of them (.npy), and how many are taken.
    """
    import numpy as np

    file, count = images
    pixels = np.load(file, mmap_mode="r")[:count]
    found: list[Agreement] = []
    fault = _fault(
        lambda: found.append(agreement(networks, pixels, head, threshold, progress)), networks[1]
    )
    return (found[0] if found else None), fault


def largest_score(
    network: Path, count: int, described: Mapping[str, Any]
) -> tuple[float | None, str]:
    """The largest score on pictures made by arithmetic, None for outputs of no form; or why the
    network cannot be run. `described`: its form, outputs and imgsz, as head.json has them."""
    import numpy as np

    from vision.forms import decode_outputs
    from vision.run_onnx import run_onnx
    from vision.samples import samples

    found: list[float] = []
    side = described["imgsz"]

    def run() -> None:
        for outputs in run_onnx(network, samples(count, side)):
            if described["form"] is not None:
                decoded = decode_outputs(described["form"], outputs, described["outputs"], side)
                found.append(float(decoded.scores.max()))

    fault = _fault(run, network) if side else ""
    return (float(np.max(found)) if found else None), fault


def _fault(run: Callable[[], object], network: Path) -> str:
    """Why onnxruntime refuses to run a network; empty when it does not."""
    from onnxruntime.capi import onnxruntime_pybind11_state as refusals

    try:
        run()
    except (
        ValueError,
        refusals.Fail,
        refusals.InvalidArgument,
        refusals.InvalidGraph,
        refusals.NotImplemented,
        refusals.RuntimeException,
    ) as fault:
        return str(fault).replace(str(network), "the file").splitlines()[0]
    return ""


def _decoded(
    networks: tuple[Path, Path], images: NDArray[np.uint8], head: Mapping[str, Any]
) -> Iterator[tuple[Decoded, Decoded]]:
    """What each of the two networks says of each image."""
    from vision.forms import decode_outputs
    from vision.run_onnx import run_onnx

    floats, int8 = (run_onnx(path, map(_scaled, images)) for path in networks)
    for wanted, found in zip(floats, int8, strict=True):
        yield (
            decode_outputs(head["form"], wanted, head["outputs"], head["imgsz"]),
            decode_outputs(head["form"], found, head["outputs"], head["imgsz"]),
        )


def _scaled(image: NDArray[np.uint8]) -> Floats:
    import numpy as np

    return np.asarray(image, dtype=np.float32) / LEVELS


def overlap(boxes: Floats, others: Floats) -> Floats:
    """Intersection over union, row by row, of `[n, 4]` corners x1, y1, x2, y2."""
    import numpy as np

    sides = np.minimum(boxes[:, 2:], others[:, 2:]) - np.maximum(boxes[:, :2], others[:, :2])
    shared = np.clip(sides, 0, None).prod(axis=1)
    areas = [np.clip(b[:, 2:] - b[:, :2], 0, None).prod(axis=1) for b in (boxes, others)]
    return shared / np.maximum(areas[0] + areas[1] - shared, np.finfo(np.float64).tiny)
