"""Holds tier pytorch against ultralytics' own validation, and both boards' decodes against its own.

Arguments: params (JSON) and inputs (JSON: name -> path) of the tier's step, model.onnx, head params
of some forms (JSON), an empty folder, how many images. Runs in toolchain `torch`. The pictures are
made of the split's: smaller and larger than the input, wide, high, turned by EXIF, with alpha.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from edgemake.work import Work
from stages import head, predict
from vision.forms import decode_outputs
from vision.letterbox import letterboxed
from vision.preprocess import read
from vision.run_onnx import run_onnx
from vision.run_torch import load_torch

TURNED = 6
"""EXIF orientation: to be turned by a quarter clockwise."""
Found = dict[str, Any]


def odd(source: Path, target: Path, number: int) -> None:
    """A picture of another size and shape, with the given one somewhere on it."""
    draw = random.Random(number)
    picture = Image.open(source).convert("RGB")
    side = max(40, round(picture.width * draw.choice([0.5, 1, 1.7, 3.3])))
    wide, high = side + draw.choice([0, 7, side]), side + draw.choice([0, 5, side // 3])
    if number == 0:  # one that is as large as the input, and stays as it is
        side = wide = high = picture.width
    canvas = Image.new("RGB", (wide, high), (number * 9 % 255, 80, 120))
    place = (draw.randint(0, wide - side), draw.randint(0, high - side))
    canvas.paste(picture.resize((side, side)), place)
    if number % 4 == 1:
        exif = Image.Exif()
        exif[0x0112] = TURNED
        canvas.transpose(Image.Transpose.ROTATE_90).save(target, exif=exif, quality=90)
    elif number % 4 == 2:
        canvas.convert("RGBA").save(target.with_suffix(".png"))
    else:
        canvas.save(target, quality=90)


def dataset(inputs: dict[str, Path], folder: Path, count: int) -> dict[str, Path]:
    """The same inputs with pictures made of the split's; every label is one box."""
    manifest = json.loads(inputs["manifest.json"].read_text())
    for kind in ("images", "labels"):
        (folder / "data" / kind / "val").mkdir(parents=True)
    place = folder / "data/images/val"
    for number, entry in enumerate(manifest["splits"]["val"][:count]):
        odd(inputs["data"] / entry["image"], place / f"photo{number:03d}.jpg", number)
    names = sorted(path.name for path in place.iterdir())
    for name in names:
        label = folder / "data/labels/val" / f"{Path(name).stem}.txt"
        label.write_text("0 0.5 0.5 0.5 0.5\n")
    manifest["splits"]["val"] = [{"image": f"images/val/{name}"} for name in names]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    rows = "".join(f"  {i}: {json.dumps(name)}\n" for i, name in enumerate(manifest["names"]))
    lines = f"path: {folder / 'data'}\ntrain: images/val\nval: images/val\nnames:\n{rows}"
    (folder / "data.yaml").write_text(lines)
    return inputs | {"manifest.json": folder / "manifest.json", "data": folder / "data"}


def ours(params: predict.Params, inputs: dict[str, Path], folder: Path) -> Found:
    """Picture -> what the stage finds: rows of class, score, box."""
    for name in ("out", "scratch"):
        (folder / name).mkdir()
    predict.run(params, Work(inputs, folder / "out", folder / "scratch", 2))
    said = json.loads((folder / "out/predictions.json").read_text())
    found = np.load(folder / "out/predictions.npz")
    rows = np.concatenate([found["cls"][:, None], found["score"][:, None], found["box"]], axis=1)
    return {name: rows[found["image"] == i] for i, name in enumerate(said["images"])}


