"""Planning of quantize_onnx, the tools' JSON, the vendor's wheel, and what the tools say."""

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stage_configs import config

from edgemake.errors import UserError
from edgemake.step import Step, UserFile, UserFiles
from stages import quantize_onnx
from vision.xslim_config import FEWEST, INPUT_KEYS, MOST, Places, Settings, xslim_config
from vision.xslim_output import plain, progress_of, reason, warning_of
from vision.xslim_wheel import NEEDED, read_wheel

HEAD = Step("head", {}, {}, ("head.onnx", "head.json"))
SPLIT = Step("calibration", {}, {}, ("calibration.npy",))
PLACES = Places(network="model.onnx", images="calibration.txt", out="out", prefix="model.q")
QUICK = Settings("minmax", precision_level=0, finetune_level=0, analysis=False, opset=17)


def planned(*overrides: str, calibration: Step = SPLIT) -> Step:
    return quantize_onnx.plan(config("target=spacemit_k1", *overrides), HEAD, calibration)


def own_images(count: int) -> Step:
    paths = tuple(Path(f"/pictures/{i}.jpg") for i in range(count))
    return Step("calibration", {}, {"images": UserFiles(paths)}, ("calibration.npy",))


# --- the plan -----------------------------------------------------------------------------


def test_the_quant_group_chooses_tool_and_settings() -> None:
    step = planned()
    assert step.params == quantize_onnx.Params("xslim", "minmax", 0, 0, False, True, 17)
    assert step.toolchain == "xslim"
    assert quantize_onnx.Params(**json.loads(json.dumps(step.plain_params()))) == step.params
    # The defaults of xslim 2.1.2: xslim_setting.py, CalibrationParameterSetting and
    # QuantizationParameterSetting.
    accurate = planned("quant=xslim_accurate").params
    assert accurate == quantize_onnx.Params("xslim", "default", 0, 1, True, True, 17)


def test_xquant_takes_the_wheel_as_an_input_and_has_packages_of_its_own(tmp_path: Path) -> None:
    wheel = vendor_wheel(tmp_path)
    step = planned("quant=xquant", f"toolchain.xquant.wheel='{wheel}'")
    assert step.inputs["xquant.whl"] == UserFile(wheel)
    assert step.toolchain == "xquant"
    assert step.params.opset is None


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["quant.calibration.count=9"], r"quant\.calibration\.count=9: xslim takes 10 to 1000"),
        (["quant.calibration.count=1001"], r"count=1001: xslim takes 10 to 1000"),
        (["quant.opset=24"], r"quant\.opset=24: SpacemiT K1 \(.*1\.18\) takes at most 21"),
        (["export.opset=18"], r"export\.opset=18 is above quant\.opset=17.*export\.opset=17"),
        (["quant=xquant"], r"quant=xquant needs toolchain\.xquant\.wheel=.*registry"),
    ],
)
def test_what_cannot_work_is_refused_while_planning(overrides: list[str], words: str) -> None:
    with pytest.raises(UserError, match=words):
        planned(*overrides)


def test_a_newer_board_takes_a_newer_opset() -> None:
    newer = config("target=spacemit_k3", "quant.opset=24")
    assert quantize_onnx.plan(newer, HEAD, SPLIT).params.opset == 24


def test_too_few_images_of_ones_own_are_refused_while_planning() -> None:
    assert planned(calibration=own_images(FEWEST)).params.tool == "xslim"
    for count, said in ((9, "holds 9 images"), (1, "holds 1 image,")):
        with pytest.raises(UserError, match=said):
            planned("quant.calibration.source=mine", calibration=own_images(count))


# --- the vendor's wheel -------------------------------------------------------------------


def vendor_wheel(folder: Path, **changes: str) -> Path:
    """A wheel with the vendor's metadata, but for `changes`, and the names of its modules."""
    said = {"Name": "xquant", "Version": "1.2.1", "Summary": "XQuant is a tool"} | changes
    return wheel_of(folder, said, dict.fromkeys(NEEDED, ""))


def wheel_of(folder: Path, said: Mapping[str, str], files: Mapping[str, str]) -> Path:
    path = folder / "xquant-1.2.1-py3-none-any.whl"
    metadata = "".join(f"{key}: {value}\n" for key, value in said.items())
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xquant-1.2.1.dist-info/METADATA", metadata)
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def test_the_vendors_wheel_is_known(tmp_path: Path) -> None:
    assert read_wheel(vendor_wheel(tmp_path)).version == "1.2.1"


def refusal(path: Path) -> str:
    """What is said of a wrong wheel while planning; it always names the key and the path."""
    with pytest.raises(UserError) as fault:
        planned("quant=xquant", f"toolchain.xquant.wheel='{path}'")
    assert str(fault.value).startswith(f"toolchain.xquant.wheel={path}: {path} ")
    return str(fault.value)


