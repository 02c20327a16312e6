"""The same function on many items, in several processes, with a word on how long it still takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

Item = TypeVar("Item")
Found = TypeVar("Found")

OFTEN = 1.0
"""Seconds between two words."""


class WorkerLost(RuntimeError):
    """A process ended without an answer: out of memory, or a crash of what it called."""


def in_processes(
    function: Callable[[Item], Found],
    items: Sequence[Item],
    processes: int,
    tell: Callable[[int, int, str], None],
) -> Iterator[Found]:
    """What `function`, a function of a module or a partial of one, makes of each item, in order.

    `tell` hears how many of how many are done, and how long the rest will take. What the
    function raises comes out here. Raises WorkerLost when a process ends before its time.
    """
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    began = last = time.monotonic()
    context = multiprocessing.get_context("fork")  # no file of the project is read again
    with ProcessPoolExecutor(min(processes, len(items)), context) as pool:
        waiting = [pool.submit(function, item) for item in items]
        try:
            for done, future in enumerate(waiting, 1):
                yield future.result()
                now = time.monotonic()
                if now - last >= OFTEN or done == len(items):
                    tell(done, len(items), left((now - began) / done * (len(items) - done)))
                    last = now
        except BrokenProcessPool:
            raise WorkerLost from None
        finally:
            pool.shutdown(cancel_futures=True)


def left(seconds: float) -> str:
    """For people: '40 s left', '3 min left'."""
    return f"{seconds:.0f} s left" if seconds < 100 else f"{seconds / 60:.0f} min left"
