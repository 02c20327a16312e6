"""How far a training is, in words: epoch, losses, accuracy so far, time left."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

HEARTBEAT = 0.5
"""Seconds between two reports."""


@dataclass
class EpochProgress:
    """Turns ultralytics' callbacks into calls of `report(epochs done, epochs, text)`."""

    report: Callable[[float, float, str], None]
    epochs: int
    batch: int = 0
    reported: float = 0.0
    began: tuple[float, float] | None = None
    """Clock and epochs done when this process began to train: a resumed one starts late."""

    def epoch_started(self, trainer: Any) -> None:
        """Counts the batches of the epoch anew."""
        self.batch = 0
        if self.began is None:
            self.began = time.monotonic(), float(trainer.epoch)

    def batch_ended(self, trainer: Any) -> None:
        """Reports, at most every `HEARTBEAT` seconds."""
        self.batch += 1
        now = time.monotonic()
        if self.began is None or now - self.reported < HEARTBEAT:
            return
        self.reported = now
        done = trainer.epoch + self.batch / len(trainer.train_loader)
        rate = (done - self.began[1]) / (now - self.began[0])
        parts = [f"epoch {trainer.epoch + 1}/{self.epochs}", losses(trainer.tloss or {})]
        parts += accuracy(trainer.metrics or {})
        parts.append(time_left((self.epochs - done) / rate))
        self.report(done, self.epochs, ", ".join(parts))


def losses(values: dict[str, Any]) -> str:
    """`box 1.23 cls 0.98 dfl 1.10`."""
    return " ".join(
        f"{name.removesuffix('_loss')} {float(value):.2f}" for name, value in values.items()
    )


def accuracy(metrics: dict[str, Any]) -> list[str]:
    """`mAP50 0.71`, then `keypoints 0.43`: of the last validation; none during the first epoch."""
    found = (("mAP50", "metrics/mAP50(B)"), ("keypoints", "metrics/mAP50(P)"))
    values = [(word, float(metrics.get(key, 0.0))) for word, key in found]
    return [f"{word} {value:.2f}" for word, value in values if value]


def time_left(seconds: float) -> str:
    """`about 3 min left`."""
    if seconds < 90:
        return f"about {max(1, round(seconds / 10)) * 10} s left"
    if seconds < 5400:
        return f"about {round(seconds / 60)} min left"
    return f"about {seconds / 3600:.1f} h left"
