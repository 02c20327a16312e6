"""Runs a target's int8 file on the user's pictures, as the board would, and draws what it finds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgemake.step import Input, Step, UserFiles
from edgemake.work import StageError, Work

if TYPE_CHECKING:
    from PIL.Image import Image

    from stages.schema import Config
    from vision.detections import Detections
    from vision.networks import Network

SCHEMA = 1
"""Version of result.json; see docs/infer.md."""
QUALITY = 92
"""Of the drawn JPEG files."""
SHOWN = 20
"""Faults listed in one message."""


@dataclass(frozen=True)
class Params:
    """How pictures are brought to size, and what counts as found."""

    kind: str
    """Of the target: what runs its files."""
    preprocess: str
    score: float
    iou: float
    names: list[str]
    """Of the pictures and videos, as the user knows them."""
    results: list[str]
    """The drawn file of each."""


def plan(
    config: Config, model: Input, head: Input, export: Input, pictures: Sequence[Path]
) -> Step:
    """`model`: the int8 file that a PC can run; `head`, `export`: head.json, export.json."""
    from vision.pictures import result_names

    return Step(
        stage="infer",
        params=Params(
            kind=config.target.kind,
            preprocess=config.target.preprocess,
            score=config.output.score,
            iou=config.output.iou,
            names=[path.name for path in pictures],
            results=result_names(pictures),
        ),
        inputs={
            "model": model,
            "head.json": head,
            "export.json": export,
            "pictures": UserFiles(tuple(pictures)),
        },
        outputs=("result", "result.json"),
        toolchain=config.lock("tflm"),
        label=pictures[0].name if len(pictures) == 1 else f"{len(pictures)} pictures",
    )


def run(params: Params, work: Work) -> None:
    """Writes result/ (the drawn pictures and videos) and result.json.

    How long it took stands in the log: equal work leaves equal outputs. Raises StageError that
    names every picture which cannot be read.
    """
    from vision.networks import open_network

    head = json.loads(work.inputs["head.json"].read_text(encoding="utf-8"))
    export = json.loads(work.inputs["export.json"].read_text(encoding="utf-8"))
    work.progress(0, len(params.names), "loading the model")
    network = open_network(
        params.kind, work.inputs["model"], len(head["outputs"]), int(head["imgsz"])
    )
    look = _Look(params, network, head, export["names"])
    (work.out / "result").mkdir()
    report = {
        "schema": SCHEMA,
        "made_by": "doit infer",
        "runtime": network.runtime,
        "form": head["form"],
        "imgsz": head["imgsz"],
        "preprocess": params.preprocess,
        "thresholds": {"score": params.score, "iou": params.iou},
        "classes": export["names"],
        "results": _all(look, params, work),
    }
    text = json.dumps(report, indent=1, ensure_ascii=False) + "\n"
    (work.out / "result.json").write_text(text, encoding="utf-8")
    print(network.timed())


def _all(look: _Look, params: Params, work: Work) -> list[dict[str, Any]]:
    """What was found on each picture and video, in order."""
    from vision.pictures import is_video

    results, faults = [], []
    paths = sorted(work.inputs["pictures"].iterdir())
    for i, (name, path) in enumerate(zip(params.names, paths, strict=True)):
        work.progress(i, len(paths), name)
        target = work.out / "result" / params.results[i]
        entry: dict[str, Any] = {"name": name, "file": target.name}
        try:
            found = look.video(path, target, name, work) if is_video(path) else look(path, target)
            results.append(entry | found)
        except ValueError as fault:
            faults.append(f"{name}: {fault}")
    if faults:
        shown = "\n".join(faults[:SHOWN])
        raise StageError(
            f"image: {len(faults)} of {len(paths)} cannot be read; mend them or leave them "
            f"out:\n{shown}"
        )
    return results


class _Look:
    """The network with all that surrounds it: from a picture to what is on it."""

    def __init__(
        self, params: Params, network: Network, head: dict[str, Any], names: list[str]
    ) -> None:
        self._params, self._network, self._head, self._names = params, network, head, names

    def __call__(self, path: Path, target: Path) -> dict[str, Any]:
        """One picture: what result.json says of it. Raises ValueError."""
        from vision.detections import plain
        from vision.draw import drawn, enlargement
        from vision.preprocess import read

        picture = read(path)
        found = self.find(picture)
        drawn(picture, found, self._names).save(target, "JPEG", quality=QUALITY)
        return {
            "width": picture.width,
            "height": picture.height,
            "enlarged": enlargement(*picture.size),
            "detections": plain(found, self._names),
        }

    def video(self, path: Path, target: Path, name: str, work: Work) -> dict[str, Any]:
        """All frames of a video. Raises ValueError for one without a frame that can be read."""
        from PIL import Image

        from vision.detections import plain
        from vision.draw import drawn, enlargement
        from vision.pictures import Writer, reading

        frames, picture = [], None
        with reading(path) as video:
            writer = Writer(target, video.fps)
            for number, pixels in enumerate(video):
                work.progress(number, video.frames, f"{name}: frame {number + 1}")
                picture = Image.fromarray(pixels)
                found = self.find(picture)
                writer.write(_even(drawn(picture, found, self._names)))
                frames.append({"frame": number, "detections": plain(found, self._names)})
            writer.close()
            if picture is None:
                raise ValueError("no frame can be read")
            return {
                "width": picture.width,
                "height": picture.height,
                "enlarged": enlargement(*picture.size),
                "fps": round(video.fps, 3),
                "frames": frames,
            }

    def find(self, picture: Image) -> Detections:
        """What the network finds on an RGB picture, in its pixels."""
        from vision.detections import on_picture, select
        from vision.forms import decode_outputs
        from vision.preprocess import fitted, placement

        head, params = self._head, self._params
        side = head["imgsz"]
        outputs = self._network(fitted(picture, side, params.preprocess))
        try:
            decoded = decode_outputs(head["form"], outputs, head["outputs"], side)
        except ValueError as fault:
            raise StageError(
                f"the model file is not the one that head.json describes: {fault}"
            ) from fault
        place = placement(picture.width, picture.height, side, params.preprocess)
        found = select(decoded, params.score, params.iou)
        return on_picture(found, place, picture.width, picture.height)


def _even(picture: Image) -> Any:
    """`[h, w, 3]` uint8 without an odd last row or column, which video codecs refuse."""
    import numpy as np

    pixels = np.asarray(picture)
    height, width = (length - length % 2 for length in pixels.shape[:2])
    return pixels[:height, :width]
