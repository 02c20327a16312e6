"""Every tier of the main job's model on the validation split: files, agreement, refusals."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from e2e.checkout import ROOT, Checkout, Delivered, answer, asked, read
from e2e.conftest import BASE

TIERS = ("cut_onnx", "litert", "tflm", "onnx", "pytorch")
"""Of a Grove; the float tier of the board's table first."""
CONTRACT = {"strides": [8, 16, 32], "box_channels": 64, "keypoint_values": 3, "order": []}
FORMS = {"six_raw": CONTRACT, "branch": CONTRACT, "decoded": CONTRACT}
"""What the firmwares decode: the Grove's and both of SpacemiT's."""
FEW = 24
"""Images where every one is looked at."""


@pytest.fixture(scope="module")
def tiers(chain: Delivered) -> dict[str, Path]:
    """Tier -> the artifact of its step."""
    project = Checkout(ROOT, BASE)
    said = project.doit("predict")
    assert said.code == 0, said.text
    listed = re.findall(r"^predict:((\w+)-\w+) ", project.doit("list", "--all").text, re.MULTILINE)
    found = {tier: ROOT / "artifacts/predict" / name for name, tier in listed}
    assert set(found) == set(TIERS)
    return found


@pytest.fixture(scope="module")
def told(tiers: dict[str, Path]) -> dict[str, Any]:
    """What the artifacts hold."""
    folders = [tiers[tier] for tier in TIERS]
    found: dict[str, Any] = answer(toolchain(tiers, "tflm"), "predict_files.py", *folders)
    return found


def toolchain(tiers: dict[str, Path], tier: str) -> dict[str, str]:
    """Name and lock of what a tier ran in."""
    found: dict[str, str] = read(tiers[tier] / "step.json")["preimage"]["toolchain"]
    return found


def params(tiers: dict[str, Path], tier: str, **changed: object) -> str:
    """Of a tier's step, as JSON."""
    return json.dumps(read(tiers[tier] / "step.json")["preimage"]["params"] | changed)


def inputs(chain: Delivered, **changed: object) -> str:
    """Of a step that runs the int8 file, as JSON; None leaves one out."""
    given: dict[str, object] = {
        "model": chain.file("quantize", "model_int8.tflite"),
        "head.json": chain.file("head", "head.json"),
        "export.json": chain.file("export", "export.json"),
        "manifest.json": chain.file("dataset", "manifest.json"),
        "data": chain.file("dataset", "data"),
    } | changed
    return json.dumps({name: str(path) for name, path in given.items() if path is not None})


def test_every_tier_says_what_it_ran_and_how(chain: Delivered, told: dict[str, Any]) -> None:
    manifest, classes = chain.json("dataset", "manifest.json"), chain.model["classes"]
    images = [Path(entry["image"]).name for entry in manifest["splits"]["val"]]
    side = chain.model["input"]["shape"][1]
    for tier in TIERS:
        said, board = told["tiers"][tier]["said"], tier not in ("onnx", "pytorch")
        assert said["images"] == images
        assert len(said["sizes"]) == len(images)
        assert (said["classes"], said["imgsz"], said["keypoints"]) == (classes, side, None)
        assert said["table"] == ("board" if board else "comparable")
        assert said["preprocess"] == ("stretch" if board else "letterbox")
        assert (said["score"], said["iou"]) == (0.001, 0.45 if board else 0.7)
        assert said["form"] == ("six_raw" if board else "decoded")
    runtimes = [told["tiers"][tier]["said"]["runtime"].rpartition(" ")[0] for tier in TIERS]
    assert runtimes[:3] == ["onnxruntime", "LiteRT", "TensorFlow Lite Micro"]
    assert runtimes[4].startswith("PyTorch")


def test_detections_come_in_order_and_from_the_lowest_score(told: dict[str, Any]) -> None:
    for tier, found in told["tiers"].items():
        count = found["arrays"]["score"][1]
        assert found["arrays"] == {
            "image": ["int32", count],
            "cls": ["int32", count],
            "score": ["float32", count],
            "box": ["float32", count, 4],
        }
        assert found["in_order"], tier
        assert found["least"] < 0.01
        assert found["most"] <= 300
        assert len(found["classes"]) == len(found["said"]["classes"])
        if found["said"]["table"] == "board":
            assert found["inside"], tier


