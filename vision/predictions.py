"""What was found on many images, as arrays of one file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vision.predictor import Predicted

    Arrays = Mapping[str, NDArray[Any]]


def table(images: Sequence[Predicted], points: int | None) -> Arrays:
    """`image` `[n]` (place in `images`), `cls` `[n]`, `score` `[n]`, `box` `[n, 4]` x1, y1, x2, y2
    in pixels of the picture and, with `points` of them, `keypoints` `[n, K, 3]`.

    int32 and float32; image by image, the surest first.
    """
    import numpy as np

    counts = [len(one.found.scores) for one in images]
    arrays = {
        "image": np.repeat(np.arange(len(images), dtype=np.int32), counts),
        "cls": np.concatenate([one.found.classes for one in images]).astype(np.int32),
        "score": np.concatenate([one.found.scores for one in images]).astype(np.float32),
        "box": np.concatenate([one.found.boxes for one in images]).astype(np.float32),
    }
    if points is not None:
        found = [one.found.keypoints for one in images if one.found.keypoints is not None]
        arrays["keypoints"] = np.concatenate(found).reshape(-1, points, 3).astype(np.float32)
    return arrays


def outputs(images: Sequence[Predicted]) -> Arrays:
    """`output_0` … `[images, …]` int8, the file's outputs as they are, `scales`, `zero_points`.

    Where the runtime has other kernels that round as TFLM does, what these give is `exact_0` ….
    """
    import numpy as np

    raws = [one.raw for one in images if one.raw is not None]
    scales, zero_points = zip(*raws[0].quantization, strict=True)
    kinds = {"output": [raw.outputs for raw in raws], "exact": [raw.exact for raw in raws]}
    stacked = {
        f"{kind}_{i}": np.concatenate(arrays)
        for kind, several in kinds.items()
        for i, arrays in enumerate(zip(*several, strict=True))
    }
    return stacked | {
        "scales": np.array(scales, np.float64),
        "zero_points": np.array(zero_points, np.int32),
    }


def save(path: Path, arrays: Arrays) -> None:
    """Writes an npz file; equal arrays give equal bytes (numpy dates its entries 1980)."""
    import numpy as np

    np.savez(path, **arrays)
