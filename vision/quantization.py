"""Arithmetic of 8-bit quantization: value = (integer - zero point) * scale."""

from __future__ import annotations

import math

INT8_MAX = 127


def largest_sigmoid(scale: float, zero_point: int) -> float:
    """What a sigmoid makes of the largest value an int8 tensor of this quantization can hold."""
    return 1.0 / (1.0 + math.exp(-(INT8_MAX - zero_point) * scale))
