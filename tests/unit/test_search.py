"""Trying several ways to quantize: which ones, and which is the best."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from stage_configs import config

from edgemake.errors import UserError
from edgemake.work import Work
from stages import search


def test_off_by_default() -> None:
    assert search.candidates(config()) == []


def test_every_combination() -> None:
    found = search.candidates(
        config("quant.search.weights=[per_tensor,per_channel]", "quant.search.count=[8,16]")
    )
    assert [values for values, _ in found] == [
        {"weights": weights, "count": count}
        for weights in ("per_tensor", "per_channel")
        for count in (8, 16)
    ]
    for values, made in found:
        assert getattr(made.quant, "weights") == values["weights"]  # noqa: B009
        assert made.quant.calibration.count == values["count"]
        assert made.quant.calibration.seed == config().quant.calibration.seed


def test_methods_of_boards_that_run_onnx() -> None:
    found = search.candidates(config("target=spacemit_k1", "quant.search.method=[minmax,kl]"))
    assert [values for values, _ in found] == [{"method": "minmax"}, {"method": "kl"}]


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("quant.search.count=[8,8]", "names a value twice"),
        (f"quant.search.count={list(range(1, 200))}".replace(" ", ""), "199 tries, more than 100"),
    ],
)
def test_slips(override: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        search.candidates(config(override))


def tried(box: float, *, passed: bool = True, keypoints: float | None = None) -> dict[str, Any]:
    maps = {"box": box} | ({} if keypoints is None else {"keypoints": keypoints})
    return {"map50_95": maps, "passed": passed}


def test_the_most_accurate_that_passes() -> None:
    assert search.best([tried(0.7), tried(0.8), tried(0.9, passed=False)]) == 1
    assert search.best([tried(0.7), tried(0.7)]) == 0
    assert search.best([tried(0.7, passed=False), tried(0.8, passed=False)]) == 1
    assert search.best([tried(0.7, keypoints=0.1), tried(0.6, keypoints=0.3)]) == 1


def test_the_best_files_are_handed_on(tmp_path: Path) -> None:
    inputs = {}
    for i, (accuracy, passed) in enumerate([(0.5, True), (0.6, True), (0.9, False)]):
        line = {"rule": "arena", "result": "fail", "found": "9", "demanded": "8"}
        contents = {
            "model.tflite": f"model {i}",
            "verdict.json": json.dumps({"passed": passed, "lines": [] if passed else [line]}),
            "metrics.json": json.dumps(
                {
                    "board": {
                        "final": "tflm",
                        "tiers": {"tflm": {"box": {"map50_95": accuracy}}},
                        "drop": {"box": {"map50_95": 1.0}},
                    }
                }
            ),
        }
        for name, text in contents.items():
            inputs[f"{i}.{name}"] = tmp_path / f"{i}.{name}"
            inputs[f"{i}.{name}"].write_text(text)
    out = tmp_path / "out"
    out.mkdir()
    params = search.Params([{"count": n} for n in (1, 2, 3)], ["model.tflite"], ["verdict.json"])
    search.run(params, Work(inputs, out, tmp_path, 1))
    assert (out / "model.tflite").read_text() == "model 1"
    told = json.loads((out / "search.json").read_text())
    assert told["chosen"] == 1
    assert told["tries"][2]["refusals"] == ["arena: 9, demanded 8"]
