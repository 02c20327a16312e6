import hashlib
import json
from pathlib import Path

import pytest
from stage_configs import config

from edgemake.step import Step
from edgemake.work import Work
from stages import package

SOURCE = Step("source", {}, {}, ("file",))["file"]
STEP = package.plan(config(), "my-model", model=SOURCE, int8=SOURCE, export=SOURCE, verdict=SOURCE)
VERDICT = {
    "schema": 1,
    "passed": True,
    "lines": [],
    "figures": {"sram_bytes": 1},
    "tensors": {"inputs": [{"name": "in", "scale": 1 / 255}], "outputs": [{"name": "a"}]},
}


@pytest.fixture
def work(tmp_path: Path) -> Work:
    files = {
        "model_vela.tflite": b"compiled",
        "model_int8.tflite": b"int8",
        "export.json": json.dumps({"names": ["größe", "a b"], "task": "detect"}).encode(),
        "verdict.json": json.dumps(VERDICT).encode(),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "out").mkdir()
    return Work({name: tmp_path / name for name in files}, tmp_path / "out", tmp_path, 1)


def test_it_needs_no_toolchain_and_survives_json() -> None:
    assert STEP.toolchain is None
    plain = json.loads(json.dumps(STEP.plain_params()))
    assert package.Params(**plain) == STEP.params


def test_all_declared_files_and_no_others_are_made(work: Work) -> None:
    package.run(STEP.params, work)
    assert sorted(path.name for path in work.out.iterdir()) == sorted(STEP.outputs)
    assert (work.out / "model_vela.tflite").read_bytes() == b"compiled"
    assert (work.out / "contract.json").read_bytes() == work.inputs["verdict.json"].read_bytes()
    assert (work.out / "labels.txt").read_text(encoding="utf-8") == "größe\na b\n"


def test_model_json_says_all_there_is_to_know(work: Work) -> None:
    package.run(STEP.params, work)
    found = json.loads((work.out / "model.json").read_text(encoding="utf-8"))
    assert found["schema"] == 1
    assert found["name"] == "my-model"
    assert found["classes"] == ["größe", "a b"]
    assert found["input"]["scale"] == 1 / 255
    assert (found["input"]["colour"], found["input"]["preprocess"]) == ("RGB", "stretch")
    assert found["outputs"] == [{"name": "a"}]
    assert found["thresholds"] == {"score": 0.3, "iou": 0.45}
    assert found["contract"]["passed"] is True
    assert found["figures"] == {"sram_bytes": 1}
    assert found["files"]["model_vela.tflite"] == {
        "sha256": hashlib.sha256(b"compiled").hexdigest(),
        "bytes": 8,
    }
    assert "model_vela.tflite 0x400000" in found["commands"]["xmodem"]
    assert "{model}" not in json.dumps(found["commands"])


def test_equal_inputs_give_equal_bytes(work: Work) -> None:
    package.run(STEP.params, work)
    first = {path.name: path.read_bytes() for path in work.out.iterdir()}
    package.run(STEP.params, work)
    assert first == {path.name: path.read_bytes() for path in work.out.iterdir()}


def test_every_field_of_model_json_is_documented(work: Work) -> None:
    package.run(STEP.params, work)
    found = json.loads((work.out / "model.json").read_text(encoding="utf-8"))
    page = Path(__file__).parents[2] / "docs" / "model_json.md"
    text = page.read_text(encoding="utf-8")
    assert [key for key in found if f"`{key}`" not in text] == []
