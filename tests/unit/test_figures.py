import json
from pathlib import Path
from typing import Any

from stages.figures import rows

LINE = {"rule": "vela version", "found": "5.2.0", "remedy": "tell us", "result": "warn"}
SIZES = {"arena_bytes": 2048, "arena_limit_bytes": 4096, "arena_source": "vela 5.2.0",
         "flash_bytes": 1024, "flash_limit_bytes": 10240}  # fmt: skip


def shown(folder: Path, figures: dict[str, Any], *lines: dict[str, str]) -> dict[str, str]:
    model = {
        "files": {"model_vela.tflite": {"bytes": 1024}, "labels.txt": {"bytes": 3}},
        "figures": figures,
        "contract": {"lines": [LINE, *lines]},
    }
    (folder / "model.json").write_text(json.dumps(model))
    (folder / "calibration.json").write_text(json.dumps({"warnings": ["2 images are black"]}))
    return dict(rows(folder))


def test_a_board_with_an_npu(tmp_path: Path) -> None:
    found = shown(tmp_path, {**SIZES, "npu_percent": 100.0, "latency_ms": 50.26})
    assert found == {
        "model_vela.tflite": "1,024 bytes",
        "NPU placement": "100 %",
        "arena": "2 of 4 KiB (50 %), vela 5.2.0",
        "flash": "1 of 10 KiB (10 %)",
        "latency": "50.3 ms (vela's estimate)",
        "contract": "pass (1 rules)",
        "warn": "vela version: 5.2.0. tell us",
        "calibration": "2 images are black",
    }


def test_a_board_without_one_and_an_arena_that_could_not_be_told(tmp_path: Path) -> None:
    failed = {**LINE, "rule": "arena", "found": "cannot run it", "result": "fail"}
    found = shown(tmp_path, {**SIZES, "arena_bytes": None}, failed)
    assert {"NPU placement", "latency", "arena"}.isdisjoint(found)
    assert found["contract"] == "FAIL (1 rules)"
    assert found["fail"] == "arena: cannot run it. tell us"


def test_an_evaluation_with_nothing_to_hold_the_model_against(tmp_path: Path) -> None:
    tiers = {"litert": {"box": {"map50": 0.75, "map50_95": 0.5}}}
    board = {"tiers": tiers, "final": "litert", "reference": None, "drop": None}
    (tmp_path / "metrics.json").write_text(json.dumps({"board": board}))
    assert shown(tmp_path, SIZES)["accuracy, box"] == "mAP50 0.750, mAP50-95 0.500 (litert)"
    (tmp_path / "metrics.json").write_text(json.dumps({"board": None}))
    assert "accuracy, box" not in shown(tmp_path, SIZES)


def tier(map50: float, map50_95: float) -> dict[str, Any]:
    return {"box": {"map50": map50, "map50_95": map50_95}}


def test_what_is_put_beside_it_later(tmp_path: Path) -> None:
    parted = "litert and tflm part on the same file: 92.0 % …"
    metrics = {
        "board": {
            "final": "tflm",
            "tiers": {"cut_onnx": tier(0.9, 0.8), "tflm": tier(0.9, 0.7)},
            "drop": {"box": {"map50_95": 10.0}},
        },
        "agreement": {"tiers": ["litert", "tflm"]},
        "warnings": [parted, "class x is never there"],
    }
    findings = [
        {"level": "bad", "what": "box branch at 3 dB", "try": "more images"},
        {"level": "look", "what": "neck at 12 dB", "try": ""},
    ]
    (tmp_path / "metrics.json").write_text(json.dumps(metrics))
    (tmp_path / "diagnosis.json").write_text(json.dumps({"findings": findings}))
    (tmp_path / "report.html").write_text("")
    found = shown(tmp_path, SIZES)
    assert found["accuracy, box"] == (
        "mAP50 0.900, mAP50-95 0.700 (tflm); int8 loses 10.0 points of mAP50-95"
    )
    assert found["look"] == "class x is never there"
    assert found["diagnosis"] == "box branch at 3 dB: more images"
    assert found["report"] == "report.html"
    metrics["board"]["drop"]["box"]["map50_95"] = -0.04  # type: ignore[index]
    (tmp_path / "metrics.json").write_text(json.dumps(metrics))
    assert shown(tmp_path, SIZES)["accuracy, box"].endswith("int8 costs nothing")
    search = {"chosen": 0, "tries": [{"quant": {"count": 8}, "map50_95": {"box": 0.7}}, {}]}
    (tmp_path / "search.json").write_text(json.dumps(search))
    assert shown(tmp_path, SIZES)["search"] == "count=8 is the best of 2 (mAP50-95 box 0.700)"
