#!/usr/bin/env python3
"""Runs an int8 YOLOv8 ONNX model on a picture: on a SpacemiT board, or on any computer.

    python infer.py --image photo.jpg

prints what it finds (class, score, box x1 y1 x2 y2 in the picture's pixels, keypoints of a pose)
and draws it into result.jpg. Needs numpy, opencv and onnxruntime; where `spacemit_ort` is
installed, SpaceMITExecutionProvider runs the model, else the CPU does. The model, labels.txt and
model.json (thresholds) are looked for beside this file.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import json
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

try:
    import cv2
    import numpy as np
    import onnxruntime
except ImportError as missing:
    sys.exit(
        f"{missing}; this program needs numpy, opencv-python-headless, onnxruntime "
        "(on the board spacemit-ort in its place)"
    )

HERE = Path(__file__).resolve().parent
PAD = 114  # grey of a letterbox's bars: what ultralytics trains with
BINS = 16  # of YOLOv8's distribution of each side's distance (arXiv:2006.04388)
VISIBLE = 0.5  # keypoints below this visibility are not drawn
LIMBS = (  # COCO's skeleton of 17 keypoints
    (15, 13), (13, 11), (16, 14), (14, 12), (11, 12), (5, 11), (6, 12), (5, 6), (5, 7), (6, 8),
    (7, 9), (8, 10), (1, 2), (0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 6),
)  # fmt: skip


class Failed(SystemExit):
    """Something the user can mend: its words go to stderr, the exit status is 1."""


class Found(NamedTuple):
    """Detections, the surest first; boxes `[n, 4]` corners, keypoints `[n, K, 3]` or None."""

    boxes: Any
    scores: Any
    classes: Any
    keypoints: Any

    def take(self, chosen: Any) -> Found:
        return Found(*(None if part is None else part[chosen] for part in self))


def arguments() -> argparse.Namespace:
    """The command line."""
    words = argparse.ArgumentParser(description="Run an int8 YOLOv8 ONNX model on a picture.")
    words.add_argument("--model", type=Path, help="ONNX file (default: the .q.onnx beside this)")
    words.add_argument("--image", type=Path, required=True, help="picture to look at")
    words.add_argument("--score", type=float, help="least score (default: model.json's, or 0.25)")
    words.add_argument("--iou", type=float, help="NMS IoU (default: model.json's, or 0.45)")
    words.add_argument("--output", type=Path, default="result.jpg", help="drawn picture")
    words.add_argument("--classes", type=Path, help="class names, one a line (default: labels.txt)")
    return words.parse_args()


def main() -> None:
    """Load, look, print, draw."""
    wanted = arguments()
    picture = read_picture(wanted.image)
    session, provider = load(wanted.model)
    entry = session.get_inputs()[0]
    if len(entry.shape) != 4 or not all(isinstance(n, int) for n in entry.shape):
        raise Failed(f"the model's input {entry.shape} has no fixed size [1, 3, height, width]")
    pixels, scale, left, top = letterbox(picture, *entry.shape[2:])
    began = time.perf_counter()
    outputs, seconds = session.run(None, {entry.name: pixels}), time.perf_counter() - began
    names = class_names(wanted.classes, session)
    corners, scores, points = decode(outputs, names, entry.shape[2])
    names += [f"class {i}" for i in range(len(names), scores.shape[1])]
    found = select(corners, scores, points, *thresholds(wanted))
    found = on_picture(found, scale, left, top, picture.shape)
    tell(found, names)
    print(f"{len(found.scores) or 'nothing'} found in {1000 * seconds:.1f} ms on {provider}")
    save(wanted.output, drawn(picture, found, names))
    print(f"wrote {wanted.output}")


def read_picture(path: Path) -> Any:
    """`[h, w, 3]` uint8 BGR, turned upright."""
    try:
        data = path.read_bytes()
    except OSError as fault:
        raise Failed(f"--image {path}: {fault.strerror}") from None
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    if picture is None or torn(data):
        raise Failed(f"--image {path}: not a picture, or a damaged one")
    return picture


def torn(data: bytes) -> bool:
    """Whether a JPEG file ends before its picture does; opencv may silently leave the rest grey."""
    at, jpeg = 2, data[:2] == b"\xff\xd8"
    while jpeg and data[at : at + 1] == b"\xff" and data[at + 1 : at + 2] != b"\xda":
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")  # from header to header
    return jpeg and data.find(b"\xff\xd9", at) < 0


def load(given: Path | None) -> tuple[Any, str]:
    """A session of the model, or of the .q.onnx file beside this program; what runs it."""
    models = [given] if given else sorted(HERE.glob("*.q.onnx"))
    if len(models) != 1 or not models[0].is_file():
        lie = (
            f"{given}: no such file" if given else f"{len(models)} *.q.onnx lie in {HERE}; say one"
        )
        raise Failed(f"--model {lie}")
    [model] = models
    options, providers = onnxruntime.SessionOptions(), ["CPUExecutionProvider"]
    with contextlib.suppress(ImportError):
        import spacemit_ort  # noqa: F401  registers its provider

        options.intra_op_num_threads = 4  # as SpacemiT's own demos have it
        providers.insert(0, "SpaceMITExecutionProvider")
    try:
        session = onnxruntime.InferenceSession(str(model), options, providers=providers)
    except Exception as fault:  # onnxruntime's own exceptions have no common base
        raise Failed(f"--model {model}: {str(fault).splitlines()[0]}") from None
    return session, f"{session.get_providers()[0]}, onnxruntime {onnxruntime.__version__}"


def thresholds(wanted: argparse.Namespace) -> tuple[float, float]:
    """Score and IoU: as said, else as model.json beside this program has them."""
    told = {"score": 0.25, "iou": 0.45}
    with contextlib.suppress(OSError, ValueError, LookupError):
        told |= json.loads((HERE / "model.json").read_text(encoding="utf-8"))["thresholds"]
    score = told["score"] if wanted.score is None else wanted.score
    return score, told["iou"] if wanted.iou is None else wanted.iou


def class_names(given: Path | None, session: Any) -> list[str]:
    """Of the file, of the model's metadata, or of labels.txt beside this program; may be empty."""
    told: list[str] = []
    with contextlib.suppress(ValueError, SyntaxError, AttributeError):
        metadata = session.get_modelmeta().custom_metadata_map.get("names")
        told = [str(name) for _, name in sorted(ast.literal_eval(metadata).items())]
    path = given or HERE / "labels.txt"
    if given is None and (told or not path.is_file()):
        return told
    try:
        names = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError) as fault:
        raise Failed(f"--classes {path}: {fault}") from None
    if told and len(names) != len(told):
        raise Failed(
            f"--classes {given}: {len(names)} names, but the model has {len(told)} classes"
        )
    return names


