"""From an image file to what a network finds on it, in any runtime."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from PIL.Image import Image

    from vision.decode import Floats
    from vision.detections import Detections
    from vision.forms import Decoded
    from vision.loaded import Loaded
    from vision.preprocess import Placement

ANY = 0
"""A length that nothing is demanded of."""


class Misfit(ValueError):
    """The model file is not what its description says, or its runtime cannot run it."""


class BadImage(ValueError):
    """An image cannot be read; the message names it."""


@dataclass(frozen=True)
class Setting:
    """All that a process needs to begin."""

    runtime: str
    """torch, onnx, litert or tflm."""
    model: Path
    outputs: str
    """What it says, as `described` has it: JSON, so that a setting can be looked up."""
    scratch: Path
    """Where the runtime may write."""
    board: bool
    """Whether pictures and detections are treated as the board does, else as ultralytics' val."""
    preprocess: str
    score: float
    iou: float
    most: int
    """Detections kept of one image."""


@dataclass(frozen=True)
class Raw:
    """Outputs as the file has them."""

    outputs: Sequence[NDArray[Any]]
    quantization: Sequence[tuple[float, int]]
    """Scale and zero point of each."""
    exact: Sequence[NDArray[Any]]
    """The same, of kernels that round as TensorFlow Lite Micro does; empty where there are none."""


@dataclass(frozen=True)
class Predicted:
    """What was found on one image."""

    runtime: str
    """Name and version of what ran the model."""
    width: int
    height: int
    found: Detections
    raw: Raw | None


def described(head: dict[str, Any] | None, export: dict[str, Any]) -> dict[str, Any]:
    """Form, input side and outputs: head.json's, or without one those of the whole network."""
    if head is not None:
        return {key: head[key] for key in ("form", "imgsz", "outputs")}
    keypoints = export["kpt_shape"]
    whole = {
        "name": "output0",
        "role": "decoded",
        "stride": None,
        "classes": len(export["names"]),
        "keypoints": keypoints,
    }
    channels = 4 + len(export["names"]) + (keypoints[0] * keypoints[1] if keypoints else 0)
    outputs = [whole | {"shape": [1, channels, ANY]}]
    return {"form": "decoded", "imgsz": export["imgsz"], "outputs": outputs}


def predict(setting: Setting, image: tuple[Path, bool]) -> Predicted:
    """What the model finds on an image file; boxes and keypoints in its pixels, as float32.

    The flag says whether its raw outputs are wanted too. The first call in a process loads the
    model. Raises Misfit and BadImage.
    """
    from vision.preprocess import read

    network = _opened(setting)
    path, wanted = image
    if not path.is_file():
        raise BadImage(f"{path.name} is missing")
    try:
        picture = read(path)
    except ValueError as fault:
        raise BadImage(f"{path.name} cannot be read ({fault})") from fault
    pixels, place = _fitted(setting, picture, network.side)
    outputs = network.run(pixels)
    found = _single(_selected(setting, network.decoded(outputs), place, picture))
    loaded, raw = network.loaded, None
    if wanted and loaded.quantization:
        raw = Raw(outputs, loaded.quantization, loaded.exact(pixels) if loaded.exact else ())
    return Predicted(loaded.runtime, picture.width, picture.height, found, raw)


def _fitted(setting: Setting, picture: Image, side: int) -> tuple[Any, Placement]:
    """`[side, side, 3]` uint8, and where the picture lies on it."""
    from vision.letterbox import letterbox, letterboxed
    from vision.preprocess import fitted, placement

    if setting.board:
        place = placement(picture.width, picture.height, side, setting.preprocess)
        return fitted(picture, side, setting.preprocess), place
    return letterboxed(picture, side), letterbox(picture.width, picture.height, side)


def _selected(setting: Setting, decoded: Decoded, place: Placement, picture: Image) -> Detections:
    """In pixels of the picture. ultralytics' val lets boxes reach beyond it, and counts them so."""
    from vision.detections import off_input, on_picture, select, select_every

    least, iou, most = setting.score, setting.iou, setting.most
    if setting.board:
        found = select(decoded, least, iou, most)
        return on_picture(found, place, picture.width, picture.height)
    return off_input(select_every(decoded, least, iou, most), place)


def _single(found: Detections) -> Detections:
    """Half as many bytes: float32 and int32."""
    import numpy as np

    points = None if found.keypoints is None else found.keypoints.astype(np.float32)
    return replace(
        found,
        boxes=found.boxes.astype(np.float32),
        scores=found.scores.astype(np.float32),
        classes=found.classes.astype(np.int32),
        keypoints=points,
    )


@dataclass(frozen=True)
class _Network:
    """A loaded model with the meaning of its outputs."""

    loaded: Loaded
    form: str
    side: int
    outputs: list[dict[str, Any]]

    def run(self, pixels: NDArray[Any]) -> Sequence[NDArray[Any]]:
        """Raises Misfit for a file that takes or gives something else."""
        try:
            raw = self.loaded.run(pixels)
        except Exception as fault:  # of four runtimes, without a base of their own
            raise Misfit(f"{self.loaded.runtime} cannot run it ({fault})") from fault
        shapes = [list(output.shape) for output in raw]
        wanted = [entry["shape"] for entry in self.outputs]
        if len(shapes) != len(wanted) or not all(map(_fits, shapes, wanted)):
            raise Misfit(f"its outputs have the shapes {shapes}, expected {wanted}")
        return raw

    def decoded(self, raw: Sequence[NDArray[Any]]) -> Decoded:
        from vision.forms import decode_outputs

        floats: list[Floats] = self.loaded.floats(raw)
        found = [
            entry | {"shape": list(output.shape)}
            for entry, output in zip(self.outputs, raw, strict=True)
        ]
        return decode_outputs(self.form, floats, found, self.side)


def _fits(shape: list[int], wanted: list[int]) -> bool:
    same = [want in (n, ANY) for n, want in zip(shape, wanted, strict=False)]
    return len(shape) == len(wanted) and all(same)


@functools.cache
def _opened(setting: Setting) -> _Network:
    """Loads the model, once in a process. Raises Misfit."""
    said = json.loads(setting.outputs)
    try:
        loaded = _load(setting, len(said["outputs"]))
    except Exception as fault:  # of four runtimes, without a base of their own
        reason = " ".join(str(fault).split())
        raise Misfit(f"{setting.runtime} cannot load it ({reason})") from fault
    return _Network(loaded, said["form"], said["imgsz"], said["outputs"])


def _load(setting: Setting, outputs: int) -> Loaded:
    from vision.networks import load_onnx
    from vision.run_litert import load_litert
    from vision.run_tflm import load_tflm
    from vision.run_torch import load_torch

    if setting.runtime == "torch":
        return load_torch(setting.model, setting.scratch)
    if setting.runtime == "tflm":
        return load_tflm(setting.model, outputs)
    return {"onnx": load_onnx, "litert": load_litert}[setting.runtime](setting.model)
