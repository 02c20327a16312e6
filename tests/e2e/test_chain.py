"""The main job: what it leaves in every step's artifact and in the deliverable."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from lab import content, sound_record

from e2e.checkout import PROOF, STAGES, Delivered, asked, demand_pixels

STRIDES = (8, 16, 32)
MOST_SRAM = 300 * 1024
"""Bytes that YOLOv8n at 192 pixels may use of the board's SRAM."""


def test_the_data_set_shares_nothing_between_its_splits(chain: Delivered) -> None:
    manifest = chain.json("dataset", "manifest.json")
    splits = {name: entries for name, entries in manifest["splits"].items() if entries}
    assert set(splits) == {"train", "val"}
    train, val = ({entry["sha256"] for entry in splits[name]} for name in ("train", "val"))
    assert not train & val
    assert len(train) == chain.provenance["config"]["dataset"]["train_images"]
    data = chain.file("dataset", "data")
    for entry in [entry for entries in splits.values() for entry in entries][::97]:
        image = (data / entry["image"]).read_bytes()
        assert hashlib.sha256(image).hexdigest() == entry["sha256"]
        for row in (data / entry["label"]).read_text().splitlines():
            kind, *box = row.split()
            assert 0 <= int(kind) < len(manifest["names"])
            assert all(0 <= float(value) <= 1 for value in box)


def test_the_curves_have_a_row_for_each_epoch(chain: Delivered) -> None:
    epochs = chain.provenance["config"]["train"]["epochs"]
    assert chain.json("train", "train.json")["epochs"] == epochs
    assert len(chain.file("train", "results.csv").read_text().splitlines()) == 1 + epochs


def test_the_export_equals_pytorch(chain: Delivered) -> None:
    report = chain.json("export", "export.json")
    assert report["opset"] == 13
    assert report["box_difference_px"] <= 0.1
    assert report["score_difference"] <= 1e-3


