"""What an export is made of."""

from __future__ import annotations

from pathlib import Path

from stage_configs import config

from edgemake.step import UserFile
from stages import export

CHECKPOINT = UserFile(Path("my.pt"))


def test_params_are_the_networks_and_the_exports() -> None:
    chosen = ("model.imgsz=320", "model.activation=relu6", "export.opset=12")
    found = export.plan(config(*chosen), CHECKPOINT).params
    assert (found.task, found.architecture, found.activation) == ("detect", "yolov8n.yaml", "relu6")
    assert (found.imgsz, found.opset, found.simplify) == (320, 12, True)


def test_training_and_target_are_none_of_them() -> None:
    before = export.plan(config(), CHECKPOINT).params
    changed = config("train.epochs=7", "quant.calibration.count=5", "target=xiao_esp32s3")
    assert export.plan(changed, CHECKPOINT).params == before


def test_figures_have_two_digits() -> None:
    assert export._rounded(0.000123456) == 0.00012
