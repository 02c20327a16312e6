"""Values that fit their types but not each other are refused before any work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from stage_configs import config

from edgemake.errors import UserError
from stages.examine import OPTIONS, QUANTIZERS, examine


@dataclass(frozen=True)
class Data:
    """A data set of which nothing is known but this."""

    task: str = "detect"
    classes: int = 10
    keypoints: tuple[int, int] | None = None


def refusal(*overrides: str, known: Any = None) -> str:
    with pytest.raises(UserError) as refused:
        examine(config(*overrides), known, {"store"})
    assert "\n" not in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize("target", ["grove_v2", "xiao_esp32s3", "spacemit_k1"])
@pytest.mark.parametrize("model", ["yolov8n", "yolov8n_pose"])
def test_every_board_takes_every_task(target: str, model: str) -> None:
    task = "pose" if "pose" in model else "detect"
    examine(config(f"target={target}", f"model={model}"), Data(task, 1), {"store"})


@pytest.mark.parametrize("target", ["grove_v2", "spacemit_k1"])
def test_attention_where_an_npu_or_onnx_runs_it(target: str) -> None:
    examine(config(f"target={target}", "model=yolo11n"), Data(), {"store"})


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (
            ["target=spacemit_k1", "quant=int8_per_tensor"],
            "quant.kind=tflite makes no file for SpacemiT K1; take quant=xslim, xslim_accurate",
        ),
        (
            ["target=xiao_esp32s3", "model=yolo11n"],
            "model=yolo11n needs BATCH_MATMUL, which the firmware of Seeed XIAO ESP32S3 Sense",
        ),
        (
            ["quant=xslim"],
            "quant.kind=xslim makes no file for Seeed Grove Vision AI V2; take quant=int8_per_t",
        ),
        (["target.output=row"], "target.output=row: for task detect, Seeed Grove Vision AI V2 tak"),
        (["target.output=row"], "did you mean 'raw'?"),
        (["model=yolov8n_pose", "target.output=decoded"], "for task pose"),
        (["~target.outputs.pose", "model=yolov8n_pose"], "has no decoder for it; it takes detect"),
        (["target.name=store"], "target.name=store: artifacts/store is the build's own folder"),
        (["model.imgsz=160", "target.contract.imgsz_multiple=64"], "model.imgsz=160: "),
        (["model.onnx=a.onnx", "model.weights=a.pt"], "give one of them"),
        (["model.onnx=a.onnx"], "cannot be trained; add train=none"),
        (["dataset=none", "train=default"], "dataset=none has nothing to train on; add train=none"),
        (["dataset=none"], "quant.calibration.source=train: with dataset=none there are no splits"),
    ],
)
def test_what_does_not_fit(overrides: list[str], words: str) -> None:
    assert words in refusal(*overrides)


@pytest.mark.parametrize(
    ("overrides", "known", "words"),
    [
        ([], Data("pose", 1), "model.task=detect, but dataset=digits is labelled for pose"),
        (["model=yolov8n_pose"], Data("detect", 1), "choose a detect model or a pose data set"),
        ([], Data(classes=64), "cannot be told from a box tensor"),
        ([], Data(classes=4), "other decoders); add or remove one, or take target.output=decoded"),
        (["target=xiao_esp32s3"], Data(classes=81), "takes at most 80 classes"),
        (["model=yolov8n_pose"], Data("pose", 2), "takes at most 1 class; merge"),
        (
            ["model=yolov8n_pose"],
            Data("pose", 1, (17, 2)),
            "dataset=figures has kpt_shape [17, 2]: Seeed Grove Vision AI V2 reads 3 values of a",
        ),
        (
            ["model=yolov8n_pose", "target=grove_v2_himax"],
            Data("pose", 1, (5, 3)),
            "reads 17 keypoints; label that many",
        ),
    ],
)
def test_data_that_the_board_would_misread(overrides: list[str], known: Data, words: str) -> None:
    assert words in refusal(*overrides, known=known)


@pytest.mark.parametrize("classes", [63, 65, 3, 5, 1000])
def test_class_counts_beside_the_traps(classes: int) -> None:
    examine(config(), Data(classes=classes), {"store"})


def test_every_kind_of_target_has_its_quantizers() -> None:
    assert set(QUANTIZERS) == set(OPTIONS) == {"tflite", "onnx"}


@pytest.mark.parametrize(
    ("overrides", "form"),
    [
        ([], "six_raw"),
        (["target.output=decoded"], "decoded_normalised"),
        (["model=yolov8n_pose"], "seven_raw"),
        (["target=xiao_esp32s3"], "decoded_normalised"),
        (["target=spacemit_k1"], "decoded"),
        (["target=spacemit_k1", "target.output=branch"], "branch"),
    ],
)
def test_the_output_of_a_config(overrides: list[str], form: str) -> None:
    assert config(*overrides).output.form == form
