"""The difference of two records, in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edgemake.store import Artifact
from edgemake.why import closest, preimage_changes, record_changes

OLD: dict[str, Any] = {
    "stage": "train",
    "params": {"epochs": 5, "deep": {"a": 1, "list": [1, 2]}, "gone": True},
    "inputs": {"data": "d1"},
    "sources": {"stages.train": "s1", "vision.x": "x1"},
    "toolchain": {"name": "torch", "lock": "l1"},
}


@pytest.mark.parametrize(
    ("part", "value", "words"),
    [
        ("params", {**OLD["params"], "epochs": 6}, ["train.epochs: 5 -> 6"]),
        (
            "params",
            {**OLD["params"], "deep": {"a": 1, "list": [1]}},
            ["train.deep.list: [1, 2] -> [1]"],
        ),
        (
            "params",
            {"epochs": 5, "deep": OLD["params"]["deep"], "new": "x"},
            ["train.gone: True -> nothing", "train.new: nothing -> x"],
        ),
        ("inputs", {"data": "d2"}, ["input data changed"]),
        ("inputs", {"data": "d1", "more": "m"}, ["input more added"]),
        (
            "sources",
            {"stages.train": "s2"},
            ["source stages.train changed", "source vision.x removed"],
        ),
        ("toolchain", {"name": "torch", "lock": "l2"}, ["toolchain torch changed"]),
        ("toolchain", None, ["toolchain torch removed"]),
    ],
)
def test_what_changed(part: str, value: object, words: list[str]) -> None:
    assert preimage_changes(OLD, {**OLD, part: value}) == words


def test_nothing_changed() -> None:
    assert preimage_changes(OLD, OLD) == []


def test_files_and_packages_are_named() -> None:
    new = {**OLD, "inputs": {"data": "d2"}, "toolchain": {"name": "torch", "lock": "l2"}}
    old_record = {
        "preimage": OLD,
        "files": {"data": {"a.txt": "1", "b.txt": "2"}},
        "packages": {"torch": "2.0", "numpy": "1"},
    }
    new_record = {
        "preimage": new,
        "files": {"data": {"a.txt": "1", "b.txt": "3", "c.txt": "4"}},
        "packages": {"torch": "2.1", "numpy": "1"},
    }
    assert record_changes(old_record, new_record) == [
        "input data: b.txt changed",
        "input data: c.txt added",
        "toolchain torch: torch 2.0 -> 2.1",
    ]


def test_many_files_are_counted() -> None:
    new = {**OLD, "inputs": {"data": "d2"}}
    old_record = {"preimage": OLD, "files": {"data": {"0": "x"}}}
    new_record = {"preimage": new, "files": {"data": {str(i): "y" for i in range(9)}}}
    lines = record_changes(old_record, new_record)
    assert len(lines) == 6
    assert lines[-1] == "input data: and 4 more files"


def test_the_nearest_and_among_equals_the_latest() -> None:
    def artifact(finished: float, label: str = "n", **params: object) -> Artifact:
        preimage = {**OLD, "params": {**OLD["params"], **params}}
        return Artifact(Path(), {"preimage": preimage, "finished": finished, "label": label})

    far, near, later = artifact(9, epochs=1, x=1), artifact(1, epochs=2), artifact(2, epochs=3)
    assert closest([far, near, later], OLD, "n") is later
    assert closest([], OLD, "n") is None
    other = artifact(3, "another tier")
    assert closest([other, far], OLD, "n") is far
    assert closest([other, far], OLD, "unheard of") is other
