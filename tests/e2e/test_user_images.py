"""Calibration with the user's own images: nothing of the model's making runs again."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.checkout import AFTER_CALIBRATION, Checkout, Delivered, demand_pixels, picture


@pytest.fixture(scope="module")
def grey(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of flat grey pictures: the worst that can be calibrated with."""
    folder = tmp_path_factory.mktemp("images") / "graue Bilder, größer"
    for i in range(4):
        picture(folder / f"grau {i}.png", 64 + 16 * i)
    return folder


def _with(folder: Path) -> str:
    return f'quant.calibration.source="{folder}"'


def test_flat_grey_images_leave_the_input_as_it_must_be(workshop: Checkout, grey: Path) -> None:
    began = len(workshop.executions())
    delivered = workshop.deliver(_with(grey))
    ran = [line["stage"] for line in workshop.executions()[began:]]
    assert ran == AFTER_CALIBRATION
    demand_pixels(delivered)
    report = delivered.json("calibration", "calibration.json")
    assert [image["name"] for image in report["images"]] == [f"grau {i}.png" for i in range(4)]
    assert "only 4 found" in report["warnings"][0]
    assert delivered.json("compile", "vela.json")["npu_percent"] == 100


def test_law_7_one_changed_image_runs_what_depends_on_it(workshop: Checkout, grey: Path) -> None:
    workshop.deliver(_with(grey))
    changed = grey / "grau 2.png"
    before = changed.read_bytes()
    picture(changed, 96, b"\xe0\x20\x40", (10, 10, 90, 60))
    told = workshop.doit("why", "calibration", _with(grey))
    assert "will run because" in told.text
    assert f"{changed} changed" in told.text
    snapshot = workshop.snapshot()
    planned = workshop.doit("plan", _with(grey), environment={"PYTHONDONTWRITEBYTECODE": "1"})
    assert planned.code == 0
    assert workshop.snapshot() == snapshot
    assert workshop.build(_with(grey)) == AFTER_CALIBRATION
    changed.write_bytes(before)
    assert workshop.build(_with(grey)) == []


def test_law_7_another_seed_runs_the_same(workshop: Checkout, chain: Delivered) -> None:
    seed = "quant.calibration.seed=1"
    told = workshop.doit("why", "calibration", seed)
    assert "calibration.seed: 0 -> 1" in told.text
    delivered = workshop.deliver(seed)
    ran = [line["stage"] for line in workshop.executions()][-len(AFTER_CALIBRATION) :]
    assert ran == AFTER_CALIBRATION
    assert delivered.path.name != chain.path.name
    for stage in ("dataset", "train", "export", "head", "convert"):
        assert delivered.records[stage]["digest"] == chain.records[stage]["digest"]
