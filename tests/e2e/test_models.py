"""Networks as users bring them: checkpoints and ONNX files, right and wrong; pose; activations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from e2e.checkout import Checkout, Delivered, asked
from e2e.test_bad_input import refused
from vision.onnx_wire import describe

SIDE = 64


@pytest.fixture(scope="module")
def files(chain: Delivered, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of checkpoints and ONNX files with random weights, made by ultralytics."""
    folder = tmp_path_factory.mktemp("files") / "Netze, größer"
    folder.mkdir()
    made = asked(chain, "train", "make_models.py", folder, SIDE)
    assert {"detect.pt", "detect.onnx", "pose.pt", "pose.onnx"} <= set(made)
    return folder


@pytest.fixture
def project(workshop: Checkout) -> Checkout:
    return workshop.only_target()


def built(project: Checkout, stage: str, *arguments: str) -> Path:
    """The artifact of one step, built alone."""
    said = project.doit(*arguments, stage)
    assert said.code == 0, said.text
    last = [line for line in project.executions() if line["stage"] == stage][-1]
    return project.root / "artifacts/store" / stage / str(last["digest"])


# --- checkpoints --------------------------------------------------------------------------

CHECKPOINTS = {
    "segment": "this is yolov8n-seg, a segmentation network; boards decode detection and pose",
    "classify": "this is yolov8n-cls, a classification network",
    "obb": "this is yolov8n-obb, a network for oriented boxes",
    "yolov8s": "this is yolov8s, a detection network; say model=yolov8s",
    "yolo11n": "this is yolo11n, a detection network; say model=yolo11n",
    "yolo26n": "this is yolo26n, a detection network, whose head picks its boxes itself",
    "pose": "this is yolov8n-pose, a pose network; say model=yolov8n_pose",
    "relu6": "is ReLU6, not SiLU (model.activation=silu); say model.activation=relu6, or",
    "yolov5": "a checkpoint of the YOLOv5 program",
    "state_dict": "it holds tensors without their network",
    "linear": "a network of class torch.nn.modules.linear.Linear, not one of ultralytics",
    "torchscript": "a TorchScript file, not the checkpoint",
    "torn": "not a PyTorch checkpoint",
    "detect": "knows blå, röd, but would be calibrated (quant.calibration.source=train) with "
    "dataset=digits",
}


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_checkpoints_that_are_refused_at_once(project: Checkout, files: Path, name: str) -> None:
    weights = files / f"{name}.pt"
    text = refused(project, "train=none", f'model.weights="{weights}"')
    assert f"model.weights={weights}" in text
    assert CHECKPOINTS[name] in text
    assert len(text.splitlines()) == 1, text


def test_a_detector_for_a_pose_model(project: Checkout, files: Path) -> None:
    text = refused(project, "model=yolov8n_pose", f'model.weights="{files / "detect.pt"}"')
    assert "this is yolov8n, a detection network; say model=yolov8n" in text


def test_silu_for_a_relu6_model(project: Checkout, files: Path) -> None:
    given = ("train=none", f'model.weights="{files / "detect.pt"}"', "model.activation=relu6")
    text = refused(project, *given)
    assert "its activation is SiLU, not ReLU6 (model.activation=relu6)" in text
    assert "say model.activation=silu, or train it to relu6" in text


def test_a_network_of_the_users_own_description(
    project: Checkout, files: Path, tmp_path: Path
) -> None:
    """It has no name that could tell: its tensors do, before it is exported."""
    weights = f'model.weights="{files / "other_head.pt"}"'
    source = f'quant.calibration.source="{_pictures(project)}"'
    text = refused(project, "train=none", weights, source, "export", codes=(1,))
    assert "FAILED export: model.weights: not a checkpoint of yolov8n.yaml: model.22.cv2.0" in text
    assert "Give an ultralytics checkpoint of yolov8n.yaml" in text


def test_relu6_is_in_the_exported_network(project: Checkout, files: Path) -> None:
    weights = f'model.weights="{files / "relu6.pt"}"'
    source = f'quant.calibration.source="{_pictures(project)}"'
    out = built(project, "export", "train=none", "model.activation=relu6", weights, source)
    assert "Clip" in describe(out / "model.onnx").operators


def _pictures(project: Checkout) -> Path:
    """A folder of images: those of the data set that the main job trained on."""
    [folder] = project.root.glob("artifacts/store/dataset/*/data/images/val")
    return folder


# --- ONNX files ---------------------------------------------------------------------------

