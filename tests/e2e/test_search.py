"""quant.search on the real chain: every try is a normal step, the best is delivered."""

from __future__ import annotations

import pytest

from e2e.checkout import Checkout, Delivered, read

TRIED = ("quant.search.count=[8,16]", "evaluate.count=20")


@pytest.fixture(scope="module")
def found(workshop: Checkout) -> Delivered:
    return workshop.deliver(*TRIED)


def test_all_are_measured_and_the_most_accurate_is_delivered(found: Delivered) -> None:
    told = read(found.path / "search.json")
    assert [tried["quant"] for tried in told["tries"]] == [{"count": 8}, {"count": 16}]
    assert all(tried["passed"] for tried in told["tries"])
    reached = [tried["map50_95"]["box"] for tried in told["tries"]]
    assert min(reached) > 0.3
    assert reached[told["chosen"]] == max(reached)
    assert "int8_searched" in found.path.name
    assert f"count={8 * (1 + told['chosen'])} is the best of 2" in found.said


def test_the_files_are_those_of_the_best(found: Delivered, workshop: Checkout) -> None:
    told = read(found.path / "search.json")
    best = told["tries"][told["chosen"]]["quant"]["count"]
    assert read(found.path / "calibration.json")["count"] == best
    began = len(workshop.executions())
    plain = workshop.deliver(f"quant.calibration.count={best}")
    assert [line["stage"] for line in workshop.executions()[began:]] == ["package"]
    for name in ("model_vela.tflite", "model_int8.tflite", "calibration.txt"):
        assert (found.path / name).read_bytes() == (plain.path / name).read_bytes(), name


def test_the_same_search_runs_nothing(found: Delivered, workshop: Checkout) -> None:
    assert workshop.build(*TRIED) == []
