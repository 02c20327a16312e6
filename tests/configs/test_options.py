"""Every option of every group plans; every field of the schema is documented."""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from composed import ROOT, keys, plain

from edgemake.compose_hints import groups
from edgemake.errors import UserError
from stages import schema
from vision.xslim_wheel import NEEDED

OPTIONS = [
    (group, option) for group, options in groups(ROOT / "conf").items() for option in options
]
POSE = ["model=yolov8n_pose"]
NEEDS = {
    ("train", "none"): ["model.weights=yolov8n.pt", "quant.calibration.source={images}"],
    ("dataset", "custom"): ["dataset.path={yaml}"],
    ("dataset", "none"): ["model.weights=yolov8n.pt", "quant.calibration.source={images}"],
    ("dataset", "coco8_pose"): POSE,
    ("dataset", "figures"): POSE,
    ("quant", "xslim"): ["target=spacemit_k1"],
    ("quant", "xslim_accurate"): ["target=spacemit_k1"],
    ("quant", "xquant"): ["target=spacemit_k1", "toolchain.xquant.wheel={wheel}"],
    ("experiment", "spacemit_yolov8n"): ["quant.calibration.source={images}"],
}
"""What a user must say beside an option, or has to choose with it."""


def write_wheel(folder: Path) -> Path:
    """A file that is told from the vendor's wheel by running it only."""
    wheel = folder / "xquant-1.2.1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("xquant-1.2.1.dist-info/METADATA", "Name: xquant\nVersion: 1.2.1\n")
        for name in NEEDED:
            archive.writestr(name, "")
    return wheel


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """A user's files, for planning: no stage runs."""
    for split in ("train", "val"):
        (tmp_path / "images" / split).mkdir(parents=True)
        for i in range(10):
            (tmp_path / f"images/{split}/{i}.jpg").write_bytes(b"looked at when the stage runs")
    yaml = tmp_path / "my data.yaml"
    yaml.write_text("train: images/train\nval: images/val\nnames: [one, two]\n")
    wheel = write_wheel(tmp_path)
    return {"yaml": f"'{yaml}'", "images": f"'{tmp_path / 'images'}'", "wheel": f"'{wheel}'"}


@pytest.mark.parametrize(("group", "option"), OPTIONS)
def test_every_option_plans(group: str, option: str, files: dict[str, str]) -> None:
    more = [text.format(**files) for text in NEEDS.get((group, option), [])]
    assert "package" in keys(plain(f"{group}={option}", *more))


def test_pretrained_weights_add_a_download() -> None:
    assert "weights" in keys(plain("model.weights=yolov8n.pt"))
    assert "weights" not in keys(plain())


DEFAULT = {
    "grove_v2": "int8_per_tensor",
    "xiao_esp32s3": "int8_per_tensor",
    "spacemit_k1": "xslim",
}
"""Target -> the option of quant that it chooses."""


@pytest.mark.parametrize("target", groups(ROOT / "conf")["target"])
def test_a_target_chooses_its_quant_and_an_explicit_choice_wins(target: str) -> None:
    assert plain(f"target={target}")["quant"] == plain(f"quant={_default(target)}")["quant"]
    chosen = "quant=int8_per_channel"
    for order in ((chosen, f"target={target}"), (f"target={target}", chosen)):
        assert plain(*order)["quant"]["weights"] == "per_channel"


def _default(target: str) -> str:
    """A board that is not in DEFAULT must be of a family whose first name is."""
    return DEFAULT.get(target) or DEFAULT[next(t for t in DEFAULT if target.startswith(t[:8]))]


def test_a_pose_model_chooses_its_data_set_and_that_its_training() -> None:
    chosen = plain("model=yolov8n_pose")
    assert (chosen["dataset"]["kind"], chosen["train"]["args"]["mosaic"]) == ("figures", 0.0)
    assert plain("model=yolov8n_pose", "dataset=coco8_pose")["train"]["args"] == {}
    assert plain("model=yolov8n_pose", "train=none")["train"] == {"kind": "none"}


@pytest.mark.parametrize("name", ["images", "torch", "tensorflow", "vela"])
def test_a_lock_that_was_removed_or_misspelt(name: str) -> None:
    with pytest.raises(UserError, match=rf"^toolchain\.locks\.{name} is missing"):
        keys(plain(f"~toolchain.locks.{name}"))
    with pytest.raises(UserError, match=rf"toolchain\.locks\.{name}x; did you mean '{name}'"):
        keys(plain(f"+toolchain.locks.{name}x=other"))


def _structs(base: type[Any] = schema.Struct) -> Iterator[type[Any]]:
    for struct in base.__subclasses__():
        yield struct
        yield from _structs(struct)


STRUCTS = sorted(set(_structs()), key=lambda struct: struct.__name__)


def test_the_structs_are_found_in_every_module() -> None:
    modules = {struct.__module__ for struct in STRUCTS}
    files = {f"stages.schema.{path.stem}" for path in (ROOT / "stages/schema").glob("*.py")}
    bare = {"stages.schema.__init__", "stages.schema.base"}
    assert modules == files - bare | {"stages.schema"}


def _is_struct(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, msgspec.Struct)


@pytest.mark.parametrize("struct", STRUCTS, ids=lambda s: str(s.__name__))
def test_every_field_says_what_it_is(struct: Any) -> None:
    assert struct.__doc__
    for name, hint in get_type_hints(struct, include_extras=True).items():
        if _is_struct(hint) or any(_is_struct(member) for member in get_args(hint)):
            continue  # its own words say it
        metas = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
        assert any(getattr(m, "description", None) for m in metas), f"{struct.__name__}.{name}"


def test_equal_steps_of_two_configs_are_one() -> None:
    first, second = keys(plain()), keys(plain("quant.calibration.count=32"))
    shared = {stage for stage in first if first[stage] == second[stage]}
    assert shared == {
        *("dataset", "train", "export", "head", "convert", "validation"),
        *("predict pytorch", "predict onnx", "predict cut_onnx"),
    }
