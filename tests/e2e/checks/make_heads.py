"""Exports networks with a chosen ultralytics, and notes what they say. Runs in toolchain `torch`.

Arguments: a folder to fill, the folder of that ultralytics ("" for the toolchain's own), a side in
pixels, then names of model YAMLs, NAME@K,D for other keypoints. For each it leaves NAME.onnx,
NAME-simple.onnx and NAME.npy: the network's own answer `[n, rows, N]`, in PyTorch, to n of
vision.samples. Weights are random, but made lively: untrained ones give every cell the same box
and no score.
"""

from __future__ import annotations

import functools
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxsim
import torch

from vision.samples import samples

IMAGES, BINS = 2, 16


def lively(network: Any, side: int) -> Any:
    """Random weights under which no layer's values die out: normalised as training would."""
    torch.manual_seed(0)
    for name, layer in network.named_modules():
        if isinstance(layer, torch.nn.Conv2d) and "dfl" not in name:
            torch.nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        elif isinstance(layer, torch.nn.BatchNorm2d):
            layer.momentum = None
            layer.reset_running_stats()
    network.train()
    with torch.no_grad():
        network(torch.rand(8, 3, side, side))
    last = network.model[-1]
    for box, kind in zip(getattr(last, "cv2", ()), getattr(last, "cv3", ()), strict=True):
        if box[-1].out_channels != BINS * 4:
            continue  # no distribution: another kind of network
        box[-1].bias.data = -0.6 * torch.arange(float(BINS)).repeat(
            4
        )  # boxes that fit into the image
        torch.nn.init.zeros_(kind[-1].bias)  # new networks doubt every class
    return network.eval()


def described(name: str, folder: Path) -> str:
    """What YOLO takes: the name of a YAML, or a changed one's path."""
    from ultralytics.nn.tasks import yaml_model_load

    plain, _, keypoints = name.partition("@")
    if not keypoints:
        return f"{name}.yaml"
    description = yaml_model_load(f"{plain}.yaml") | {"kpt_shape": json.loads(f"[{keypoints}]")}
    path = folder / "work" / f"{plain}.yaml"
    path.write_text(
        json.dumps({key: description[key] for key in description if key != "yaml_file"})
    )
    return str(path)


def export(folder: Path, name: str, side: int) -> None:
    from ultralytics import YOLO

    model = YOLO(described(name, folder))
    network = lively(model.model, side)
    images = torch.from_numpy(samples(IMAGES, side).transpose(0, 3, 1, 2).copy())
    with torch.no_grad():
        answer = network(images)
    while isinstance(answer, (tuple, list)):
        answer = answer[0]
    np.save(folder / f"{name}.npy", answer.numpy())
    made = model.export(format="onnx", imgsz=side, opset=13, simplify=False, device="cpu")
    graph = onnx.load(made)
    onnx.save(graph, folder / f"{name}.onnx")
    simple, same = onnxsim.simplify(graph)
    assert same
    onnx.save(simple, folder / f"{name}-simple.onnx")


def main(target: str, library: str, side: str, *names: str) -> str:
    folder = Path(target)
    (folder / "work").mkdir(parents=True)
    os.chdir(folder / "work")  # ultralytics writes beside the working directory
    os.environ |= {"YOLO_OFFLINE": "true", "YOLO_AUTOINSTALL": "false"}
    os.environ["YOLO_CONFIG_DIR"] = str(folder / "work")
    if library:
        sys.path.insert(0, library)
    # ultralytics 8.3.0 was made for torch's older exporter, which is not the default any more.
    torch.onnx.export = functools.partial(torch.onnx.export, dynamo=False)
    import ultralytics

    for name in names:
        export(folder, name, int(side))
    return str(ultralytics.__version__)


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
