"""How many steps of one build are under way at once."""

from __future__ import annotations

from threading import Semaphore

MOST_WAITING = 500
"""GPU steps of one build that wait side by side; a thread each."""


class Places:
    """One place for each of `-n N` steps, and beside them one for each GPU of this machine.

    A step that waits for a GPU would otherwise have the place of one that could run.
    """

    def __init__(self, workers: int, gpus: int) -> None:
        self._plain, self._gpu = Semaphore(max(1, workers)), Semaphore(max(1, gpus))
        self._workers, self._gpus = workers, gpus

    def of(self, gpu: str) -> Semaphore:
        """Where a step that needs this `gpu` (as in `Needs`) waits for its place."""
        return self._gpu if gpu and self._apart else self._plain

    def threads(self, gpu_steps: int) -> int:
        """How many of the build's steps must be able to wait at once, so that `-n N` run."""
        return self._workers + (min(gpu_steps, MOST_WAITING) if self._apart else 0)

    @property
    def _apart(self) -> bool:
        return self._gpus > 0 and self._workers > 1