GRAPHS = {
    "quantized": "it is already quantized (",
    "half": "its weights are float16",
    "external": "its weights lie in another file (weights.bin)",
    "dynamic": "the sizes of its input are open: [batch,3,height,width]",
    "batch": "it takes 2 images at once: [2,3,64,64]",
    "grey": "its input has other channels than RGB: [1,1,64,64]",
    "bytes": "its input is of uint8, not float32",
    "oblong": "its input is not square: [1,3,64,128]",
    "bare": "it has no metadata: it does not come from ultralytics",
    "unnamed": "it has no class names in its metadata",
    "segment": "it holds a segmentation network",
    "classify": "it holds a classification network",
    "obb": "it holds a network for oriented boxes",
    "pose": "it holds a pose network, but model.task=detect",
    "nms": "it picks its boxes itself (NonMaxSuppression: NMS, end2end)",
    "end2end": "it picks its boxes itself (TopK: NMS, end2end)",
    "torn": "its bytes are no ONNX model, or only a part of one",
    "detect": "knows blå, röd, but would be calibrated",
}


@pytest.mark.parametrize("name", GRAPHS)
def test_graphs_that_are_refused_at_once(project: Checkout, files: Path, name: str) -> None:
    graph = files / f"{name}.onnx"
    text = refused(project, "train=none", f'model.onnx="{graph}"', f"model.imgsz={SIDE}")
    assert f"model.onnx={graph}" in text
    assert GRAPHS[name] in text
    assert len(text.splitlines()) == 1, text


def test_a_graph_of_another_size(project: Checkout, files: Path) -> None:
    text = refused(project, "train=none", f'model.onnx="{files / "detect.onnx"}"')
    assert "takes images of 64x64, but model.imgsz=192; say model.imgsz=64, or export" in text


def test_the_builds_own_export_comes_back_as_it_was(
    workshop: Checkout, chain: Delivered, tmp_path: Path
) -> None:
    """Equal weights give equal bytes, so everything but its report is found in the store."""
    graph = tmp_path / "mein Netz.onnx"
    graph.write_bytes(chain.file("export", "model.onnx").read_bytes())
    base = tuple(o for o in workshop.base if not o.startswith("train."))
    project = Checkout(workshop.root, base)
    began = len(project.executions())
    again = project.deliver("train=none", f'model.onnx="{graph}"')
    ran = {line["stage"] for line in project.executions()[began:]}
    assert ran == {"adopt", "check", "package"}
    assert again.file("adopt", "model.onnx").read_bytes() == graph.read_bytes()
    name = "model_vela.tflite"
    assert again.model["files"][name] == chain.model["files"][name]
    before, report = chain.json("export", "export.json"), again.json("adopt", "export.json")
    assert report.keys() == before.keys()
    same = ("names", "stride", "imgsz", "task", "kpt_shape", "opset")
    assert {key: report[key] for key in same} == {key: before[key] for key in same}


@pytest.mark.parametrize(
    ("name", "opset", "keypoints"), [("opset", 17, None), ("pose", 13, [17, 3])]
)
def test_a_graph_as_ultralytics_leaves_it(
    project: Checkout, files: Path, name: str, opset: int, keypoints: Any
) -> None:
    """With its date, its own metadata and, unsimplified, constants among its operators."""
    model = "yolov8n_pose" if keypoints else "yolov8n"
    graph = f'model.onnx="{files / f"{name}.onnx"}"'
    source = f'quant.calibration.source="{_pictures(project)}"'
    given = (f"model={model}", "train=none", graph, source, f"model.imgsz={SIDE}")
    out = built(project, "adopt", *given)
    found = describe(out / "model.onnx")
    wanted = {"names", "stride", "task", "imgsz"} | ({"kpt_shape"} if keypoints else set())
    assert set(found.metadata) == wanted
    assert found.opset == opset
    assert "Constant" not in found.operators
    built(project, "head", *given)


# --- pose ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pose(chain: Delivered, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What came of a training of four keypoints with relu6, stopped and resumed, and its export."""
    return asked(chain, "train", "pose_training.py", tmp_path_factory.mktemp("pose"))


def test_pose_is_trained_with_the_data_sets_keypoints(pose: Any) -> None:
    assert pose["epochs"] == ["1", "2", "3"]
    assert pose["train"]["epochs"] == 3
    assert {"map50", "map50_95", "pose_map50", "pose_map50_95"} <= pose["train"].keys()
    assert pose["activation"] == "torch.nn.ReLU6()"
    assert pose["file"] == "yolov8n-pose.yaml"  # no path of this machine


def test_pose_is_exported_with_them(pose: Any) -> None:
    assert pose["output"] == [1, 4 + 1 + 4 * 3, 189]
    assert pose["export"]["kpt_shape"] == [4, 3]
    assert pose["export"]["keypoint_difference_px"] < 0.01
    assert pose["metadata"] == {
        "names": "{0: 'box'}",
        "stride": "32",
        "task": "pose",
        "imgsz": "[96, 96]",  # height and width, as ultralytics reads it
        "kpt_shape": "[4, 3]",
    }
    assert pose["kernels"]