def letterbox(picture: Any, height: int, width: int) -> tuple[Any, Any, int, int]:
    """`[1, 3, height, width]` float32 RGB in 0..1; the picture's scale (x, y) and offsets on it."""
    (high, wide), ratio = (
        picture.shape[:2],
        min(width / picture.shape[1], height / picture.shape[0]),
    )
    inner = max(1, round(wide * ratio)), max(1, round(high * ratio))
    left, top = round((width - inner[0]) / 2 - 0.1), round((height - inner[1]) / 2 - 0.1)
    canvas = np.full((height, width, 3), PAD, np.uint8)
    way = cv2.INTER_AREA if ratio < 1 else cv2.INTER_LINEAR  # averaging where it shrinks
    scaled = cv2.resize(picture, inner, interpolation=way)
    canvas[top : top + inner[1], left : left + inner[0]] = scaled
    pixels = canvas[..., ::-1].transpose(2, 0, 1)[None].astype(np.float32) / 255
    return np.ascontiguousarray(pixels), np.array(inner) / (wide, high), left, top


def decode(outputs: list[Any], names: list[str], height: int) -> tuple[Any, Any, Any]:
    """Corners `[N, 4]` and keypoints `[N, K, 3]` (or None) in the input's pixels, scores."""
    shapes = [list(output.shape) for output in outputs]
    if len(outputs) == 1 and len(shapes[0]) == 3:
        return whole(outputs[0][0].T, names)
    if len(outputs) >= 6 and all(len(shape) == 4 for shape in shapes):
        return branches(outputs, height)
    raise Failed(f"outputs of shapes {shapes} are neither `decoded` nor `branch`")


def whole(rows: Any, names: list[str]) -> tuple[Any, Any, Any]:
    """`decoded`, `[1, n, N]`: centre x, y, width, height in pixels, class scores, keypoints."""
    classes = len(names) or rows.shape[1] - 4
    rest = rows.shape[1] - 4 - classes
    if rest < 0 or (rest % 3 and rest % 2):
        raise Failed(
            f"the model gives {rows.shape[1]} values a box, which does not fit {classes} class "
            "names; give the model's own labels with --classes"
        )
    half = rows[:, 2:4] / 2
    corners = np.concatenate([rows[:, :2] - half, rows[:, :2] + half], axis=1)
    points = None
    if rest:
        points = rows[:, 4 + classes :].reshape(len(rows), -1, 3 if rest % 3 == 0 else 2)
        if points.shape[2] == 2:  # no visibility is stated
            points = np.concatenate([points, np.ones_like(points[..., :1])], axis=2)
    return corners, rows[:, 4 : 4 + classes], points


