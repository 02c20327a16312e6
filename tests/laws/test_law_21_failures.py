"""Guarantee 21: failures leave logs and scratch, never outputs; refusals are kept verdicts."""

from __future__ import annotations

import pytest
from lab import Lab


def test_a_crash_leaves_log_and_scratch_only(fresh: Lab) -> None:
    fresh.behave("choose", "print('before the end')", "raise RuntimeError('broken')")
    said = fresh.doit()
    assert said.code == 1
    assert "FAILED choose: RuntimeError: broken" in said.text
    assert "doit log choose" in said.text
    assert "Traceback" not in said.text
    log = fresh.doit("log", "choose").text
    assert "before the end" in log
    assert "Traceback" in log
    assert "failed: RuntimeError: broken" in log
    assert [p.parent.name for p in fresh.artifacts()] == ["source"]
    assert fresh.deliverables() == []
    assert list(fresh.root.glob("artifacts/.scratch/choose-*"))
    fresh.check_sound()
    assert fresh.doit().code == 1, "a failure is tried again"
    fresh.behave("choose")
    assert fresh.build() == ["choose", "pack"]


def test_the_log_tells_how_long_a_failure_took(fresh: Lab) -> None:
    fresh.behave("choose", "import time", "time.sleep(0.3)", "raise RuntimeError('broken')")
    assert fresh.doit().code == 1
    (line,) = fresh.executions("failed")
    assert line["stage"] == "choose"
    assert 0.3 <= line["seconds"] < 10


def test_a_failure_is_noted_before_another_build_goes_on(fresh: Lab) -> None:
    """Two builds of one failing step, one after the other by its lock: each finds its own log."""
    fresh.behave("choose", "import time", "time.sleep(0.5)", "raise RuntimeError('broken')")
    fresh.build("source")
    builds = [fresh.start(), fresh.start()]
    for build in builds:
        text, _ = build.communicate(timeout=30)
        assert build.returncode == 1
        assert "RuntimeError: broken" in text
    assert len(fresh.executions("failed")) == 2
    assert "failed: RuntimeError: broken" in fresh.doit("log", "choose").text


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_independent_branches_go_on(fresh: Lab, workers: tuple[str, ...]) -> None:
    fresh.behave("choose", "assert params.count != 8, 'not eight'")
    said = fresh.doit(*workers, "--continue", "more=[9,10]")
    assert said.code == 1
    assert "AssertionError: not eight" in said.text
    assert sorted(name[:6] for name in fresh.delivered()) == ["toy-10", "toy-9-"]
    assert "not tried" in said.text


def test_kept_scratch_is_bounded(fresh: Lab) -> None:
    fresh.behave("choose", "raise RuntimeError('broken')")
    assert fresh.doit("--continue", f"more={list(range(20, 31))}".replace(" ", "")).code == 1
    kept = list(fresh.root.glob("artifacts/.scratch/*"))
    assert len(kept) == 10
    last = fresh.executions("failed")[-1]["step"].removeprefix("choose:n")
    assert "broken" in fresh.doit("log", "choose", f"count={last}").text


def test_a_refusal_is_a_kept_verdict(fresh: Lab) -> None:
    said = fresh.doit("limit=3")
    assert said.code == 1
    assert "the board would refuse this model" in said.text
    assert "at most 3. choose fewer words" in said.text
    assert len(fresh.executions()) == 3
    again = fresh.doit("limit=3")
    assert again.code == 1
    assert "at most 3" in again.text
    assert len(fresh.executions()) == 3, "the verdict was computed again"
    assert fresh.deliverables() == []
    (rejected,) = fresh.root.glob("artifacts/board/*.rejected")
    assert (rejected / "model.txt").exists()
    assert "at most 3" in (rejected / "REJECTED.txt").read_text()


def test_a_refusal_names_who_refuses(fresh: Lab) -> None:
    fresh.edit("stages/pack.py", '{"passed": passed,', '{"who": "your gates", "passed": passed,')
    said = fresh.doit("limit=3")
    assert said.code == 1
    assert "your gates would refuse this model" in said.text
    assert "your gates demand at most 3. choose fewer words" in said.text


def test_the_last_good_deliverable_stays(fresh: Lab) -> None:
    fresh.build()
    good = fresh.delivered()
    fresh.edit("stages/pack.py", 'len(text) <= params["limit"]', "False")
    said = fresh.doit()
    assert said.code == 1
    assert "The last good deliverable is untouched" in said.text
    assert fresh.delivered() == good
    fresh.edit("stages/pack.py", "False", 'len(text) <= params["limit"]')
    assert fresh.build() == []
    assert fresh.delivered() == good
    assert not list(fresh.root.glob("artifacts/board/*.rejected"))


def test_one_refusal_does_not_stop_the_others(fresh: Lab) -> None:
    said = fresh.doit("--continue", "limit=40", "more=[2,3]", "count=100")
    assert said.code == 1
    assert len(fresh.delivered()) == 2
