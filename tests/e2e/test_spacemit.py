"""SpacemiT's boards: the main job's network in int8 ONNX, in both forms, by both tools."""

from __future__ import annotations

import hashlib
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest

from e2e.checkout import ROOT, Checkout, Delivered, asked, read
from e2e.conftest import BASE

K1 = ("target=spacemit_k1", *BASE[1:])
HEADS = 3
"""Strides of the network."""


@pytest.fixture(scope="module")
def k1(chain: Delivered) -> Delivered:
    """The default form. Training and export are the main job's."""
    return Checkout(ROOT, K1).deliver()


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def passed(delivered: Delivered) -> dict[str, Any]:
    """The figures of a deliverable that keeps every rule without a warning."""
    results = {line["result"] for line in delivered.model["contract"]["lines"]}
    assert results == {"pass", "unproven"}
    figures: dict[str, Any] = delivered.model["figures"]
    return figures


def test_it_trains_and_exports_no_second_time(chain: Delivered, k1: Delivered) -> None:
    for stage in ("train", "export"):
        assert k1.records[stage]["digest"] == chain.records[stage]["digest"]


def test_the_int8_file_is_int8_and_sees_what_the_float_network_sees(k1: Delivered) -> None:
    figures = passed(k1)
    assert (figures["opset"], figures["ir_version"]) == (17, 9)
    assert figures["int8_percent"] > 99.9
    assert figures["box_overlap"] > 0.9
    assert figures["score_difference"] < 0.05
    assert figures["largest_score"] > k1.model["thresholds"]["score"]
    size = (k1.path / "yolov8n.q.onnx").stat().st_size
    assert figures["flash_bytes"] == size < 4_000_000
    [output] = k1.model["outputs"]
    assert output["shape"][1] == 4 + len(k1.model["classes"])


def test_what_made_it_lies_beside_it_and_names_no_folder(k1: Delivered) -> None:
    config, report = read(k1.path / "xslim.json"), read(k1.path / "quantize.json")
    cuts = config["quantization_parameters"]["truncate_var_names"]
    assert len(cuts) == 2 * HEADS == len(set(cuts))
    assert report["cuts"] == cuts == k1.json("head", "head.json")["cuts"]
    calibration = config["calibration_parameters"]
    assert calibration["input_parameters"] == calibration["input_parametres"]
    assert calibration["calibration_step"] == report["images"] == 64
    assert len((k1.path / "calibration.txt").read_text().splitlines()) == 64
    assert report["warnings"] == []
    assert report["int8"]["Conv"] == 63
    assert [entry["type"] for entry in report["float"]].count("Conv") == 1
    for name in ("xslim.json", "quantize.json", "yolov8n.q.onnx"):
        assert str(ROOT).encode() not in (k1.path / name).read_bytes()


def test_another_folder_makes_the_same_bytes(k1: Delivered, workshop: Checkout) -> None:
    began = len(workshop.executions())
    again = Checkout(
        workshop.root, (*K1, *(o for o in workshop.base if o.startswith("toolchain.dir=")))
    ).deliver()
    ran = [line["stage"] for line in workshop.executions()[began:]]
    assert "quantize_onnx" in ran
    assert "train" not in ran
    for name in ("yolov8n.q.onnx", "xslim.json", "quantize.json", "contract.json"):
        assert digest(again.path / name) == digest(k1.path / name), name


