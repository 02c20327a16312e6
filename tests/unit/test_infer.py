"""Stage infer, as it is planned."""

from __future__ import annotations

from pathlib import Path

from stage_configs import config

from edgemake.step import Output, UserFiles
from stages import infer, pipeline
from stages.pipeline import plan
from stages.pipeline_build import Built

OVERRIDES = ("quant.calibration.source=val",)


def built(*overrides: str) -> Built:
    return plan(config(*OVERRIDES, *overrides)).built


def test_it_takes_what_the_firmware_takes(tmp_path: Path) -> None:
    one = config(*OVERRIDES, "target.outputs.detect.raw.score=0.6")
    pictures = [tmp_path / "a.png", tmp_path / "deeper/a.jpg", tmp_path / "b.mov"]
    step = pipeline.look_at(one, plan(one).built, pictures)
    assert step.plain_params() == {
        "kind": "tflite",
        "preprocess": "stretch",
        "score": 0.6,
        "iou": 0.45,
        "names": ["a.png", "a.jpg", "b.mov"],
        "results": ["a.jpg", "a-2.jpg", "b.mp4"],
    }
    assert step.inputs["pictures"] == UserFiles(tuple(pictures))
    assert step.toolchain == "tflite-micro"
    assert str(tmp_path) not in str(step.plain_params())


def test_it_needs_neither_compiler_nor_verdict(tmp_path: Path) -> None:
    one = config(*OVERRIDES)
    step = pipeline.look_at(one, plan(one).built, [tmp_path / "a.png"])
    model = step.inputs["model"]
    assert isinstance(model, Output)
    assert (model.step.stage, model.path) == ("quantize", "model_int8.tflite")
    assert {parent.stage for parent in step.parents()} == {"quantize", "head", "export"}


def test_the_file_that_runs_has_its_delivered_name() -> None:
    grove, xiao, k1 = (
        built(f"target={name}") for name in ("grove_v2", "xiao_esp32s3", "spacemit_k1")
    )
    assert (grove.name_of(grove.runs), grove.model) == ("model_int8.tflite", "model_vela.tflite")
    assert xiao.name_of(xiao.runs) == xiao.model == "model_int8.tflite"
    assert k1.name_of(k1.runs) == k1.model == "yolov8n.q.onnx"


def test_onnx_boards_get_a_program_that_runs_it() -> None:
    files = built("target=spacemit_k1").files
    program = files["infer.py"]
    assert "SpaceMITExecutionProvider" in program.path.read_text()  # type: ignore[union-attr]
    assert "infer.py" not in built("target=grove_v2").files


def test_the_label_says_what_is_looked_at(tmp_path: Path) -> None:
    one = config(*OVERRIDES)
    edges = plan(one).built
    labels = [
        infer.plan(
            one, edges.runs, edges.head, edges.export, [tmp_path / name for name in names]
        ).label
        for names in (["desk.jpg"], ["a.png", "b.png"])
    ]
    assert labels == ["desk.jpg", "2 pictures"]