def branches(outputs: list[Any], height: int) -> tuple[Any, Any, Any]:
    """`branch`: for each stride a box `[1, 64, h, w]`, scores `[1, classes, h, w]`, their sum."""
    grids: dict[tuple[int, int], list[Any]] = {}
    for output in outputs:
        grids.setdefault(output.shape[2:], []).append(output)
    corners, scores = [], []
    for (high, wide), (box, found, *_) in sorted(grids.items(), reverse=True):
        if box.shape[1] != 4 * BINS:
            raise Failed(f"a box branch of {box.shape[1]} channels; {4 * BINS} were expected")
        bins = box[0].reshape(4, BINS, -1)
        powers = np.exp(bins - bins.max(axis=1, keepdims=True))
        reach = (powers * np.arange(BINS)[:, None]).sum(axis=1) / powers.sum(axis=1)
        y, x = np.mgrid[:high, :wide].reshape(2, -1) + 0.5
        sides = np.stack([x - reach[0], y - reach[1], x + reach[2], y + reach[3]], axis=1)
        corners.append(sides * (height / high))
        scores.append(found[0].reshape(found.shape[1], -1).T)
    return np.concatenate(corners), np.concatenate(scores), None


def select(corners: Any, scores: Any, points: Any, score: float, iou: float) -> Found:
    """Each cell's best class, if sure enough; of overlapping boxes of a class the surest."""
    classes, best = scores.argmax(axis=1), scores.max(axis=1)
    found = Found(corners, best, classes, points).take(best >= score)
    found = found.take(np.argsort(-found.scores, kind="stable"))
    kept: list[int] = []
    for i, box in enumerate(found.boxes):
        rivals = found.boxes[[j for j in kept if found.classes[j] == found.classes[i]]]
        sides = np.minimum(box[2:], rivals[:, 2:]) - np.maximum(box[:2], rivals[:, :2])
        shared = np.clip(sides, 0, None).prod(axis=1)
        areas = (rivals[:, 2:] - rivals[:, :2]).prod(axis=1) + (box[2:] - box[:2]).prod()
        if not (shared > iou * (areas - shared)).any():
            kept.append(i)
    return found.take(kept)


def on_picture(found: Found, scale: Any, left: int, top: int, shape: Any) -> Found:
    """From the input's pixels to the picture's; boxes are clipped to it, empty ones dropped."""
    corners = (found.boxes.reshape(-1, 2, 2) - (left, top)) / scale
    boxes = np.clip(corners, 0, (shape[1], shape[0])).reshape(-1, 4)
    points = found.keypoints
    if points is not None:
        places = (points[..., :2] - (left, top)) / scale
        points = np.concatenate([places, points[..., 2:]], axis=-1)
    inside = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
    return Found(boxes, found.scores, found.classes, points).take(inside)


def tell(found: Found, names: list[str]) -> None:
    """Print every detection."""
    for i, index in enumerate(found.classes):
        box = " ".join(f"{value:.1f}" for value in found.boxes[i])
        print(f"{names[index]}  {found.scores[i]:.2f}  box {box}")
        if found.keypoints is not None:
            points = (f"{x:.0f},{y:.0f} ({seen:.2f})" for x, y, seen in found.keypoints[i])
            print("  keypoints", "  ".join(points))


def drawn(picture: Any, found: Found, names: list[str]) -> Any:
    """A copy with boxes, labels and poses."""
    canvas, longer = picture.copy(), max(picture.shape[:2])
    line, size = max(1, round(longer / 320)), max(0.35, longer / 1200)
    for i in reversed(range(len(found.scores))):
        hue = np.uint8([[[(60 + 111 * int(found.classes[i])) % 180, 220, 240]]])
        colour = cv2.cvtColor(hue, cv2.COLOR_HSV2BGR)[0, 0].tolist()
        x1, y1, x2, y2 = (round(float(value)) for value in found.boxes[i])
        cv2.rectangle(canvas, (x1, y1), (x2, y2), colour, line)
        name = names[found.classes[i]]  # of other letters opencv 4 has none
        words = f"{name if name.isascii() else found.classes[i]} {found.scores[i]:.2f}"
        place = (x1, y1 - 2 * line if y1 > 30 * size else y1 + round(30 * size))
        cv2.putText(canvas, words, place, cv2.FONT_HERSHEY_SIMPLEX, size, (0, 0, 0), line + 2)
        cv2.putText(canvas, words, place, cv2.FONT_HERSHEY_SIMPLEX, size, colour, line)
        if found.keypoints is not None:
            pose(canvas, found.keypoints[i], line)
    return canvas


def pose(canvas: Any, points: Any, line: int) -> None:
    """Dots, and limbs between COCO's 17."""
    places = [(round(float(x)), round(float(y))) for x, y, _ in points]
    for one, other in LIMBS if len(points) == 17 else ():
        if min(points[one][2], points[other][2]) >= VISIBLE:
            cv2.line(canvas, places[one], places[other], (0, 200, 255), line)
    for place in (place for i, place in enumerate(places) if points[i][2] >= VISIBLE):
        cv2.circle(canvas, place, line + 1, (255, 255, 255), -1)


def save(path: Path, picture: Any) -> None:
    """Write the picture in the kind that its name says."""
    try:
        path.write_bytes(cv2.imencode(path.suffix, picture)[1].tobytes())
    except cv2.error:
        raise Failed(f"--output {path}: give it the suffix of a picture, .jpg or .png") from None
    except OSError as fault:
        raise Failed(f"--output {path}: {fault.strerror}") from None


if __name__ == "__main__":
    main()