def test_every_tier_finds_what_the_cut_network_is_sure_of(told: dict[str, Any]) -> None:
    for tier, found in told["tiers"].items():
        assert found["again"] > 0.9, tier


def test_both_tflite_interpreters_leave_the_same_integers(
    chain: Delivered, told: dict[str, Any]
) -> None:
    """LiteRT's quick kernels round otherwise; its reference kernels show that nothing else is."""
    raw = told["raw"]
    assert raw["outputs"] == [output["shape"][1:] for output in chain.model["outputs"]]
    assert (raw["images"], raw["kinds"], raw["same_scales"]) == (8, ["int8"], True)
    assert raw["exact"] == 0
    assert raw["within_one"] > 0.85


def test_the_comparable_tiers_find_what_ultralytics_validation_finds(
    chain: Delivered, tiers: dict[str, Path], tmp_path: Path
) -> None:
    """One by one, on pictures of other sizes and shapes; and every firmware's decode, cell by
    cell, against ultralytics' head on the same pictures."""
    given = inputs(chain, **{"model": chain.file("train", "best.pt"), "head.json": None})
    whole = chain.file("export", "model.onnx")
    found = asked(
        chain, "export", "predict_val.py",
        params(tiers, "pytorch"), given, whole, json.dumps(FORMS), tmp_path / "val", FEW,
    )  # fmt: skip
    val = found["val"]
    assert (val["images"], val["own"]) == (FEW, val["found"])
    assert val["found"] > 10 * FEW
    assert val["missing"] <= val["found"] / 1000
    for form in FORMS:
        off = found["decode"][form]
        assert off["best"] > 0.5, "or equal scores would show nothing"
        assert off["box"] <= 0.5, form
        assert off["score"] <= 1e-3, form


def test_every_decode_gives_back_what_was_written(tiers: dict[str, Path]) -> None:
    assert answer(toolchain(tiers, "tflm"), "predict_decode.py") == 30


def test_more_cores_find_the_same(chain: Delivered, tiers: dict[str, Path], tmp_path: Path) -> None:
    few = params(tiers, "litert", count=FEW)
    made = [
        answer(toolchain(tiers, "litert"), "predict_run.py", few, inputs(chain), place, cores)
        for cores, place in ((1, tmp_path / "one"), (3, tmp_path / "three"))
    ]
    assert made[0] == made[1]
    assert set(made[0]) == {"predictions.npz", "predictions.json", "outputs.npz"}


# --- bad input ----------------------------------------------------------------------------


@pytest.mark.parametrize("tier", ["litert", "tflm"])
def test_a_file_with_another_head_is_refused(
    chain: Delivered, tiers: dict[str, Path], tmp_path: Path, tier: str
) -> None:
    head = chain.json("head", "head.json")
    for entry in head["outputs"]:
        entry["shape"][1] += 1
    other = tmp_path / "head.json"
    other.write_text(json.dumps(head))
    given = inputs(chain, **{"head.json": other})
    said = answer(
        toolchain(tiers, tier), "predict_run.py", params(tiers, tier), given, tmp_path / "x", 1
    )
    assert said["refused"].startswith("the model file is not what head.json describes: its outputs")


@pytest.mark.parametrize("keep", [0, 600])
def test_an_image_that_cannot_be_read_is_named(
    chain: Delivered, tiers: dict[str, Path], tmp_path: Path, keep: int
) -> None:
    data, manifest = chain.file("dataset", "data"), chain.json("dataset", "manifest.json")
    names = [Path(entry["image"]).name for entry in manifest["splits"]["val"][:4]]
    copy = tmp_path / "data/images/val"
    copy.mkdir(parents=True)
    for name in names:
        (copy / name).write_bytes((data / "images/val" / name).read_bytes())
    bad = copy / names[2]
    bad.write_bytes(bad.read_bytes()[:keep]) if keep else bad.unlink()
    given = inputs(chain, data=tmp_path / "data")
    few = params(tiers, "litert", count=4)
    said = answer(toolchain(tiers, "litert"), "predict_run.py", few, given, tmp_path / "x", 2)
    assert f"image {names[2]} {'cannot be read' if keep else 'is missing'}" in said["refused"]
    assert "doit forget dataset" in said["refused"]
