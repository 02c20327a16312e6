"""How far int8 values lie from the float ones they stand for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vision.decode import Floats

MOST_DB = 99.9
"""Stands for no error at all."""
MAGNITUDES = 127
"""Largest integer of a symmetric 8-bit range."""
OUTLIERS = 0.1
"""Largest part of the channels that counts as few."""
MOSTLY = 0.9
"""Part of what leaving few channels out can narrow a range by."""


@dataclass
class Noise:
    """Sums over the values of one tensor, of any number of images."""

    total: float = 0.0
    squares: float = 0.0
    error: float = 0.0
    """Sum of squared errors."""
    clipped: int = 0
    at_most: int = 0
    """Values at the largest integer."""
    count: int = 0

    def add(
        self,
        true: Floats,
        found: NDArray[np.int_],
        scale: float,
        zero: int,
        limits: tuple[int, int],
    ) -> None:
        """`true`: what a float network says; `found`: the integers for it; value = (integer -
        `zero`) * `scale`; `limits`: the smallest and the largest integer."""
        import numpy as np

        wanted, low, high = true.astype(np.float64), limits[0] - zero, limits[1] - zero
        whole = found.astype(np.float64) - zero
        off = wanted - whole * scale
        self.total += float(np.sum(wanted))
        self.squares += float(np.sum(np.square(wanted)))
        self.error += float(np.sum(np.square(off)))
        # Half a quantum beyond the last value: nothing nearer could have been written.
        below = (whole <= low) & (wanted < (low - 0.5) * scale)
        above = whole >= high
        self.clipped += int(np.count_nonzero(below | (above & (wanted > (high + 0.5) * scale))))
        self.at_most += int(np.count_nonzero(above))
        self.count += wanted.size

    @property
    def snr_db(self) -> float | None:
        """Signal-to-noise ratio, decibels: 10 log10(variance of the float values / mean squared
        error).

        The mean is taken off the signal. It carries no information, and class logits, all of
        them around -10, would look perfect with it. None: the float values are constant.
        """
        mean_part = self.total * self.total / max(self.count, 1)
        # What is left of equal sums is rounding.
        signal = self.squares - mean_part if self.squares > mean_part * (1 + 1e-12) else 0.0
        return decibels(signal, self.error)

    @property
    def clipped_share(self) -> float:
        """Part of the values that lay beyond the range by more than half a quantum."""
        return self.clipped / max(self.count, 1)

    @property
    def saturated_share(self) -> float:
        """Part of the values at the largest integer."""
        return self.at_most / max(self.count, 1)


def decibels(signal: float, error: float) -> float | None:
    """10 log10(signal / error), within MOST_DB either way; None without any signal."""
    from math import log10

    if signal <= 0:
        return None
    return max(-MOST_DB, min(MOST_DB, 10 * log10(signal / error))) if error > 0 else MOST_DB


class Spread:
    """Smallest and largest value of each channel, over images."""

    def __init__(self) -> None:
        self._low: Floats | None = None
        self._high: Floats | None = None

    def add(self, values: Floats, axis: int) -> None:
        """`axis`: the channels'."""
        import numpy as np

        rows = np.moveaxis(values, axis, 0).reshape(values.shape[axis], -1)
        low, high = rows.min(axis=1), rows.max(axis=1)
        self._low = low if self._low is None else np.minimum(self._low, low)
        self._high = high if self._high is None else np.maximum(self._high, high)

    def outliers(self) -> tuple[int, int, float]:
        """(few, all, part): how many of all channels stretch the range, and the part of it that
        the others would do with; see `outliers`. Something must have been added."""
        assert self._low is not None and self._high is not None
        return outliers([(float(a), float(b)) for a, b in zip(self._low, self._high, strict=True)])


def outliers(ranges: list[tuple[float, float]]) -> tuple[int, int, float]:
    """`ranges`: smallest and largest value of each channel. See `Spread.outliers`.

    One after the other the channel goes whose absence narrows the whole range most, as long as
    they are few (OUTLIERS); counted are those that make nearly all of the narrowing (MOSTLY).
    """
    left, widths = list(ranges), [_width(ranges)]
    while len(widths) <= OUTLIERS * len(ranges) and widths[-1] > 0:
        left = min((left[:i] + left[i + 1 :] for i in _extremes(left)), key=_width)
        widths.append(_width(left))
    enough = widths[0] - MOSTLY * (widths[0] - widths[-1])
    few = next(i for i, width in enumerate(widths) if width <= enough)
    return few, len(ranges), widths[few] / widths[0] if widths[0] else 1.0


def _width(ranges: list[tuple[float, float]]) -> float:
    """Of the range that holds all of these."""
    return max(high for _, high in ranges) - min(low for low, _ in ranges) if ranges else 0.0


def _extremes(ranges: list[tuple[float, float]]) -> list[int]:
    """The channel with the smallest value and that with the largest."""
    lowest = min(range(len(ranges)), key=lambda i: ranges[i][0])
    return [lowest, max(range(len(ranges)), key=lambda i: ranges[i][1])]


def weights_db(true: Floats, found: Floats, axis: int) -> tuple[float | None, float | None]:
    """Signal-to-noise ratio of a layer's weights, and what one scale a channel would give.

    `found`: the dequantized weights; `axis`: the output channels'. The second is computed with
    symmetric ranges, as TensorFlow Lite's are: scale = largest magnitude of a channel / 127.
    """
    import numpy as np

    values = true.astype(np.float64)
    others = tuple(i for i in range(values.ndim) if i != axis)
    largest = np.abs(values).max(axis=others, keepdims=True)
    scale = np.maximum(largest / MAGNITUDES, np.finfo(np.float64).tiny)
    single = np.rint(values / scale) * scale
    signal = float(np.sum(np.square(values)))
    return (
        decibels(signal, float(np.sum(np.square(values - found)))),
        decibels(signal, float(np.sum(np.square(values - single)))),
    )
