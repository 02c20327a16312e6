"""Gives exported networks each form's end, and reads that. Runs in toolchain `images`.

Arguments: a folder that make_heads.py filled, a folder to fill, JSON of the contract's part of
head.Params, JSON of task -> form -> order. Prints for each network and form what came of it;
differences are those of the decoded outputs from the network's own answer in PyTorch.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx

from edgemake.work import StageError, Work
from stages import head
from vision.forms import Decoded, decode_outputs
from vision.run_onnx import run_onnx
from vision.samples import samples

if TYPE_CHECKING:
    from vision.decode import Floats


def differences(found: Decoded, truth: Decoded, side: int, whole: bool) -> dict[str, float]:
    """Largest differences; corners only of boxes inside the image unless `whole`."""
    corners = abs(found.corners - truth.corners)
    inside = ((truth.corners >= 0) & (truth.corners <= side)).all(axis=1)
    told = {
        "box": float((corners if whole else corners[inside]).max()),
        "compared": int(len(corners) if whole else inside.sum()),
        "score": float(abs(found.scores - truth.scores).max()),
        "best": float(truth.scores.max()),
        "spread": float(truth.corners.std()),
    }
    if truth.keypoints is not None and found.keypoints is not None:
        off = abs(found.keypoints - truth.keypoints)
        told["keypoint"] = float(off[..., :2].max())
        told["score"] = max(told["score"], float(off[..., 2].max()))
    return told


def without_kernels(source: Path, target: Path) -> Path:
    """The same network as ONNX also allows it: convolutions that do not state their kernel."""
    model = onnx.load(source)
    for node in model.graph.node:
        if node.op_type == "Conv":
            kept = [attribute for attribute in node.attribute if attribute.name != "kernel_shape"]
            del node.attribute[:]
            node.attribute.extend(kept)
    onnx.save(model, target)
    return target


def tried(source: Path, answer: Floats, out: Path, params: head.Params) -> dict[str, Any]:
    """head.json, the graph's facts and the differences; or the refusal."""
    out.mkdir(parents=True)
    if "-simple" not in source.stem:
        source = without_kernels(source, out / "model.onnx")
    try:
        head.run(params, Work({"model.onnx": source}, out, out, 1))
    except StageError as refusal:
        return {"refused": str(refusal)}
    report: dict[str, Any] = json.loads((out / "head.json").read_text())
    side, graph = report["imgsz"], onnx.load(out / "head.onnx")
    whole = {"name": "", "role": "decoded", "stride": None, "shape": [1, *answer.shape[1:]]}
    whole |= {"classes": report["classes"], "keypoints": report["keypoints"]}
    worst: dict[str, float] = {}
    for outputs, own in zip(
        run_onnx(out / "head.onnx", samples(len(answer), side)), answer, strict=True
    ):
        found = decode_outputs(params.form, outputs, report["outputs"], side)
        truth = decode_outputs("decoded", [own[None]], [whole], side)
        told = differences(found, truth, side, not params.form.startswith("decoded_"))
        worst = {key: max(value, worst.get(key, 0.0)) for key, value in told.items()}
    return {
        "report": report,
        "outputs": [value.name for value in graph.graph.output],
        "metadata": sorted(entry.key for entry in graph.metadata_props),
        "kernels": all(
            any(attribute.name == "kernel_shape" for attribute in node.attribute)
            for node in graph.graph.node
            if node.op_type == "Conv"
        ),
        "off": worst,
    }


def main(source: str, target: str, contract: str, forms: str) -> dict[str, Any]:
    told = {}
    for path in sorted(Path(source).glob("*.onnx")):
        answer = np.load(path.with_name(f"{path.stem.removesuffix('-simple')}.npy"))
        task = "pose" if "pose" in path.stem else "detect"
        for form, order in json.loads(forms)[task].items():
            params = head.Params(form=form, order=order, **json.loads(contract))
            told[f"{path.stem} {form}"] = tried(
                path, answer, Path(target) / f"{path.stem} {form}", params
            )
    return told


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
