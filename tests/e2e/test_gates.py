"""The user's own limits on the main job: a refusal stops delivery and says why, costs no other
step, and leaves what was delivered before as it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from e2e.checkout import Checkout

QUICK = "evaluate.tiers=[cut_onnx,litert]"
"""Without the tiers that take long."""


def executed(project: Checkout, code: int, *arguments: str) -> tuple[list[str], str]:
    """The stages that a build executed, which must end so, and what it said."""
    before = len(project.executions())
    said = project.doit(*arguments)
    assert said.code == code, said.text
    return [line["stage"] for line in project.executions()[before:]], said.text


def rejected(project: Checkout) -> list[Path]:
    """Folders of refused files."""
    return list(project.root.glob("artifacts/grove_v2/*.rejected"))


@pytest.fixture(scope="module")
def measured(workshop: Checkout) -> Checkout:
    """The accuracy is known, so that only gates are left to run."""
    assert workshop.doit("evaluate", QUICK).code == 0
    return workshop


def test_without_a_limit_delivery_waits_for_nothing(measured: Checkout) -> None:
    stages, _ = executed(measured, 0, "quant.calibration.count=13")
    assert not {"predict", "evaluate", "gate", "report"} & set(stages)
    assert "package" in stages


def test_a_failed_limit_says_figure_limit_and_remedy(measured: Checkout) -> None:
    before = measured.kept()[1]
    stages, text = executed(measured, 1, QUICK, "gate.min_map=0.999")
    assert "quantize" not in stages
    assert "predict" not in stages
    assert "gate" in stages
    assert "FAILED deliver" in text
    for word in ("gate.min_map", "mAP50-95 of 0.", "(litert)", "at least 0.999", "train.epochs"):
        assert word in text, text
    after = measured.kept()[1]
    assert before.items() <= after.items(), "the last good deliverable stays as it is"
    [folder] = rejected(measured)
    assert (folder / "model_vela.tflite").stat().st_size > 1_000_000
    assert "gate.min_map" in (folder / "REJECTED.txt").read_text()

    stages, text = executed(measured, 1, QUICK, "gate.min_map=0.999")
    assert stages == [], "the verdict is kept, not reached again"
    assert "at least 0.999" in text


def test_a_limit_that_is_kept_delivers(measured: Checkout) -> None:
    limits = ("gate.min_map=0.05", "gate.max_map_drop=50")
    plan = measured.doit("plan", QUICK, *limits)
    assert plan.code == 0, plan.text
    stages, text = executed(measured, 0, QUICK, *limits)
    assert set(stages) <= {"gate", "report"}
    assert "gate" in stages
    assert "delivered" in text


def test_a_limit_on_the_file_runs_no_network(measured: Checkout) -> None:
    options = ("evaluate.count=3", "gate.max_flash_kib=9999", "gate.min_npu=99")
    stages, _ = executed(measured, 0, *options)
    assert stages == ["gate"]
    stages, text = executed(measured, 1, *options[:1], "gate.max_sram_kib=100")
    assert stages == ["gate"]
    for word in ("gate.max_sram_kib", "KiB of tensor arena", "at most 100", "model.imgsz="):
        assert word in text, text


def test_what_can_never_be_judged_is_refused_before_any_work(measured: Checkout) -> None:
    for options, word in (
        (("gate.min_map=0.5", "evaluate.tiers=[]"), "evaluate.tiers=null"),
        (("gate.min_npu=100", "target=xiao_esp32s3"), "no NPU"),
    ):
        stages, text = executed(measured, 3, *options)
        assert stages == []
        assert word in text


def test_metrics_say_what_the_gate_said(measured: Checkout) -> None:
    [record, *_] = [
        record
        for record in reversed(measured.records("gate"))
        if "max_map_drop" in record["preimage"]["params"]["limits"]
    ]
    folder = measured.root / "artifacts/store/gate" / record["digest"]
    verdict = json.loads((folder / "gate.json").read_text())
    assert verdict["passed"]
    assert [line["rule"] for line in verdict["lines"]] == ["gate.max_map_drop", "gate.min_map"]
    assert all(line["demanded"] and line["found"] for line in verdict["lines"])
