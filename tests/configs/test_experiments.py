"""The presets restate the two tutorials. What the tutorials say stands here as data."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from composed import ROOT, keys, plain

from edgemake.compose_hints import groups
from edgemake.config import validated
from edgemake.errors import UserError
from edgemake.step import Step, in_order
from stages import pipeline
from stages.schema import Config
from vision.vela_ini import vela_ini
from vision.xslim_config import Places, Settings, xslim_config

# What the tutorial's xquant config says (xquant 1.2.1): pixels / 255, RGB, a list of images, and
# the documented default of 100 steps.
SPACEMIT_INPUT = {
    "mean_value": [0, 0, 0],
    "std_value": [255, 255, 255],
    "color_format": "rgb",
    "data_list_path": "calib_list.txt",
}
SPACEMIT_CONFIG = {
    "model_parameters": {"skip_onnxsim": False},
    "calibration_parameters": {
        "calibration_step": 100,
        "input_parametres": [SPACEMIT_INPUT],
    },
}
SPACEMIT_CUTS = ("Reshape_output_0", "Reshape_1_output_0", "Reshape_2_output_0")
"""One a stride, as ultralytics 8.3 named box and class together; since 8.4 they are two."""

# https://files.seeedstudio.com/sscma/configs/vela_config.ini, as the tutorial prints it.
SEEED_INI = """\
[System_Config.My_Sys_Cfg]
core_clock=400e6
axi0_port=Sram
axi1_port=OffChipFlash
Sram_clock_scale=1.0
Sram_burst_length=32
Sram_read_latency=16
Sram_write_latency=16
Dram_clock_scale=0.75
Dram_burst_length=128
Dram_read_latency=500
Dram_write_latency=250
OnChipFlash_clock_scale=0.25
OffChipFlash_clock_scale=0.015625
OffChipFlash_burst_length=32
OffChipFlash_read_latency=64
OffChipFlash_write_latency=64

[Memory_Mode.My_Mem_Mode_Parent]
const_mem_area=Axi1
arena_mem_area=Axi0
cache_mem_area=Axi0
"""


@pytest.fixture
def listing(tmp_path: Path) -> str:
    """A list of twelve images, in an order of its own."""
    for i in range(12):
        (tmp_path / f"{i}.jpg").write_bytes(b"looked at when the stage runs")
    (tmp_path / "calib_list.txt").write_text("".join(f"{i}.jpg\n" for i in range(11, -1, -1)))
    return f"quant.calibration.source='{tmp_path / 'calib_list.txt'}'"


def steps(*overrides: str) -> dict[str, Step]:
    planned = pipeline.plan(validated(plain(*overrides), Config))
    return {step.stage: step for step in in_order([planned.package])}


def spacemit(listing: str, *more: str) -> dict[str, Step]:
    return steps("experiment=spacemit_yolov8n", listing, *more)


def test_spacemit_trains_at_640_and_exports_at_320(listing: str) -> None:
    planned = spacemit(listing)
    train, export = planned["train"].params, planned["export"].params
    assert planned["weights"].params.release == "yolov8n.pt"
    assert planned["dataset"].params.settings["yaml"] == "coco8.yaml"
    assert (train.epochs, train.imgsz, train.args) == (100, 640, {})
    assert (export.imgsz, export.opset, export.simplify) == (320, 13, True)


def test_spacemit_takes_the_first_of_the_users_list(listing: str) -> None:
    params = spacemit(listing)["calibration"].params
    assert params.names == [f"{i}.jpg" for i in range(11, -1, -1)]
    assert (params.count, params.seed, params.imgsz) == (100, None, 320)
    assert params.preprocess == "letterbox"  # on purpose: as the board's programs do it
    few = spacemit(listing, "quant.calibration.count=10")["calibration"].params
    assert few.names == params.names[:10]


def test_spacemit_asks_for_the_list() -> None:
    asked = r"^quant\.calibration\.source is not set: .*Say quant\.calibration\.source=calib_list"
    with pytest.raises(UserError, match=asked):
        steps("experiment=spacemit_yolov8n")


def generated(quantize: Step, images: int) -> dict[str, Any]:
    """The tool's config for cuts of a detection network, which the stage finds in the graph."""
    params = quantize.params
    settings = Settings(
        method=params.method,
        precision_level=params.precision_level,
        finetune_level=params.finetune_level,
        analysis=params.analysis,
        opset=params.opset,
    )
    places = Places(network="model.onnx", images="calib_list.txt", out="out", prefix="model.q")
    cuts = [f"{branch}_{stride}" for stride in (8, 16, 32) for branch in ("box", "class")]
    return xslim_config(settings, places, images=images, cuts=cuts)


