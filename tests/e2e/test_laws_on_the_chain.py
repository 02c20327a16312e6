"""Guarantees 2, 3, 9 and 17 on the real stages, where a step takes seconds."""

from __future__ import annotations

import os
import signal
import time

from e2e.checkout import AFTER_CALIBRATION, Checkout, Delivered

OTHER = "quant.calibration.count=12"


def test_laws_2_and_3_a_kill_tears_nothing_and_loses_no_finished_step(
    workshop: Checkout, chain: Delivered
) -> None:
    first = chain.model
    began = len(workshop.executions())
    process = workshop.start(*workshop.base, OTHER, "deliver")
    workshop.wait_until("quantize-*/work", process)
    time.sleep(1)  # in the middle of it
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert not workshop.wait_until_alone(2)
    assert [line["stage"] for line in workshop.executions()[began:]] == ["calibration"]

    assert workshop.deliver().model == first
    assert [line["stage"] for line in workshop.executions()[began:]] == ["calibration"]

    workshop.deliver(OTHER)
    ran = [line["stage"] for line in workshop.executions()[began:]]
    assert ran == AFTER_CALIBRATION


def test_law_9_a_comment_runs_nothing(workshop: Checkout) -> None:
    workshop.edit("stages/quantize.py", "    import numpy as np\n", "    import numpy as np  # x\n")
    assert workshop.build() == []
    workshop.edit("stages/quantize.py", "    import numpy as np  # x\n", "    import numpy as np\n")


def test_law_9_code_to_the_same_effect_runs_its_stage_alone(workshop: Checkout) -> None:
    workshop.edit("stages/quantize.py", "LEVELS = 255\n", "LEVELS = 254 + 1\n")
    told = workshop.doit("plan").text.splitlines()
    try:
        assert any(line.split()[:2] == ["run", "quantize"] for line in told), told
        assert any(line.split()[:3] == ["may", "run", "compile"] for line in told), told
        assert workshop.build() == ["quantize"]
        assert workshop.build() == []
    finally:
        workshop.edit("stages/quantize.py", "LEVELS = 254 + 1\n", "LEVELS = 255\n")
    assert workshop.build() == []


def test_law_17_the_plan_of_another_model_writes_nothing(workshop: Checkout) -> None:
    before = workshop.snapshot()
    told = workshop.doit(
        "plan", "train.epochs=3", environment={"PYTHONDONTWRITEBYTECODE": "1"}
    ).text.splitlines()
    assert workshop.snapshot() == before
    words = {line[9:].split()[0]: line[:8].strip() for line in told[:-1]}
    assert words["dataset"] == words["calibration"] == "reuse"
    assert words["train"] == "run"
    assert words["export"] == words["quantize"] == words["package"] == "may run"
