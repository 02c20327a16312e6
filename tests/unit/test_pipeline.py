import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from stage_configs import config

from edgemake.errors import UserError
from edgemake.step import Step, UserFile, in_order
from stages import naming, pipeline

ROOT = Path(__file__).resolve().parents[2]


def stages(*overrides: str) -> list[str]:
    return [step.stage for step in in_order([pipeline.plan(config(*overrides)).package])]


def step(planned: pipeline.Pipeline, stage: str) -> Step:
    [found] = [step for step in in_order([planned.package]) if step.stage == stage]
    return found


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "my best.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("best/data.pkl", "looked at when the stage runs")
    return path


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(b"x")
    return folder


MADE = {"dataset", "train", "export", "head", "calibration", "package"}
"""Whatever the board."""


@pytest.mark.parametrize(
    ("target", "board", "model", "more"),
    [
        (
            "grove_v2",
            {"convert", "quantize", "compile", "check"},
            "model_vela.tflite",
            ["model_int8.tflite"],
        ),
        ("xiao_esp32s3", {"convert", "quantize", "arena", "check"}, "model_int8.tflite", []),
        (
            "spacemit_k1",
            {"quantize_onnx", "check_onnx"},
            "yolov8n.q.onnx",
            ["quantize.json", "xslim.json"],
        ),
    ],
)
def test_each_kind_of_board(target: str, board: set[str], model: str, more: list[str]) -> None:
    planned = pipeline.plan(config(f"target={target}"))
    assert {step.stage for step in in_order([planned.package])} == MADE | board
    assert (planned.folder, planned.model) == (target, model)
    lists = ["calibration.json", "calibration.txt"]
    assert {model, *more, *lists} <= set(planned.package.params.files)


def test_calibration_images_are_looked_at_before_training() -> None:
    for target in ("grove_v2", "xiao_esp32s3", "spacemit_k1"):
        order = stages(f"target={target}")
        assert order.index("calibration") < order.index("train")


def test_three_boards_train_and_export_once() -> None:
    plans = [config(f"target={target}") for target in ("grove_v2", "xiao_esp32s3", "spacemit_k1")]
    for stage in ("dataset", "train", "export"):
        first, *rest = [step(pipeline.plan(plan), stage).plain_params() for plan in plans]
        assert rest == [first, first]


def test_the_main_job() -> None:
    planned = pipeline.plan(config())
    assert set(stages()) == MADE | {"convert", "quantize", "compile", "check"}
    assert planned.name == "yolov8n-192-digits-int8_per_tensor"
    assert planned.folder == "grove_v2"
    assert [output.path for output in planned.verdicts] == ["verdict.json"]
    assert "{model}" in planned.deliver_commands["xmodem"]


def test_convert_does_not_depend_on_calibration() -> None:
    convert = step(pipeline.plan(config()), "convert")
    assert "calibration" not in [parent.stage for parent in in_order([convert])]


def test_own_weights_and_own_images_need_no_data_set(weights: Path, images: Path) -> None:
    given = (
        "train=none",
        f"model.weights='{weights}'",
        f"quant.calibration.source='{images}'",
    )
    assert {"dataset", "train"}.isdisjoint(stages(*given))
    planned = pipeline.plan(config(*given))
    assert isinstance(step(planned, "export").inputs["checkpoint.pt"], UserFile)
    assert planned.name == "yolov8n-192-from_my_best-int8_per_tensor"


def test_no_training_without_weights_is_refused() -> None:
    with pytest.raises(
        UserError, match=r"model\.weights=null with train=none: .* give model.weights"
    ):
        pipeline.plan(config("train=none"))


def test_a_size_that_the_board_does_not_take_is_refused() -> None:
    with pytest.raises(UserError, match=r"model\.imgsz=160: .* multiples of 64 from 32"):
        pipeline.plan(config("model.imgsz=160", "target.contract.imgsz_multiple=64"))
    with pytest.raises(UserError, match=r"model\.imgsz=32: .* from 96"):
        pipeline.plan(config("model.imgsz=32", "target.contract.min_imgsz=96"))