def contains(found: Any, wanted: Any) -> bool:
    """Whether `found` says all that `wanted` says."""
    if isinstance(wanted, dict):
        return all(contains(found.get(key), value) for key, value in wanted.items())
    if isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(contains, found, wanted))
    return bool(found == wanted)


@pytest.mark.parametrize("tool", ["xslim", "xquant"])
def test_spacemit_quantizes_with_the_tutorials_json(listing: str, tool: str, wheel: str) -> None:
    planned = spacemit(listing, f"quant={tool}", wheel)["quantize_onnx"]
    assert planned.params.tool == tool
    assert planned.params.truncate
    config = generated(planned, images=100)
    assert contains(config, SPACEMIT_CONFIG)
    parameters = config["calibration_parameters"]
    assert parameters["input_parameters"] == parameters["input_parametres"]
    assert len(config["quantization_parameters"]["truncate_var_names"]) == 2 * len(SPACEMIT_CUTS)
    assert config == json.loads(json.dumps(config))


@pytest.fixture
def wheel(tmp_path: Path) -> str:
    from test_options import write_wheel

    return f"toolchain.xquant.wheel='{write_wheel(tmp_path)}'"


def seeed(*more: str) -> dict[str, Step]:
    return steps("experiment=seeed_yolov8n_pose", *more)


def test_seeed_trains_and_exports_pose_at_192() -> None:
    planned = seeed()
    train, export = planned["train"].params, planned["export"].params
    assert planned["weights"].params.release == "yolov8n-pose.pt"
    assert planned["dataset"].params.settings["yaml"] == "coco8-pose.yaml"
    assert (train.task, train.epochs, train.imgsz, train.args) == ("pose", 100, 192, {})
    assert (export.task, export.imgsz, export.simplify) == ("pose", 192, True)
    assert planned["head"].params.form == "seven_raw"
    assert planned["quantize"].params.weights == "per_tensor"


def test_seeed_calibrates_with_100_images_of_the_validation_split_at_most() -> None:
    params = seeed()["calibration"].params
    assert (params.split, params.count, params.seed, params.imgsz) == ("val", 100, None, 192)
    assert params.preprocess == "stretch"  # on purpose: as the board does it


def sections(ini: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for line in filter(None, ini.splitlines()):
        if line.startswith("["):
            found[line] = section = {}
        else:
            key, _, value = line.partition("=")
            section[key] = float(value) if re.match(r"[0-9.]", value) else value
    return found


def test_seeed_compiles_with_the_tutorials_ini() -> None:
    params = seeed()["compile"].params
    assert (params.accelerator, params.optimise) == ("ethos-u55-64", "Performance")
    written = vela_ini(
        params.system_config, params.memory_mode, params.core_clock, params.system, params.memory
    )
    assert sections(written) == sections(SEEED_INI)


def test_seeed_is_for_the_other_board_too() -> None:
    planned = seeed("target=xiao_esp32s3")
    assert "compile" not in planned
    assert planned["head"].params.form == "seven_raw"


@pytest.mark.parametrize("experiment", groups(ROOT / "conf")["experiment"])
def test_training_can_be_left_out_and_other_data_taken(experiment: str, listing: str) -> None:
    assert "train" not in keys(plain(f"experiment={experiment}", listing, "train=none"))
    chosen = plain(f"experiment={experiment}", listing, "dataset=digits", "train=default")
    assert (chosen["dataset"]["kind"], chosen["train"]["epochs"]) == ("digits", 10)