def test_the_branch_form_is_int8_as_a_whole(k1: Delivered) -> None:
    branch = Checkout(ROOT, (*K1, "target.output=branch")).deliver()
    assert passed(branch)["int8_percent"] == 100
    outputs = branch.model["outputs"]
    sides = [k1.model["input"]["shape"][-1] // stride for stride in (8, 16, 32)]
    classes = len(branch.model["classes"])
    assert [output["shape"] for output in outputs] == [
        [1, channels, side, side] for side in sides for channels in (64, classes, 1)
    ]
    assert read(branch.path / "quantize.json")["cuts"] == []


def test_a_dead_network_is_refused(k1: Delivered) -> None:
    """xslim ends in success, but scores beside boxes in pixels have no int8 range left."""
    said = Checkout(ROOT, K1).doit("quant.truncate=false")
    assert said.code == 1
    [sentence] = [line for line in said.text.splitlines() if line.startswith("  scores:")]
    assert "at most 0.000" in sentence
    assert "keep quant.truncate=true" in sentence
    assert re.search(r"^ contract +FAIL \(2 rules\)$", said.text, re.MULTILINE)


def double(folder: Path, version: str = "1.2.1") -> Path:
    """The double of the vendor's wheel; see checks/xquant_double.py."""
    path = folder / f"xquant-{version}-py3-none-any.whl"
    metadata = f"Name: xquant\nVersion: {version}\nSummary: a double, for edgemake's tests\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"xquant-{version}.dist-info/METADATA", metadata)
        archive.writestr("xquant/__init__.py", "")
        archive.writestr("xquant/xquant_setting.py", "")
        archive.write(ROOT / "tests/e2e/checks/xquant_double.py", "xquant/__main__.py")
    return path


def test_xquant_runs_from_its_wheel(k1: Delivered, tmp_path: Path) -> None:
    wheel = double(tmp_path)
    base = (
        *(*K1, "quant=xquant", f"toolchain.xquant.wheel='{wheel}'"),
        "toolchain.locks.xquant=xslim",  # the double calls xslim
    )
    made = Checkout(ROOT, base).deliver()
    figures, report = passed(made), made.json("quantize_onnx", "quantize.json")
    assert (report["tool"], report["version"], report["opset"]) == ("xquant", "1.2.1", 13)
    assert "opset" not in read(made.path / "xslim.json")["model_parameters"]
    # xquant leaves neither names in the file nor an IR version that older boards take.
    assert figures["ir_version"] == 9
    names = str(dict(enumerate(made.model["classes"])))
    assert names.encode() in (made.path / "yolov8n.q.onnx").read_bytes()
    assert made.records["quantize_onnx"]["preimage"]["inputs"].keys() >= {"xquant.whl"}

    double(tmp_path, "1.2.2").rename(wheel)
    told = Checkout(ROOT, base).doit("plan").text
    [line] = [line for line in told.splitlines() if line.startswith("run      quantize_onnx")]
    assert "input xquant.whl changed" in line


def test_graphs_are_read_for_what_they_are(k1: Delivered, tmp_path: Path) -> None:
    found = asked(k1, "check_onnx", "onnx_facts_arithmetic.py", tmp_path)
    cells = 8 * 8
    assert found["activated"] == {
        "convolutions": {
            "conv1": [True, 4, False, True, 4 * 3 * cells],
            "conv2": [True, 1, False, True, 4 * cells],
        },
        "int8": {"Conv": 2, "MaxPool": 1, "Relu": 1, "Reshape": 1},
        "float": [],
        "domains": [],
        "fixed": True,
    }
    assert found["halfway"]["convolutions"] == {
        "weights_only": [False, 4, False, False, 4 * 3 * cells],
        "none": [False, None, False, True, 4 * 2 * cells],
    }
    assert found["halfway"]["float"] == ["weights_only", "none"]
    for graph, int8 in (("expectation", False), ("int8 expectation", True)):
        described = found[graph]["convolutions"]
        assert [described[name][2] for name in ("dfl", "reversed")] == [True, False]
        assert [described[name][0] for name in ("dfl", "reversed")] == [int8, int8]
    assert found["foreign"]["domains"] == ["somebody"]
    assert found["foreign"]["fixed"] is False


def test_two_networks_are_compared_where_either_is_sure(k1: Delivered, tmp_path: Path) -> None:
    found = asked(k1, "check_onnx", "onnx_facts_arithmetic.py", tmp_path)
    images, tolerance = 3, 1e-6
    assert found["close"]["cells"] == images
    assert abs(found["close"]["overlap"] - 7.5 / 12.5) < tolerance
    assert abs(found["close"]["score_difference"] - 0.1) < tolerance
    assert found["invented"]["cells"] == images
    assert abs(found["invented"]["score_difference"] - 0.7) < tolerance
    assert found["silent"]["cells"] == 0
    assert found["silent"]["overlap"] is None
    assert found["overlaps"] == [pytest.approx(1 / 3), 0, 0]


def test_the_json_and_the_accurate_settings_are_xslims_own(k1: Delivered) -> None:
    """Every key of it is one that xslim or xquant knows; each passes over others in silence."""
    known = asked(k1, "quantize_onnx", "xslim_settings.py")
    config = read(k1.path / "xslim.json")
    sections = {name: set(values) for name, values in config.items()}
    entry = set(config["calibration_parameters"]["input_parameters"][0])
    assert sections.keys() <= known["sections"].keys()
    for name, keys in sections.items():
        assert keys - {"input_parametres"} <= set(known["sections"][name]), name
    assert entry <= set(known["input"])
    assert set(known["methods"]) == {"default", "minmax", "percentile", "kl", "mse"}
    assert known["defaults"] == {
        "calibration_type": "default",
        "precision_level": 0,
        "finetune_level": 1,
        "analysis_enable": True,
    }
