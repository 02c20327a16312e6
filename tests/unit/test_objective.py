"""`objective=`: what is read, what is refused, what a model is worth."""

from math import inf, nan

import pytest

from edgemake.errors import UserError
from edgemake.objective import parsed

KNOWN = (
    "board.final.box.map50_95",
    "figures.arena_bytes",
    "figures.flash_bytes",
    "board.tiers.tflm.box.map50_95",
    "board.tiers.tflm.keypoints.map50_95",
)


@pytest.mark.parametrize(
    "word",
    [
        "objective=[board.final.box.map50_95:max,figures.arena_bytes:min]",
        "objective=board.final.box.map50_95:max,figures.arena_bytes:min",
        "objective='[ board.final.box.map50_95 : maximize , figures.arena_bytes:minimize ]'",
    ],
)
def test_several_figures(word: str) -> None:
    goal = parsed(word, KNOWN)
    assert goal.names == KNOWN[:2]
    assert goal.directions == ("maximize", "minimize")
    assert goal.worst == [-inf, inf]
    assert goal.values({KNOWN[0]: 0.5, KNOWN[1]: 3, KNOWN[2]: 9}) == [0.5, 3.0]
    assert str(goal) == "board.final.box.map50_95:max,figures.arena_bytes:min"


def test_one_figure_is_no_list() -> None:
    goal = parsed("objective=figures.arena_bytes:min", KNOWN)
    assert goal.worst == inf
    assert goal.values({"figures.arena_bytes": 7}) == 7.0


@pytest.mark.parametrize("value", [None, nan, inf])
def test_what_is_no_figure_is_worth_nothing(value: float | None) -> None:
    goal = parsed(f"objective={KNOWN[0]}:max,{KNOWN[1]}:min", KNOWN)
    assert goal.values({KNOWN[0]: 0.5, KNOWN[1]: value}) is None
    assert goal.values({KNOWN[0]: 0.5}) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("figures.arena_bytse:min", ["there is no figure", "'figures.arena_bytes'"]),
        ("arena_bytes:min", ["did you mean 'figures.arena_bytes'"]),
        ("arena:min", ["did you mean 'figures.arena_bytes'"]),
        ("map:max", ["did you mean 'board.final.box.map50_95'"]),
        ("mpa50_95:max", ["did you mean 'board.final.box.map50_95'"]),
        ("keypoints.map:max", ["did you mean 'board.tiers.tflm.keypoints.map50_95'"]),
        ("figures.arena_bytes", ["which way", "figures.arena_bytes:max"]),
        ("figures.arena_bytes:", ["which way"]),
        ("figures.arena_bytes:up", ["which way"]),
        (":max", ["there is no figure ''"]),
        ("[]", ["names no figure"]),
        ("", ["names no figure"]),
        ("[figures.arena_bytes:min,figures.arena_bytes:max]", ["twice"]),
    ],
)
def test_what_cannot_be_meant(text: str, words: list[str]) -> None:
    with pytest.raises(UserError) as told:
        parsed(f"objective={text}", KNOWN)
    for word in words:
        assert word in str(told.value)
