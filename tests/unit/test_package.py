import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from stage_configs import config

from edgemake.step import Step
from edgemake.work import Work
from stages import package

SOURCE = Step("source", {}, {}, ("file",))["file"]
FILES = {"model_vela.tflite": SOURCE, "model_int8.tflite": SOURCE, "calibration.txt": SOURCE}
VERDICT = {
    "schema": 2,
    "passed": True,
    "lines": [],
    "figures": {"arena_bytes": 1},
    "tensors": {"inputs": [{"name": "in", "scale": 1 / 255}], "outputs": [{"name": "a"}]},
}


def planned(*overrides: str, model: str = "model_vela.tflite", files: Any = FILES) -> Any:
    return package.plan(
        config(*overrides), "my-model", model=model, files=files, export=SOURCE, verdict=SOURCE
    )


STEP = planned()


@pytest.fixture
def work(tmp_path: Path) -> Work:
    files = {
        "model_vela.tflite": b"compiled",
        "model_int8.tflite": b"int8",
        "yolov8n.q.onnx": b"onnx",
        "calibration.txt": b"a.jpg\n",
        "export.json": told(names=["größe", "a b"], task="detect"),
        "verdict.json": json.dumps(VERDICT).encode(),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "out").mkdir()
    return Work({name: tmp_path / name for name in files}, tmp_path / "out", tmp_path, 1)


def told(**values: Any) -> bytes:
    return json.dumps(values).encode()


def described(work: Work, step: Any = STEP) -> dict[str, Any]:
    package.run(step.params, work)
    found: dict[str, Any] = json.loads((work.out / "model.json").read_text(encoding="utf-8"))
    return found


def test_it_needs_no_toolchain_and_survives_json() -> None:
    assert STEP.toolchain is None
    plain = json.loads(json.dumps(STEP.plain_params()))
    assert package.Params(**plain) == STEP.params


@pytest.mark.parametrize("target", ["grove_v2", "xiao_esp32s3", "grove_v2_himax"])
def test_all_declared_files_and_no_others_are_made(target: str, work: Work) -> None:
    step = planned(f"target={target}")
    package.run(step.params, work)
    assert sorted(path.name for path in work.out.iterdir()) == sorted(step.outputs)
    assert (work.out / "model_vela.tflite").read_bytes() == b"compiled"
    assert (work.out / "contract.json").read_bytes() == work.inputs["verdict.json"].read_bytes()
    assert (work.out / "labels.txt").read_text(encoding="utf-8") == "größe\na b\n"
    assert ("at_info.txt" in step.outputs) == (target != "grove_v2_himax")


def test_model_json_says_all_there_is_to_know(work: Work) -> None:
    found = described(work)
    assert found["schema"] == 2
    assert found["name"] == "my-model"
    assert found["classes"] == ["größe", "a b"]
    assert found["keypoints"] is None
    assert found["input"]["scale"] == 1 / 255
    assert found["input"]["layout"] == "NHWC"
    assert (found["input"]["colour"], found["input"]["preprocess"]) == ("RGB", "stretch")
    assert found["form"] == "six_raw"
    assert found["outputs"] == [{"name": "a"}]
    assert found["thresholds"] == {"score": 0.3, "iou": 0.45}
    assert found["contract"]["passed"] is True
    assert found["figures"] == {"arena_bytes": 1}
    assert found["files"]["model_vela.tflite"] == {
        "sha256": hashlib.sha256(b"compiled").hexdigest(),
        "bytes": 8,
    }
    assert "model_vela.tflite 0x400000" in found["commands"]["xmodem"]
    assert "{model}" not in json.dumps(found["commands"])


def test_a_pose_model_says_its_keypoints(work: Work) -> None:
    work.inputs["export.json"].write_bytes(told(names=["p"], task="pose", kpt_shape=[17, 3]))
    found = described(work, planned("model=yolov8n_pose"))
    assert found["keypoints"] == {"count": 17, "values": 3}


def test_a_board_that_runs_onnx(work: Work) -> None:
    tensors = {"inputs": [{"name": "images", "layout": "NCHW"}], "outputs": []}
    work.inputs["verdict.json"].write_bytes(told(**{**VERDICT, "tensors": tensors}))
    step = planned(
        "target=spacemit_k1", model="yolov8n.q.onnx", files={"yolov8n.q.onnx": SOURCE}
    )  # fmt: skip
    found = described(work, step)
    assert found["input"]["layout"] == "NCHW"
    assert list(found["files"]) == ["contract.json", "labels.txt", "yolov8n.q.onnx"]
    assert "yolov8n.q.onnx" in found["commands"]["scp"]


def at_info(work: Work) -> tuple[dict[str, Any], list[str]]:
    """What the command carries, and the file's other lines."""
    *others, line = (work.out / "at_info.txt").read_text(encoding="utf-8").splitlines()
    assert line.startswith('AT+INFO="') and line.endswith('"')
    return json.loads(base64.b64decode(line[len('AT+INFO="') : -1])), others


def test_the_firmware_is_told_every_class_name(work: Work) -> None:
    described(work)
    found, others = at_info(work)
    assert others == []
    assert found["classes"] == ["größe", "a b"]
    assert found["size"] == "8"


def test_names_too_long_for_one_command_are_said_to_be(work: Work) -> None:
    names = [f"class number {i}" for i in range(300)]
    work.inputs["export.json"].write_bytes(told(names=names, task="detect"))
    described(work)
    found, [comment] = at_info(work)
    assert found["classes"] == names
    assert "the firmware takes 4094: shorten" in comment


def test_equal_inputs_give_equal_bytes(work: Work) -> None:
    package.run(STEP.params, work)
    first = {path.name: path.read_bytes() for path in work.out.iterdir()}
    package.run(STEP.params, work)
    assert first == {path.name: path.read_bytes() for path in work.out.iterdir()}


def test_every_field_of_model_json_is_documented(work: Work) -> None:
    found = described(work)
    page = Path(__file__).parents[2] / "docs" / "model_json.md"
    text = page.read_text(encoding="utf-8")
    assert [key for key in found if f"`{key}`" not in text] == []