def test_the_public_indexs_xquant_is_refused_by_name(tmp_path: Path) -> None:
    summary = "Backtesting of trading strategies"
    said = {"Name": "xquant", "Version": "0.5.2", "Summary": summary}
    told = refusal(wheel_of(tmp_path, said, {"xquant/__init__.py": ""}))
    assert f"is the public package index's xquant 0.5.2 ({summary})" in told
    assert "quant=xslim" in told
    # A later version of it would not have the vendor's modules either.
    told = refusal(wheel_of(tmp_path, {**said, "Version": "3.0"}, {"xquant/__init__.py": ""}))
    assert "xquant 3.0" in told


def test_other_files_are_refused_for_what_they_are(tmp_path: Path) -> None:
    assert "is xslim, which needs no wheel: take quant=xslim" in refusal(
        vendor_wheel(tmp_path, Name="xslim", Version="2.1.2")
    )
    assert "is the wheel of numpy 2.4.6" in refusal(
        vendor_wheel(tmp_path, Name="numpy", Version="2.4.6")
    )
    assert "is a folder" in refusal(tmp_path)
    assert "does not exist" in refusal(tmp_path / "none.whl")
    text = tmp_path / "text.whl"
    text.write_text("no zip")
    assert "is no wheel (File is not a zip file)" in refusal(text)
    with zipfile.ZipFile(text, "w") as archive:
        archive.writestr("a.txt", "")
    assert "no METADATA" in refusal(text)


# --- the JSON -----------------------------------------------------------------------------


@given(images=st.integers(FEWEST, MOST), cuts=st.lists(st.text(min_size=1), max_size=9))
def test_one_json_for_both_tools(images: int, cuts: list[str]) -> None:
    found = json.loads(json.dumps(xslim_config(QUICK, PLACES, images=images, cuts=cuts)))
    calibration = found["calibration_parameters"]
    assert calibration["calibration_step"] == images
    first, second = (calibration[key] for key in INPUT_KEYS)
    assert (
        first
        == second
        == [
            {
                "file_type": "img",
                "color_format": "rgb",
                "mean_value": [0, 0, 0],
                "std_value": [255, 255, 255],
                "data_list_path": "calibration.txt",
            }
        ]
    )
    assert found["quantization_parameters"]["truncate_var_names"] == cuts
    assert found["model_parameters"]["skip_onnxsim"] is False


def test_xquant_is_told_no_opset() -> None:
    told = xslim_config(QUICK, PLACES, images=64, cuts=[])["model_parameters"]
    assert told["opset"] == 17
    silent = Settings("minmax", precision_level=0, finetune_level=0, analysis=False, opset=None)
    assert "opset" not in xslim_config(silent, PLACES, images=64, cuts=[])["model_parameters"]


@pytest.mark.parametrize("images", [0, 1, FEWEST - 1, MOST + 1])
def test_numbers_of_images_that_the_tools_mistreat(images: int) -> None:
    with pytest.raises(ValueError, match=f"{images} calibration images; xslim takes 10 to 1000"):
        xslim_config(QUICK, PLACES, images=images, cuts=[])


# --- the tools' words ---------------------------------------------------------------------

BAR = "Runtime Calibration(BlockWise):  77%|███████▋  | 23/30 [00:08<00:02,  2.71it/s]"
WARNED = (
    "2026-11-22 03:37:44 | \x1b[33m\x1b[1mxslim.onnx_graph_helper \x1b[0m | "
    "\x1b[33m\x1b[1mWARNING \x1b[0m | \x1b[33m\x1b[1msimplify onnx model error and skip. \x1b[0m\n"
)


def test_progress_is_read_from_the_bar() -> None:
    assert progress_of(BAR) == (77, "Runtime Calibration(BlockWise)")
    assert progress_of(" 50%|█████     | 1/2") == (50, "")
    assert progress_of("quantization eplased time 11.53 s") is None


def test_warnings_are_kept_but_for_the_expected_one() -> None:
    line, message = plain(WARNED), "simplify onnx model error and skip."
    assert warning_of(line) == message
    assert warning_of(line.replace(message, "convert ai.onnx version 13 to 17...")) is None
    assert warning_of(line.replace("WARNING", "INFO")) is None


@pytest.mark.parametrize(
    ("last", "said"),
    [
        ("TypeError: object of type 'NoneType' has no len()", "TypeError: object of type"),
        (
            "onnx_graphsurgeon.util.exception.OnnxGraphSurgeonException: Graph input and output "
            "tensors must include dtype information. Please set",
            "add export.opset=12",
        ),
        ("RuntimeError: … No Adapter From Version $18 for Split", "quant.opset"),
        ("ModuleNotFoundError: No module named 'sympy'", "toolchains/xquant.in"),
    ],
)
def test_why_a_tool_gave_up(last: str, said: str) -> None:
    lines = ["Traceback (most recent call last):", '  File "x.py", line 1', last, "", BAR]
    assert said in reason(lines)
    assert last in reason(lines)


def test_a_tool_that_says_nothing() -> None:
    assert reason([]) == "no message"
    assert reason(["Illegal instruction", BAR]) == "Illegal instruction"
