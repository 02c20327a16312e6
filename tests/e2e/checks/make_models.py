"""Makes checkpoints and ONNX files as users bring them, right and wrong. Runs in toolchain `torch`.

Arguments: a folder to fill, a side in pixels. Prints the names of the files. The weights are
random: what is tested is what the files say of themselves and how they are read.
"""

from __future__ import annotations

import json
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vision.checkpoint import prepare_ultralytics

NAMES = {0: "blå", 1: "röd"}


def network(architecture: str, **changes: Any) -> Any:
    """A new network of ultralytics' YAML with changed keys, two classes (a pose network: one)."""
    import torch
    from ultralytics import YOLO
    from ultralytics.nn.tasks import guess_model_task, yaml_model_load

    torch.manual_seed(0)
    description = {**yaml_model_load(architecture), **changes}
    task = guess_model_task(description)
    model = YOLO(architecture, task=task)
    count = 1 if task == "pose" else len(NAMES)
    model.model = model.task_map[task]["model"](description, nc=count, verbose=False)
    model.model.names = {i: NAMES[i] for i in range(count)}
    model.model.task = task
    model.model.args = {"task": task, "imgsz": 64}
    model.model.eval()
    if task in ("detect", "pose"):  # as after training: a few confident cells, not 1 % everywhere
        for branch in getattr(model.model.model[-1], "cv3", ()):
            torch.nn.init.normal_(branch[-1].weight, std=0.5)
    return model


def checkpoints(folder: Path) -> None:
    for name, architecture in (
        ("detect", "yolov8n.yaml"),
        ("pose", "yolov8n-pose.yaml"),
        ("segment", "yolov8n-seg.yaml"),
        ("classify", "yolov8n-cls.yaml"),
        ("obb", "yolov8n-obb.yaml"),
        ("yolov8s", "yolov8s.yaml"),
        ("yolo11n", "yolo11n.yaml"),
        ("yolo26n", "yolo26n.yaml"),
    ):
        network(architecture).save(folder / f"{name}.pt")
    network("yolov8n.yaml", activation="torch.nn.ReLU6()").save(folder / "relu6.pt")
    network("yolov8n-pose.yaml", kpt_shape=[4, 3]).save(folder / "pose_4.pt")
    network("yolov8n.yaml", yaml_file="mine.yaml", reg_max=8).save(folder / "other_head.pt")
    alien(folder)


def alien(folder: Path) -> None:
    """What is a checkpoint to torch, but not to ultralytics 8."""
    import torch

    yolov5 = types.ModuleType("models.yolo")
    sys.modules["models"] = types.ModuleType("models")
    sys.modules["models.yolo"] = yolov5
    kind = type("DetectionModel", (torch.nn.Module,), {"__module__": "models.yolo"})
    yolov5.DetectionModel = kind  # type: ignore[attr-defined]
    torch.save({"model": kind(), "epoch": -1}, folder / "yolov5.pt")
    state = torch.nn.Linear(2, 2).state_dict()
    torch.save(state, folder / "state_dict.pt")
    torch.save({"model": torch.nn.Linear(2, 2)}, folder / "linear.pt")
    torch.jit.trace(torch.nn.Linear(2, 2), torch.zeros(1, 2)).save(folder / "torchscript.pt")
    whole = (folder / "detect.pt").read_bytes()
    (folder / "torn.pt").write_bytes(whole[: len(whole) // 2])


# --- ONNX ---------------------------------------------------------------------------------


def graphs(folder: Path, side: int) -> None:
    for name, source, more in (
        ("detect", "detect", {}),
        ("pose", "pose", {}),
        ("dynamic", "detect", {"dynamic": True}),
        ("oblong", "detect", {"imgsz": [side, 2 * side]}),
        ("batch", "detect", {"batch": 2}),
        ("nms", "detect", {"nms": True}),
        ("opset", "detect", {"opset": 17}),
        ("segment", "segment", {}),
        ("classify", "classify", {}),
        ("obb", "obb", {}),
        ("end2end", "yolo26n", {"nms": False}),
    ):
        export(folder, name, source, {"imgsz": side, "opset": 13, **more})
    variants(folder)


def export(folder: Path, name: str, source: str, options: dict[str, Any]) -> None:
    from ultralytics import YOLO

    link = folder / f"{name} of {source}.pt"
    link.write_bytes((folder / f"{source}.pt").read_bytes())
    made = YOLO(link).export(format="onnx", device="cpu", simplify=False, **options)
    Path(made).rename(folder / f"{name}.onnx")
    link.unlink()


def variants(folder: Path) -> None:
    """What other tools and careless hands make of a good file."""
    import onnx
    from onnxruntime.quantization import quantize_dynamic
    from onnxruntime.transformers import float16

    good = folder / "detect.onnx"
    quantize_dynamic(str(good), str(folder / "quantized.onnx"))
    changed(good, folder / "bare.onnx", lambda m: m.ClearField("metadata_props"))
    changed(good, folder / "unnamed.onnx", lambda m: drop(m, "names"))
    changed(good, folder / "bytes.onnx", lambda m: set_type(m, onnx.TensorProto.UINT8))
    changed(good, folder / "grey.onnx", grey)
    onnx.save(
        float16.convert_float_to_float16(onnx.load(good), keep_io_types=True),
        folder / "half.onnx",
    )
    onnx.save(
        onnx.load(good),
        folder / "external.onnx",
        save_as_external_data=True,
        location="weights.bin",
        size_threshold=0,
    )
    (folder / "torn.onnx").write_bytes(good.read_bytes()[:1_000_000])


def changed(source: Path, target: Path, change: Callable[[Any], None]) -> None:
    import onnx

    model = onnx.load(source)
    change(model)
    onnx.save(model, target)


def drop(model: Any, key: str) -> None:
    kept = [entry for entry in model.metadata_props if entry.key != key]
    del model.metadata_props[:]
    model.metadata_props.extend(kept)


def set_type(model: Any, kind: int) -> None:
    model.graph.input[0].type.tensor_type.elem_type = kind


def grey(model: Any) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 1


def main(target: str, side: str) -> list[str]:
    folder = Path(target)
    prepare_ultralytics(folder / "home", cores=1)
    checkpoints(folder)
    graphs(folder, int(side))
    return sorted(path.name for path in folder.iterdir() if path.is_file())


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
