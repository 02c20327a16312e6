"""What a user's ONNX file says of itself, and which are refused before anything runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx_bytes import FLOAT16, INT8, NAMES, UINT8, model, node, tensor, value
from stage_configs import config

from edgemake.errors import UserError
from edgemake.step import UserFile
from stages import adopt
from vision.onnx_given import given as metadata_of
from vision.onnx_given import refusal
from vision.onnx_wire import NotOnnx, describe

POSE = {"names": "{0: 'person'}", "stride": "32", "task": "pose", "kpt_shape": "[17, 3]"}


def file(folder: Path, content: bytes) -> Path:
    path = folder / "mein Netz ä.onnx"
    path.write_bytes(content)
    return path


def planned(path: Path, *overrides: str) -> Any:
    chosen = ("train=none", "model.imgsz=64", f'model.onnx="{path}"', *overrides)
    return adopt.plan(config(*chosen))


def test_a_file_says_what_it_is(tmp_path: Path) -> None:
    found = describe(file(tmp_path, model()))
    assert (found.opset, found.metadata) == (13, NAMES)
    assert [str(entry) for entry in (*found.inputs, *found.outputs)] == ["[1,3,64,64]", "[1,6,84]"]
    assert found.operators == {"Conv", "Sigmoid"}
    assert found.weights == {"float32": 1}
    said = metadata_of(found)
    assert (said.names, said.stride, said.kpt_shape) == (["cat", "dög"], 32, None)


def test_weights_listed_among_the_inputs_are_none(tmp_path: Path) -> None:
    inputs = (value("weight", (8, 3, 3, 3)), value("images", (1, 3, 64, 64)))
    assert [i.name for i in describe(file(tmp_path, model(inputs=inputs))).inputs] == ["images"]


def test_a_good_file_is_an_input(tmp_path: Path) -> None:
    path = file(tmp_path, model())
    step = planned(path)
    assert step.inputs == {"model.onnx": UserFile(path)}
    assert step.outputs == ("model.onnx", "export.json")


def test_a_pose_file(tmp_path: Path) -> None:
    path = file(tmp_path, model(outputs=[value("output0", (1, 56, 84))], metadata=POSE))
    planned(path, "model=yolov8n_pose")
    assert metadata_of(describe(path)).kpt_shape == [17, 3]


REFUSED = {
    "quantized": (model(nodes=[node("Conv"), node("QuantizeLinear")]),
        "already quantized (QuantizeLinear); give the float file"),
    "quantized by onnxruntime": (model(nodes=[node("ConvInteger")]), "already quantized (ConvI"),
    "int8 weights": (model(tensors=[tensor("w", INT8)]), "already quantized (weights of int8)"),
    "half": (model(tensors=[tensor("w", FLOAT16)]), "its weights are float16; export it again"),
    "other files": (model(tensors=[tensor("w", external="w.data")]),
        "its weights lie in another file (w.data); save it as one"),
    "other operators": (model(nodes=[node("FusedConv", "com.microsoft")]),
        "it uses com.microsoft.FusedConv, no operator of ONNX's own"),
    "old": (model(opset=9), "its opset is 9; export it again with ultralytics: opset=13"),
    "open sizes": (model(inputs=[value("images", ("batch", 3, "height", "width"))]),
        "its input are open: [batch,3,height,width]; export it again with ultralytics: dynamic=F"),
    "nameless sizes": (model(inputs=[value("images", (1, 3, "", ""))]), "are open: [1,3,?,?]"),
    "two inputs": (model(inputs=[value("a", (1, 3, 64, 64)), value("b", (1,))]), "has 2 inputs"),
    "no image": (model(inputs=[value("a", (1, 64))]), "its input is [1,64], no image"),
    "batch": (model(inputs=[value("images", (4, 3, 64, 64))]), "takes 4 images at once"),
    "channels last": (model(inputs=[value("images", (1, 64, 64, 3))]),
        "has the channels last: [1,64,64,3]"),
    "grey": (model(inputs=[value("images", (1, 1, 64, 64))]), "other channels than RGB: [1,1,"),
    "bytes": (model(inputs=[value("images", (1, 3, 64, 64), UINT8)]), "is of uint8, not float32"),
    "half input": (model(inputs=[value("images", (1, 3, 64, 64), FLOAT16)]), "is of float16"),
    "oblong": (model(inputs=[value("images", (1, 3, 64, 96))]), "is not square: [1,3,64,96]"),
    "size": (model(inputs=[value("images", (1, 3, 320, 320))]),
        "takes images of 320x320, but model.imgsz=64; say model.imgsz=320, or export it again"),
    "no metadata": (model(metadata={}), "it has no metadata: it does not come from ultralytics"),
    "no names": (model(metadata={"task": "detect"}), "it has no class names in its metadata"),
    "torn names": (model(metadata={**NAMES, "names": "{0: 'a"}), "its metadata names="),
    "other names": (model(metadata={**NAMES, "names": "7"}), "names='7' are no class names"),
    "segmentation": (model(metadata={**NAMES, "task": "segment"}), "it holds a segmentation netw"),
    "classification": (model(metadata={**NAMES, "task": "classify"}), "it holds a classification"),
    "other task": (model(metadata={**NAMES, "task": "dance"}), "it holds a network for dance"),
    "pose": (model(metadata=POSE), "holds a pose network, but model.task=detect; choose a model of"
        " that kind, for instance model=yolov8n_pose"),
    "nms": (model(nodes=[node("NonMaxSuppression")]), "picks its boxes itself (NonMaxSuppression"),
    "end to end": (model(outputs=[value("output0", (1, 300, 6))]), "its boxes itself ([1,300"),
    "masks": (model(outputs=[value("output0", (1, 38, 84)), value("output1", (1, 32, 16, 16))]),
        "it has 2 outputs ([1,38,84], [1,32,16,16]), not one with the decoded boxes"),
    "other rows": (model(outputs=[value("output0", (1, 84, 84))]),
        "its output is [1,84,84]; 2 classes make [1,6,N]"),
    "text": (b"just words\n", "a text; give a float ONNX file exported by ultralytics"),
    "checkpoint": (b"PK\x03\x04 and more", "a zip, as PyTorch writes"),
    "tflite": (b"\x1c\0\0\0TFL3\0\0", "a TFLite file"),
    "empty": (b"", "the file is empty"),
    "torn": (model()[:-40], "its bytes are no ONNX model, or only a part of one"),
    "other bytes": (bytes(range(255, 0, -1)), "its bytes are no ONNX model"),
}  # fmt: skip


@pytest.mark.parametrize("fault", REFUSED)
def test_what_is_refused_at_once(tmp_path: Path, fault: str) -> None:
    content, words = REFUSED[fault]
    path = file(tmp_path, content)
    with pytest.raises(UserError, match=rf"^model\.onnx={path}: .*{re.escape(words)}") as refused:
        planned(path)
    assert "\n" not in str(refused.value)


def test_a_detector_for_a_pose_model(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"a detection network, but model\.task=pose.*model=yolov8n"
    ):
        planned(file(tmp_path, model()), "model=yolov8n_pose")


@pytest.mark.parametrize(
    ("name", "words"),
    [("absent.onnx", "does not exist"), (".", "is a folder"), ("best.pt", r"say model\.weights=")],
)
def test_what_is_no_file_of_onnx(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "best.pt").write_bytes(b"PK")
    with pytest.raises(UserError, match=words):
        planned(tmp_path / name)


def test_an_activation_is_the_files_own(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"model\.activation=relu6 changes nothing.*leave it out"):
        planned(file(tmp_path, model()), "model.activation=relu6")


def test_classes_of_the_file(tmp_path: Path) -> None:
    path = file(tmp_path, model())
    found = adopt.classes(config("train=none", f'model.onnx="{path}"'))
    assert found is not None
    assert (found.classes, found.names) == (2, ("cat", "dög"))
    assert adopt.classes(config()) is None


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_bytes_bring_it_down(tmp_path_factory: pytest.TempPathFactory, data: Any) -> None:
    content = bytearray(model())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content)))
    path = file(tmp_path_factory.getbasetemp(), bytes(content[:cut]))
    try:
        found = describe(path)
    except NotOnnx:
        return
    refusal(found, "detect", 64)
