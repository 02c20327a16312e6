"""Guarantee 16: every rebuild says why, down to the leaf, the file or the module."""

from __future__ import annotations

import pytest
from lab import Lab


def _reasons(lab: Lab, *arguments: str) -> dict[str, str]:
    before = len(lab.executions())
    lab.build(*arguments)
    return {line["stage"]: "; ".join(line["why"]) for line in lab.executions()[before:]}


@pytest.mark.parametrize(
    ("ask", "stage", "reason"),
    [
        ("seed=5", "source", "source.seed: 0 -> 5"),
        ("seed=5", "choose", "input numbers changed"),
        ("count=5", "choose", "choose.count: 8 -> 5"),
        ("limit=7000", "pack", "pack.limit: 1000 -> 7000"),
        ("sleep.source=0.01", "source", "source.sleep: 0.0 -> 0.01"),
    ],
)
def test_a_leaf(built: Lab, ask: str, stage: str, reason: str) -> None:
    assert _reasons(built, ask)[stage] == reason


def test_two_leaves(built: Lab) -> None:
    said = _reasons(built, "seed=5", "sleep.source=0.01")["source"]
    assert said == "source.seed: 0 -> 5; source.sleep: 0.0 -> 0.01"


def test_a_file(built: Lab) -> None:
    built.write("input.txt", "new words")
    assert _reasons(built) == {
        "source": "input text changed",
        "choose": "input numbers changed",
        "pack": "input chosen changed",
    }


def test_a_module(built: Lab) -> None:
    built.edit("stages/choose.py", "i % len(words)", "(i + 0) % len(words)")
    assert _reasons(built) == {"choose": "source stages.choose changed"}


def test_the_nearest_artifact_is_compared_not_the_latest(built: Lab) -> None:
    built.build("count=5", "sleep.choose=0.01")
    assert _reasons(built, "sleep.choose=0.02")["choose"] == "choose.sleep: 0.0 -> 0.02"


def test_why_and_plan_say_it_before_anything_runs(built: Lab) -> None:
    for command in (("why", "choose"), ("plan",)):
        said = built.doit(*command, "count=5")
        assert said.code == 0
        assert "choose.count: 8 -> 5" in said.text
    assert len(built.executions()) == 3


def test_the_build_and_its_record_say_it(built: Lab) -> None:
    said = built.doit("count=5")
    assert "choose.count: 8 -> 5" in said.text
    assert built.records("choose")[-1]["why"] == ["choose.count: 8 -> 5"]
    assert "choose.count: 8 -> 5" in built.doit("why", "choose", "count=5").text
