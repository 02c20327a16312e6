"""What a terminal shows of a sweep, and the order of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from compare_files import entry, metrics, model
from hypothesis import given
from hypothesis import strategies as some

from edgemake.errors import UserError
from stages.pipeline_sweep import hand_out
from stages.sweep_table import MOST, check, lines, ordered
from vision.sweep_figures import place_of, swept, table_csv

BOARDS = ("grove_v2", "xiao_esp32s3")
COUNTS = (64, 16, 128)


def point(*words: str, **told: Any) -> dict[str, Any]:
    ended = {
        "outcome": "delivered", "at": "", "message": "", "folder": "grove_v2/toy",
        "report": False, "seconds": 1.0,
    }  # fmt: skip
    return {"point": list(words), **ended, **told}


def found() -> dict[str, Any]:
    """Six points on two boards, the last but one refused, the last failed."""
    points = [point(f"target={b}", f"quant.calibration.count={c}") for b in BOARDS for c in COUNTS]
    points[4] |= {"outcome": "refused", "at": "arena", "message": "too large"}
    points[5] |= {"outcome": "failed", "at": "convert", "message": "no", "folder": ""}
    entries = {
        i: entry(0.5 + i / 100, latency_ms=None if i > 2 else 30.0 - i, target=BOARDS[i // 3])
        for i in range(5)
    }
    entries[4]["model"]["contract"]["passed"] = False
    return swept(points, entries)


def rows(order: str = "", **options: Any) -> list[list[str]]:
    """The table's rows in words; `ran` is the point's number in seconds."""
    told = lines(found(), [1.0, 2.0, 3.0, 0.0, 5.0, 6.0], order, **options)
    return [line.split() for line in told if line.strip()[:1].isdigit()]


def numbers(order: str) -> list[int]:
    return [int(row[0]) for row in rows(order)]


def test_a_row_a_point() -> None:
    assert rows()[0] == ["1", "grove_v2", "64", "delivered", "0.500", "1.00", "30.0", "293.0",
                         "2,790.5", "1.0"]  # fmt: skip
    assert rows()[2][4] == "0.520"
    assert rows()[3][-1] == "–"
    assert rows()[4][3:6] == ["refused:", "arena", "0.540"]
    assert rows()[5][3:] == ["failed", "at", "convert", "–", "–", "–", "–", "–", "6.0"]


def test_the_best_are_marked_and_it_fits() -> None:
    told = list(lines(found(), [0.0] * 6))
    assert max(map(len, told)) <= 100
    assert "\x1b" not in "".join(told)
    [best] = [line.split() for line in told if "0.530*" in line]
    assert best[0] == "4"
    assert "- Pareto front, mAP50-95 of boxes against latency, ms: 3" in told


@pytest.mark.parametrize(
    ("order", "wanted"),
    [
        ("", [1, 2, 3, 4, 5, 6]),
        ("map", [1, 2, 3, 4, 5, 6]),
        ("-map", [5, 4, 3, 2, 1, 6]),
        ("box_map50_95", [1, 2, 3, 4, 5, 6]),
        ("latency", [3, 2, 1, 4, 5, 6]),
        ("-latency", [1, 2, 3, 4, 5, 6]),
        ("count", [2, 5, 1, 4, 3, 6]),
        ("-quant.calibration.count", [3, 6, 1, 4, 2, 5]),
        ("target", [1, 2, 3, 4, 5, 6]),
        ("-target", [4, 5, 6, 1, 2, 3]),
        ("-point", [6, 5, 4, 3, 2, 1]),
        ("outcome", [1, 2, 3, 4, 6, 5]),
        ("-ran", [6, 5, 3, 2, 1, 4]),
    ],
)
def test_any_column_sorts(order: str, wanted: list[int]) -> None:
    assert numbers(order) == wanted


def test_a_column_that_is_not_shown_is_when_it_sorts() -> None:
    text = "\n".join(lines(found(), [0.0] * 6, "-precision"))
    assert "precision" in text
    assert "precision" not in "\n".join(lines(found(), [0.0] * 6))


@given(some.lists(some.none() | some.floats(allow_nan=False) | some.text(max_size=3)))
def test_what_has_no_value_comes_last(values: list[Any]) -> None:
    told = [{"values": {}, "figures": {"x": v}, "n": i} for i, v in enumerate(values)]
    for last_first in (False, True):
        got = [row["figures"]["x"] for row in ordered(told, "x", last_first=last_first)]
        known = [value for value in got if value not in (None, "")]
        assert got[: len(known)] == known
        keys = [place_of(value) for value in known]
        assert keys == sorted(keys, reverse=last_first)


POINTS = [("target=a", "quant.calibration.count=16"), ("target=b", "quant.calibration.count=32")]


@pytest.mark.parametrize(
    "order",
    ["", "map", "-map", "latency", "size", "ran", "target", "-count", "quant.calibration.count",
     "precision", "outcome", "point", "seconds", "arena_kib"],
)  # fmt: skip
def test_columns_that_there_are(order: str) -> None:
    check(order, POINTS)


@pytest.mark.parametrize(
    ("order", "hint"),
    [("latncy", "'latency'"), ("-coutn", "'count'"), ("mAP", "for instance map"), ("-", "for inst"),
     ("targt", "'target'"), ("quant.calibration.cuont", "'quant.calibration.count'")],
)  # fmt: skip
def test_others_are_refused_with_the_nearest(order: str, hint: str) -> None:
    with pytest.raises(UserError, match="has no column") as told:
        check(order, POINTS)
    assert hint in str(told.value)
    assert f"--sort {order}: " in str(told.value)


def test_of_very_many_points_the_first_are_told() -> None:
    many = swept([point(f"seed={i}") for i in range(MOST + 5)], {})
    told = list(lines(many, [0.0] * (MOST + 5), "-seed"))
    assert "and 5 more points" in told
    assert [line.split()[1] for line in told if "delivered" in line][:2] == ["104", "103"]


def test_poses_and_boxes_have_columns_of_their_own() -> None:
    pose = {"model": model(task="pose"), "metrics": metrics(0.7, keypoints=0.4)}
    told = list(lines(swept([point("a=1"), point("a=2")], {0: entry(0.5), 1: pose}), [0.0, 0.0]))
    assert "keypoints map" in told[0]
    assert "box map" in told[0]


# handing out


def artifact(folder: Path) -> Path:
    folder.mkdir()
    (folder / "sweep.json").write_text(json.dumps(found()))
    (folder / "sweep.csv").write_text(table_csv(found()))
    (folder / "sweep.html").write_text("<!doctype html>")
    for file in folder.iterdir():
        file.chmod(0o444)
    return folder


def test_it_is_handed_out_again_and_again(tmp_path: Path) -> None:
    made, place = artifact(tmp_path / "made"), tmp_path / "artifacts/sweeps/count-12345678"
    for _ in range(2):
        told = list(hand_out(place, [0.0] * 6, "", made))
    assert told[-1].strip() == (
        "wrote artifacts/sweeps/count-12345678/sweep.html, sweep.csv and sweep.json"
    )
    assert "  1  artifacts/grove_v2/toy/" in told
    assert not any(line.startswith("  6  artifacts") for line in told)  # it failed
    assert sorted(path.name for path in place.iterdir()) == [
        "sweep.csv", "sweep.html", "sweep.json"]  # fmt: skip
    assert all(path.stat().st_mode & 0o200 for path in place.iterdir())


def test_what_people_put_beside_it_stays(tmp_path: Path) -> None:
    made, place = artifact(tmp_path / "made"), tmp_path / "artifacts/sweeps/x"
    list(hand_out(place, [0.0] * 6, "", made))
    (place / "notes.txt").write_text("mine")
    list(hand_out(place, [0.0] * 6, "", made))
    assert (place / "notes.txt").read_text() == "mine"


def test_a_place_that_cannot_be_written_to(tmp_path: Path) -> None:
    made = artifact(tmp_path / "made")
    (tmp_path / "artifacts").touch()
    with pytest.raises(UserError, match="make it writable"):
        list(hand_out(tmp_path / "artifacts/sweeps/x", [0.0] * 6, "", made))
