"""The same function on many items in several processes."""

from __future__ import annotations

import os
import time

import pytest

from vision.workers import WorkerLost, in_processes, left


def half(number: int) -> tuple[float, int]:
    time.sleep(0.02 * (number % 2))
    return number / 2, os.getpid()


def refuse(number: int) -> int:
    if number == 3:
        raise ValueError("three is too many")
    return number


def die(number: int) -> int:
    os._exit(9)


def test_answers_come_in_order_from_other_processes() -> None:
    told: list[tuple[int, int, str]] = []
    found = list(in_processes(half, range(7), 2, lambda *words: told.append(words)))
    assert [value for value, _ in found] == [0, 0.5, 1, 1.5, 2, 2.5, 3]
    processes = {process for _, process in found}
    assert os.getpid() not in processes
    assert len(processes) == 2
    assert told[-1] == (7, 7, "0 s left")


def test_one_item_needs_one_process() -> None:
    assert [value for value, _ in in_processes(half, [5], 8, lambda *_: None)] == [2.5]


def test_a_fault_comes_out_and_ends_the_rest() -> None:
    with pytest.raises(ValueError, match="three is too many"):
        list(in_processes(refuse, range(99), 2, lambda *_: None))


def test_a_process_that_ends_is_told() -> None:
    with pytest.raises(WorkerLost):
        list(in_processes(die, range(3), 2, lambda *_: None))


def test_time_left_is_for_people() -> None:
    assert (left(0.4), left(42.4), left(99.4), left(150)) == (
        "0 s left", "42 s left", "99 s left", "2 min left",
    )  # fmt: skip
