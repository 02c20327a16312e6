"""How the points of a sweep end, and what a program makes of it when all has run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from lab import Lab, Said
from results import with_result

COUNTS = "count=1,2,3,4"


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """The toy project with a conclusion; `choose` fails of three words, more than 15 letters are
    refused."""
    made = Lab.make(tmp_path / "toy")
    with_result(made)
    made.behave("choose", "if params.count == 3: raise ValueError('three is too many')")
    return made


def told(said: Said) -> tuple[list[list[Any]], dict[str, str]]:
    """The endings, and the files that were there."""
    [line] = [line for line in said.text.splitlines() if line.startswith("[[[")]
    endings, files = json.loads(line)
    return endings, files


def ran(said: Said) -> list[float]:
    [line] = [line for line in said.text.splitlines() if line.startswith("ran ")]
    found: list[float] = json.loads(line.removeprefix("ran "))
    return found


def test_every_point_is_told_how_it_ended(lab: Lab) -> None:
    said = lab.doit("-m", COUNTS, "limit=15")
    assert said.code == 1, said.text
    endings, files = told(said)
    assert [[point, word, at] for point, word, at, *_ in endings] == [
        [["count=1"], "delivered", ""],
        [["count=2"], "delivered", ""],
        [["count=3"], "failed", "choose"],
        [["count=4"], "refused", "length"],
    ]
    assert "three is too many" in endings[2][3]
    assert "choose fewer words" in endings[3][3]
    assert str(lab.root) not in json.dumps(endings)
    assert endings[2][4] is None
    assert endings[3][4].endswith(".rejected")
    assert files["0.model"] == "UN\n"
    assert sorted(files) == ["0.model", "1.model", "3.model"]
    assert [took > 0 for took in ran(said)] == [True] * 4  # of the failed one: its source


def test_a_point_that_cannot_be_planned_comes_last(lab: Lab) -> None:
    said = lab.doit("-m", "--continue", "count=many,1")
    endings, _ = told(said)
    assert [(point, word) for point, word, *_ in endings] == [
        (["count=1"], "delivered"), (["count=many"], "not planned")]  # fmt: skip
    assert "count: expected `int`" in endings[1][3]
    assert said.code == 1, said.text


def test_nothing_changed_nothing_runs(lab: Lab) -> None:
    first = lab.doit("-m", "count=1,2")
    assert first.code == 0, first.text
    before = lab.executions(None)
    again = lab.doit("-m", "count=1,2")
    assert told(again) == told(first)
    assert ran(again) == [0, 0]
    assert lab.executions(None) == before
    assert before[-1]["stage"] == "gather"


def test_a_failed_point_that_is_mended_changes_the_result(lab: Lab) -> None:
    lab.doit("-m", COUNTS)
    lab.behave("choose")
    said = lab.doit("-m", COUNTS)
    assert said.code == 0, said.text
    assert [word for _, word, *_ in told(said)[0]] == ["delivered"] * 4


@pytest.mark.parametrize("limit", ["", "limit=5"])
def test_what_is_made_of_it_may_fail_and_takes_nothing_away(lab: Lab, limit: str) -> None:
    lab.edit("stages/gather.py", "    files = {", "    raise ValueError('no ink')\n    files = {")
    said = lab.doit("-m", "count=1,2", *([limit] if limit else []))
    assert said.code == 1, said.text
    assert "FAILED sweep: " in said.text
    assert "delivered" in said.text
    assert "no ink" in said.text
    assert len(lab.deliverables()) == (1 if limit else 2)


def test_an_appendix_that_fails_is_told_of_a_delivered_point(lab: Lab) -> None:
    lab.behave(
        "tally", "if len(work.inputs['model'].read_text().split()) == 2: raise ValueError('x')"
    )
    said = lab.doit("-m", "count=1,2", "proof=after")
    endings, _ = told(said)
    assert [(word, at) for _, word, at, *_ in endings] == [
        ("delivered", ""),
        ("delivered", "tally"),
    ]
    assert said.code == 1, said.text


def test_points_that_are_the_same_model_lie_in_one_place(lab: Lab) -> None:
    said = lab.doit("-m", "text=input.txt,./input.txt", "proof=after")
    assert said.code == 0, said.text
    assert [ending[1] for ending in told(said)[0]] == ["delivered"] * 2
    stages = sorted(line["stage"] for line in lab.executions() if line["stage"] != "gather")
    assert stages == ["choose", "pack", "source", "tally"]
    [place] = lab.deliverables()
    assert "8 words" in (place / "report.txt").read_text()
    assert lab.build("-m", "text=input.txt,./input.txt", "proof=after") == []


def test_an_order_that_makes_no_sense_stops_before_work(lab: Lab) -> None:
    for words in (["-m", "--sort", "cuont"], ["deliver", "-m", "--sort=cuont"], ["--sort=count"]):
        value = "count=1,2" if "-m" in words else "count=1"
        said = lab.doit(*words, value)
        assert said.code == 3, said.text
        assert "--sort" in said.text
    assert lab.executions(None) == []
    assert lab.doit("deliver", "-m", "--sort", "count", "count=1,2").code == 0


def test_only_what_delivers_is_concluded(lab: Lab) -> None:
    said = lab.doit("source", "-m", "count=1,2")
    assert said.code == 0, said.text
    assert [line["stage"] for line in lab.executions()] == ["source"]
    assert lab.doit("count=1").code == 0
    assert "gather" not in {line["stage"] for line in lab.executions()}


def test_garbage_collection_keeps_the_last_result(lab: Lab) -> None:
    lab.doit("-m", "count=1,2")
    assert lab.doit("gc").code == 0
    before = lab.executions(None)
    assert lab.doit("-m", "count=1,2").code == 0
    assert lab.executions(None) == before
