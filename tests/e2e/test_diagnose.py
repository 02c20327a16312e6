"""Where the loss is: a sound model is called sound, and what is wrong is found and named."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from e2e.checkout import ROOT, Checkout, Delivered, answer, picture, read
from e2e.conftest import BASE
from vision.findings import BAD_DB, LOOK_DB

K1 = ("target=spacemit_k1", *BASE[1:])


def diagnosed(project: Checkout, *overrides: str, stage: str = "diagnose") -> Path:
    """The artifact of the diagnosis, built if it is not there."""
    said = project.doit(stage, *overrides)
    assert said.code == 0, said.text
    name = re.search(rf"- {stage}:(\S+)", project.doit("info", stage, *overrides).text)
    assert name is not None
    return project.root / "artifacts" / stage / name[1]


@pytest.fixture(scope="module")
def sound(chain: Delivered) -> Path:
    """The main job's."""
    return diagnosed(Checkout(ROOT, BASE))


def levels(diagnosis: dict[str, Any]) -> set[str]:
    return {finding["level"] for finding in diagnosis["findings"]}


def middles(diagnosis: dict[str, Any], judged: str = "val") -> dict[tuple[str, Any], float]:
    """(branch, stride) -> its middle activation, decibels."""
    found: dict[tuple[str, Any], list[float]] = {}
    for row in diagnosis["tensors"]:
        if row["snr_db"][judged] is not None:
            found.setdefault((row["branch"], row["stride"]), []).append(row["snr_db"][judged])
    return {place: median(values) for place, values in found.items()}


def test_the_reckoning_is_right(chain: Delivered) -> None:
    toolchain = chain.records["dataset"]["preimage"]["toolchain"]
    data = chain.file("dataset", "data")
    found = answer(toolchain, "diagnosis_arithmetic.py", data)
    assert found["cases"] == 600
    assert found["colours"] == {"same": False, "swapped": True, "both": False, "balanced": None}
    assert found["counted"] == {"stretch": [3, 1, 1, 0], "letterbox": [3, 1, 1, 0]}


def test_a_sound_model_is_called_sound(sound: Path) -> None:
    diagnosis = read(sound / "diagnosis.json")
    assert levels(diagnosis) == {"good"}, diagnosis["findings"]
    assert min(middles(diagnosis).values()) > LOOK_DB
    assert diagnosis["images"] == {"calibration": 16, "val": 16}
    assert "good: nothing stands out" in (sound / "log.txt").read_text(encoding="utf-8")


def test_every_part_of_the_network_is_there(sound: Path) -> None:
    diagnosis = read(sound / "diagnosis.json")
    branches = {(branch, stride) for branch in ("box", "class") for stride in (8, 16, 32)}
    assert set(middles(diagnosis)) == branches | {("backbone", None), ("neck", None)}
    rows = diagnosis["tensors"]
    kinds = Counter(row["kind"] for row in rows)
    assert kinds["CONV_2D"] == 63 == sum("weights_db" in row for row in rows)
    for row in rows:
        head = re.match(r"model\.22\.cv([23])\.([012])\.", row["layer"])
        part = ("box", "class")[int(head[1]) - 2] if head else None
        assert (row["branch"] in ("box", "class")) == (head is not None), row
        assert part in (None, row["branch"])
        assert head is None or row["stride"] == 8 << int(head[2])
    ratios = [row["snr_db"]["val"] for row in rows]
    assert ratios == sorted(ratios)
    assert all(0 <= row["clipped"]["val"] < 0.02 for row in rows)


def test_outputs_are_judged_by_the_firmwares_threshold(sound: Path) -> None:
    outputs = read(sound / "diagnosis.json")["outputs"]
    names = [f"{role}_{stride}" for role in ("box", "class") for stride in (8, 16, 32)]
    assert [output["name"] for output in outputs] == names
    for output in outputs:
        boxes = output["role"] == "box"
        assert (output["largest_score"] is None) == boxes
        assert (output["channels_over_range"] is not None) == boxes
        assert output["threshold"] == (None if boxes else 0.3)
    assert max(output["largest_score"] or 0 for output in outputs) > 0.9


def test_the_calibration_images_are_looked_at(sound: Path) -> None:
    seen = read(sound / "diagnosis.json")["calibration"]
    assert (seen["count"], seen["black"], seen["duplicates"]) == (128, 0, 0)
    assert (seen["lowest"], seen["highest"]) == (0, 255)
    assert 0 < seen["histogram_distance"] < 0.1
    for name in ("calibration", "val"):
        assert [sum(row) for row in seen["histogram"][name]] == pytest.approx([1, 1, 1], abs=1e-3)


def test_it_says_the_same_again(sound: Path) -> None:
    before = (sound / "diagnosis.json").read_bytes()
    project = Checkout(ROOT, BASE)
    assert project.doit("forget", "diagnose").code == 0
    assert (diagnosed(project) / "diagnosis.json").read_bytes() == before
    assert project.executions()[-1]["stage"] == "diagnose"


def test_black_images_are_found_and_blamed(sound: Path, tmp_path: Path) -> None:
    for i in range(12):
        picture(tmp_path / f"dark/{i}.png", 64, bytes((i, i, i)), (0, 0, 64, 64))
    made = diagnosed(Checkout(ROOT, BASE), f"quant.calibration.source={tmp_path / 'dark'}")
    diagnosis = read(made / "diagnosis.json")
    bad = [finding for finding in diagnosis["findings"] if finding["level"] == "bad"]
    assert bad[0]["what"] == "12 of 12 calibration images show nothing"
    assert "quant.calibration.source=train" in bad[0]["try"]
    [box] = [finding for finding in bad if finding["what"].startswith("box branch")]
    assert box["try"] == "try quant.calibration.source=train quant.calibration.count=128"
    assert min(middles(diagnosis).values()) < BAD_DB
    assert min(middles(diagnosis, "calibration").values()) > BAD_DB
    assert any("validation split" in finding["what"] for finding in diagnosis["findings"])
    assert str(tmp_path) not in (made / "diagnosis.json").read_text(encoding="utf-8")


def test_the_onnx_board(chain: Delivered) -> None:
    made = diagnosed(Checkout(ROOT, K1), stage="diagnose_onnx")
    diagnosis = read(made / "diagnosis.json")
    assert levels(diagnosis) == {"good"}, diagnosis["findings"]
    assert {row["layer"] for row in diagnosis["tensors"]} >= {"model.0", "model.22.cv3.2.2"}
    assert {output["name"] for output in diagnosis["outputs"]} == {
        f"{role}_{stride}" for role in ("box", "class") for stride in (8, 16, 32)
    }
    assert all(output["scale"] > 0 for output in diagnosis["outputs"])


def test_scores_beside_pixels_are_found(chain: Delivered) -> None:
    project = Checkout(ROOT, K1)
    made = diagnosed(project, "quant.truncate=false", stage="diagnose_onnx")
    [finding, *_] = read(made / "diagnosis.json")["findings"]
    assert (finding["level"], finding["what"]) == (
        "bad",
        "the scores in output0 have no steps left",
    )
    assert "quant.truncate=true" in finding["try"]