def test_the_head_is_what_the_firmware_decodes(chain: Delivered) -> None:
    report = chain.json("head", "head.json")
    side, classes = report["imgsz"], report["classes"]
    wanted = [[f"box_{s}", [1, (side // s) ** 2, 64]] for s in STRIDES]
    wanted += [[f"class_{s}", [1, (side // s) ** 2, classes]] for s in STRIDES]
    assert [[output["name"], output["shape"]] for output in report["outputs"]] == wanted
    assert asked(chain, "head", "graph_outputs.py", chain.file("head", "head.onnx")) == wanted
    assert report["verified"]["box_difference_px"] <= 0.5
    assert report["verified"]["score_difference"] <= 1e-3


def test_calibration_holds_pixels(chain: Delivered) -> None:
    found = asked(chain, "calibration", "npy_file.py", chain.file("calibration", "calibration.npy"))
    report = chain.json("calibration", "calibration.json")
    side = report["imgsz"]
    assert found["dtype"] == "uint8"
    assert found["shape"] == [report["count"], side, side, 3]
    assert found["range"][1] > 200
    assert report["count"] == chain.provenance["config"]["quant"]["calibration"]["count"]


def test_the_int8_file_takes_pixels(chain: Delivered) -> None:
    demand_pixels(chain)


def test_the_int8_file_finds_what_the_float_network_finds(chain: Delivered) -> None:
    entries = chain.json("dataset", "manifest.json")["splits"]["val"][:10]
    images = [chain.file("dataset", "data") / entry["image"] for entry in entries]
    files = chain.file("head", "head.onnx"), chain.path / "model_int8.tflite"
    told = asked(chain, "quantize", "detections.py", *files, *images)
    assert told["score_difference"] <= 0.005
    if chain.json("train", "train.json")["map50"] > 0.5:
        assert told["found"] >= len(images)
    assert told["again"] >= 0.95 * told["found"]


def test_all_of_it_runs_on_the_npu(chain: Delivered) -> None:
    report = chain.json("compile", "vela.json")
    assert report["npu_percent"] == 100
    assert report["cpu"] == []
    assert 0 < report["sram_bytes"] <= MOST_SRAM


def test_the_contract_is_kept(chain: Delivered) -> None:
    verdict = chain.json("check", "verdict.json")
    assert verdict["passed"] is True
    assert {line["result"] for line in verdict["lines"]} <= {"pass", "warn", "unproven"}
    assert len(verdict["lines"]) >= 20
    figures = verdict["figures"]
    assert figures["flash_bytes"] == (chain.path / "model_vela.tflite").stat().st_size
    assert figures["arena_bytes"] == chain.json("compile", "vela.json")["sram_bytes"]
    assert figures["arena_bytes"] < figures["arena_limit_bytes"]


def test_the_deliverable_describes_its_files(chain: Delivered) -> None:
    model = chain.model
    for name, file in model["files"].items():
        delivered = (chain.path / name).read_bytes()
        assert hashlib.sha256(delivered).hexdigest() == file["sha256"]
        assert len(delivered) == file["bytes"]
    assert {"model_vela.tflite", "model_int8.tflite"} <= set(model["files"])
    assert (chain.path / "labels.txt").read_text().splitlines() == model["classes"]
    assert sorted((o["role"], o["stride"]) for o in model["outputs"]) == [
        *(("box", stride) for stride in STRIDES),
        *(("class", stride) for stride in STRIDES),
    ]


def test_provenance_names_every_step(chain: Delivered) -> None:
    made = {*STAGES, *(PROOF if (chain.path / "report.html").exists() else ())}
    assert chain.records.keys() == made
    for record in chain.provenance["steps"].values():
        artifact = chain.root / "artifacts/store" / record["stage"] / record["digest"]
        assert sound_record(artifact)["outputs"] == record["outputs"]
    for name, digest in chain.records["package"]["outputs"].items():
        assert content(chain.path / name) == digest


def test_the_artifacts_know_no_place(chain: Delivered) -> None:
    """Where it was built is in no output: elsewhere the same bytes come out."""
    place = str(chain.root).encode()
    for stage, record in chain.records.items():
        artifact = chain.root / "artifacts/store" / stage / record["digest"]
        for name in record["outputs"]:
            output = artifact / name
            files = output.rglob("*") if output.is_dir() else [output]
            for file in files:
                if file.suffix not in (".jpg", ".txt") and file.is_file():
                    assert place not in file.read_bytes(), file


def test_the_summary_says_what_a_person_wants_to_know(chain: Delivered) -> None:
    shown = dict(_rows(chain.said))
    size = (chain.path / "model_vela.tflite").stat().st_size
    assert (chain.root / shown["delivered"]).is_dir()
    assert shown["model_vela.tflite"] == f"{size:,} bytes"
    assert shown["NPU placement"] == "100 %"
    assert re.fullmatch(r"\d+ of 1,109 KiB \(\d+ %\), vela [\d.]+", shown["arena"])
    assert re.fullmatch(r"[\d,]+ of 10,240 KiB \(\d+ %\)", shown["flash"])
    assert re.fullmatch(r"\d+\.\d ms \(vela's estimate\)", shown["latency"])
    assert re.fullmatch(r"pass \(\d+ rules; 3 can only be seen on the board\)", shown["contract"])
    assert set(STAGES) <= set(shown)
    for stage in STAGES:
        assert re.match(r"(reused|built) +\d+\.\d s", shown[stage]), shown[stage]
    model = f"{shown['delivered']}model_vela.tflite"
    xmodem, sscma = (line for line in chain.said.splitlines() if model in line)
    assert xmodem.split()[:2] == ["python", "xmodem/xmodem_send.py"]
    assert f'--model="{model} 0x400000 0x00000"' in xmodem
    assert sscma.split()[:2] == ["sscma.cli", "flasher"]


def _rows(said: str) -> list[tuple[Any, ...]]:
    """(name, value) of each line of the table."""
    table = said.partition("\n-- ")[2].splitlines()
    found = [re.fullmatch(r" (\S[^\n]*?)  +(\S.*)", line) for line in table]
    return [match.groups() for match in found if match]