def theirs(params: predict.Params, data: Path, model: Path, imgsz: int) -> Found:
    """The same of ultralytics' validation. Its boxes are clipped to the picture."""
    from ultralytics import YOLO
    from ultralytics.models.yolo.detect import DetectionValidator

    found: Found = {}

    class Watching(DetectionValidator):  # type: ignore[misc]  # it has no types
        def update_metrics(self, preds: list[dict[str, Any]], batch: dict[str, Any]) -> None:
            super().update_metrics(preds, batch)
            for i, pred in enumerate(preds):
                told = self.scale_preds(pred, self._prepare_batch(i, batch))
                parts = [told["cls"][:, None], told["conf"][:, None], told["bboxes"]]
                name = Path(batch["im_file"][i]).name
                found[name] = np.concatenate([part.numpy() for part in parts], axis=1)

    link = data.with_name("model.pt")
    link.symlink_to(model.resolve())
    YOLO(str(link)).val(
        validator=Watching, data=str(data), imgsz=imgsz, rect=False, batch=4, device="cpu",
        conf=params.score, iou=params.iou, plots=False, workers=0, project=str(data.parent),
    )  # fmt: skip
    return found


def compared(mine: Found, others: Found, params: predict.Params, inputs: dict[str, Path]) -> Any:
    """Detections of `others`, how many of them are not among ours, and the largest differences."""
    missing = total = 0
    worst = {"box": 0.0, "score": 0.0}
    for name, rows in others.items():
        picture = read(inputs["data"] / "images/val" / name)
        own = mine[name].copy()
        own[:, 2:] = own[:, 2:].reshape(-1, 2, 2).clip(0, picture.size).reshape(-1, 4)
        for kind, score, *box in rows.tolist():
            like = own[(own[:, 0] == kind) & (abs(own[:, 1] - score) <= 1e-3)]
            off = abs(like[:, 2:] - box).max(axis=1)
            total += 1
            if not len(like) or off.min() > 0.5:
                missing += 1
                continue
            best = int(off.argmin())
            worst["box"] = max(worst["box"], float(off[best]))
            worst["score"] = max(worst["score"], abs(float(like[best, 1]) - score))
    own = sum(map(len, mine.values()))
    return {"images": len(others), "found": total, "own": own, "missing": missing, **worst}


def decodes(
    network: Any, whole: Path, forms: dict[str, Any], pictures: list[Path], folder: Path
) -> Any:
    """Form -> largest differences of its decode from what ultralytics' head says, on pictures."""
    told = {}
    for form, params in forms.items():
        for name in ("out", "scratch"):
            (folder / form / name).mkdir(parents=True)
        work = Work({"model.onnx": whole}, folder / form / "out", folder / form / "scratch", 1)
        head.run(head.Params(form=form, **params), work)
        report = json.loads((work.out / "head.json").read_text())
        side, off = report["imgsz"], {"box": 0.0, "score": 0.0, "best": 0.0}
        images = [letterboxed(read(path), side) for path in pictures]
        floats = [image.astype(np.float32) / 255 for image in images]
        for image, outputs in zip(images, run_onnx(work.out / "head.onnx", floats), strict=True):
            found = decode_outputs(form, outputs, report["outputs"], side)
            [answer] = network.run(image)
            centre, size = answer[0, :2].T, answer[0, 2:4].T
            corners = np.concatenate([centre - size / 2, centre + size / 2], axis=1)
            scores = answer[0, 4 : 4 + report["classes"]].T
            off["box"] = max(off["box"], float(abs(found.corners - corners).max()))
            off["score"] = max(off["score"], float(abs(found.scores - scores).max()))
            off["best"] = max(off["best"], float(scores.max()))
        told[form] = off
    return told


def main(given: str, edges: str, whole: str, forms: str, place: str, count: str) -> dict[str, Any]:
    folder, params = Path(place), predict.Params(**json.loads(given))
    inputs = {name: Path(path) for name, path in json.loads(edges).items()}
    made = dataset(inputs, folder, int(count))
    imgsz = json.loads(inputs["export.json"].read_text())["imgsz"]
    mine = ours(params, made, folder)
    network = load_torch(inputs["model"], folder)  # ultralytics is set up by this
    others = theirs(params, folder / "data.yaml", inputs["model"], imgsz)
    pictures = sorted((made["data"] / "images/val").iterdir())
    return {
        "val": compared(mine, others, params, made),
        "decode": decodes(network, Path(whole), json.loads(forms), pictures, folder / "heads"),
    }


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
