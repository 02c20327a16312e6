"""What a network's outputs mean, in each form that boards take: boxes, scores, keypoints.

One decoder a form (docs/outputs.md). All of them give the same `Decoded`, so whoever shows,
compares or counts detections need not know which form a board wants. Needs numpy alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from vision.decode import boxes, corners_of, grid, keypoints, sigmoid

if TYPE_CHECKING:
    from vision.decode import Floats

    Described: TypeAlias = Sequence[Mapping[str, Any]]
    """head.json's `outputs`: a mapping for each output, in the file's order."""


@dataclass(frozen=True)
class Decoded:
    """What a network says of one image: N cells (fine before coarse, row by row), no NMS yet."""

    corners: Floats
    """`[N, 4]` x1, y1, x2, y2 in pixels of the network's input."""
    scores: Floats
    """`[N, nc]` in 0..1."""
    keypoints: Floats | None
    """`[N, K, 3]` x, y in pixels of the network's input and visibility 0..1; None: no pose."""


def decode_outputs(
    form: str, outputs: Sequence[Floats], described: Described, side: int
) -> Decoded:
    """The outputs of one image as float arrays, in the order of `described`, made sense of.

    `form` is head.json's, `described` its `outputs`, `side` the network's input, pixels. Raises
    ValueError when arrays and description do not fit, KeyError for a form without a decoder.
    """
    shapes = [list(output.shape) for output in outputs]
    wanted = [list(entry["shape"]) for entry in described]
    if shapes != wanted:
        raise ValueError(f"outputs of shapes {shapes}; head.json describes {wanted}")
    return DECODERS[form](outputs, described, side)


def _by_role(outputs: Sequence[Floats], described: Described, role: str) -> list[tuple[int, Any]]:
    """(stride, output) of one role, fine before coarse; an output of all strides has 0."""
    chosen = [
        (entry["stride"] or 0, output)
        for entry, output in zip(described, outputs, strict=True)
        if entry["role"] == role
    ]
    return sorted(chosen, key=lambda pair: pair[0])


def _raw(outputs: Sequence[Floats], described: Described, side: int) -> Decoded:
    """six_raw and seven_raw: box `[1, cells, 64]`, class logits `[1, cells, nc]`, keypoints
    `[1, N, 3K]`."""
    import numpy as np

    box = _by_role(outputs, described, "box")
    strides = [stride for stride, _ in box]
    points = _by_role(outputs, described, "keypoints")
    logits = np.concatenate([branch[0] for _, branch in _by_role(outputs, described, "class")])
    return Decoded(
        np.concatenate([boxes(branch[0], stride) for stride, branch in box]),
        sigmoid(logits),
        keypoints(points[0][1][0], *grid(side, strides)) if points else None,
    )


def _branch(outputs: Sequence[Floats], described: Described, side: int) -> Decoded:
    """branch: box `[1, 64, h, w]` and class scores `[1, nc, h, w]`; the sums add nothing."""
    import numpy as np

    scores = [_cells(branch) for _, branch in _by_role(outputs, described, "class")]
    corners = [boxes(_cells(branch), n) for n, branch in _by_role(outputs, described, "box")]
    return Decoded(np.concatenate(corners), np.concatenate(scores), None)


def _cells(branch: Floats) -> Floats:
    """`[1, channels, h, w]` -> `[h * w, channels]`."""
    return branch[0].reshape(branch.shape[1], -1).T


def _decoded(outputs: Sequence[Floats], described: Described, side: int) -> Decoded:
    """decoded: `[1, 4 + nc, N]`, with D values for each of K keypoints behind, all in pixels."""
    import numpy as np

    [rows], [entry] = outputs[0].transpose(0, 2, 1), described
    end = 4 + entry["classes"]
    points = None
    if entry["keypoints"]:
        points = rows[:, end:].reshape(len(rows), *entry["keypoints"])
        if points.shape[-1] == 2:  # this network states no visibility
            points = np.concatenate([points, np.ones_like(points[..., :1])], axis=-1)
    return Decoded(corners_of(rows[:, :4]), rows[:, 4:end], points)


def _decoded_normalised(outputs: Sequence[Floats], described: Described, side: int) -> Decoded:
    """decoded_normalised: `[1, 4 + nc, N]`, the boxes in parts of the input's side."""
    rows = outputs[0][0].T
    return Decoded(corners_of(rows[:, :4]) * side, rows[:, 4:], None)


def _decoded_pair(outputs: Sequence[Floats], described: Described, side: int) -> Decoded:
    """decoded_pair: boxes `[1, 4, N]` in parts of the input's side, scores `[1, N, nc]`."""
    boxes, scores = outputs
    return Decoded(corners_of(boxes[0].T) * side, scores[0], None)


DECODERS: Mapping[str, Callable[[Sequence[Floats], Described, int], Decoded]] = {
    "six_raw": _raw,
    "seven_raw": _raw,
    "branch": _branch,
    "decoded": _decoded,
    "decoded_normalised": _decoded_normalised,
    "decoded_pair": _decoded_pair,
}
