"""Every option of every group plans; every field of the schema is documented."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from composed import ROOT, keys, plain

from edgemake.compose import groups
from edgemake.errors import UserError
from stages import schema

OPTIONS = [
    (group, option) for group, options in groups(ROOT / "conf").items() for option in options
]
NEEDS = {
    ("train", "none"): ["model.weights=yolov8n.pt"],
    ("dataset", "custom"): ["dataset.path={yaml}"],
}


@pytest.mark.parametrize(("group", "option"), OPTIONS)
def test_every_option_plans(group: str, option: str, tmp_path: Path) -> None:
    for split in ("train", "val"):
        (tmp_path / "images" / split).mkdir(parents=True)
        (tmp_path / "images" / split / "a.jpg").write_bytes(b"looked at when the stage runs")
    yaml = tmp_path / "my data.yaml"
    yaml.write_text("train: images/train\nval: images/val\nnames: [one, two]\n")
    more = [text.format(yaml=f"'{yaml}'") for text in NEEDS.get((group, option), [])]
    planned = keys(plain(f"{group}={option}", *more))
    assert "package" in planned


def test_pretrained_weights_add_a_download() -> None:
    assert "weights" in keys(plain("model.weights=yolov8n.pt"))
    assert "weights" not in keys(plain())


@pytest.mark.parametrize("target", groups(ROOT / "conf")["target"])
def test_a_target_chooses_its_quant_and_an_explicit_choice_wins(target: str) -> None:
    assert plain(f"target={target}")["quant"]["weights"] == "per_tensor"
    for order in (("quant=int8_per_channel",), (f"target={target}", "quant=int8_per_channel")):
        assert plain(*order)["quant"]["weights"] == "per_channel"


@pytest.mark.parametrize("name", ["images", "torch", "tensorflow", "vela"])
def test_a_lock_that_was_removed_or_misspelt(name: str) -> None:
    with pytest.raises(UserError, match=rf"^toolchain\.locks\.{name} is missing"):
        keys(plain(f"~toolchain.locks.{name}"))
    with pytest.raises(UserError, match=rf"toolchain\.locks\.{name}x; did you mean '{name}'"):
        keys(plain(f"+toolchain.locks.{name}x=other"))


STRUCTS = [
    value
    for value in vars(schema).values()
    if isinstance(value, type) and issubclass(value, msgspec.Struct) and value.__name__ != "Struct"
]


@pytest.mark.parametrize("struct", STRUCTS, ids=lambda s: str(s.__name__))
def test_every_field_says_what_it_is(struct: Any) -> None:
    assert struct.__doc__
    for name, hint in get_type_hints(struct, include_extras=True).items():
        if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
            continue
        if struct is schema.Config:
            continue
        metas = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
        assert any(getattr(m, "description", None) for m in metas), f"{struct.__name__}.{name}"


def test_equal_steps_of_two_configs_are_one() -> None:
    first, second = keys(plain()), keys(plain("quant.calibration.count=32"))
    shared = {stage for stage in first if first[stage] == second[stage]}
    assert shared == {"dataset", "train", "export", "head", "convert"}