@pytest.mark.parametrize("name", ["store", "train", "package", "weights"])
def test_a_target_cannot_have_the_name_of_a_folder_of_the_builds(name: str) -> None:
    with pytest.raises(UserError, match=rf"target\.name={name}: .* give the board another name"):
        pipeline.plan(config(f"target.name={name}"))


@pytest.mark.parametrize(
    "override",
    [
        "target.name=../escaped",
        "target.name=.state",
        "target.name=''",
        "target.name=Grove",
        "model.name=a/b",
        "dataset.name=..",
    ],
)
def test_names_that_could_leave_their_folder(override: str) -> None:
    key, _, value = override.partition("=")
    found = re.escape(repr(value.strip("'")))
    with pytest.raises(UserError, match=rf"^{re.escape(key)}: expected .*, found {found}$"):
        config(override)


def test_a_command_that_does_not_name_the_file_is_refused() -> None:
    with pytest.raises(UserError, match=r"target\.deliver\.xmodem='send it' .* write \{model\}"):
        pipeline.plan(config("target.deliver.xmodem='send it'"))
    pipeline.plan(config("target.deliver.xmodem='send {port} {model}'"))


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("train.device=gpu", "'gpu'"),
        ("train.device=-1", "-1"),
        ("model.architecture=yolov8n", "'yolov8n'"),
        ("model.architecture=nets/own.yaml", "'nets/own.yaml'"),
        (
            "target.vela.accelerator=ethos-u55-65",
            "'ethos-u55-65' is none of its values; did you mean 'ethos-u55-64'?",
        ),
        ("target.contract.strides=[]", "[]"),
        ("target.contract.operators=[]", "[]"),
    ],
)
def test_what_only_a_stage_would_refuse_late(override: str, words: str) -> None:
    key = override.partition("=")[0]
    with pytest.raises(UserError, match=rf"^{re.escape(key)}: .*{re.escape(words)}$"):
        config(override)


@pytest.mark.parametrize("device", ["auto", "cpu", "0", "'1'"])
def test_devices(device: str) -> None:
    pipeline.plan(config(f"train.device={device}"))


def test_what_varies_is_in_the_name() -> None:
    names = {
        naming.deliverable_name(config(*overrides))
        for overrides in (
            [],
            ["model=yolov8s"],
            ["model.imgsz=256"],
            ["dataset=coco8"],
            ["quant=int8_per_channel"],
            ["model.weights=yolov8n.pt"],
            ["model.activation=relu6"],
            ["target.output=decoded"],
            ["target=spacemit_k1"],
            ["model.weights=yolov8n.pt", "train=none"],
            ["model=yolov8n_pose"],
            ["quant.search.count=[8,16]"],
        )
    }
    assert len(names) == 12, names


def test_equal_configs_give_equal_plans_and_a_leaf_reaches_only_its_readers() -> None:
    def keyed(*overrides: str) -> dict[str, object]:
        planned = pipeline.plan(config(*overrides))
        return {s.stage: s.plain_params() for s in in_order([planned.package])}

    base = keyed()
    assert keyed() == base

    def readers(override: str) -> set[str]:
        return {stage for stage, params in keyed(override).items() if params != base[stage]}

    assert readers("quant.calibration.count=64") == {"calibration"}
    assert readers("quant.calibration.seed=1") == {"calibration"}
    assert readers("quant.weights=per_channel") == {"quantize", "package"}
    assert readers("target.vela.optimise=Size") == {"compile"}
    assert readers("target.memory.arena_bytes=1") == {"check"}
    assert readers("target.contract.strides=[8,16]") == {"head", "check"}
    assert readers("target.outputs.detect.raw.iou=0.5") == {"package"}
    assert readers("train.epochs=3") == {"train"}


def test_planning_loads_no_heavy_library() -> None:
    code = (
        "import sys; from stages import pipeline; "
        "heavy = {'numpy', 'onnx', 'torch', 'tensorflow', 'PIL', 'hydra', 'doit', 'msgspec'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
