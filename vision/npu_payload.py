"""The header of what the Ethos-U driver is handed: what it compares with the hardware.

Little-endian words, as vela's `driver_actions.py` writes and Arm's ethos-u-core-driver reads
them: a fourcc, then actions. An action's low byte is its kind: 1 states the configuration (the
next two words are the NPU's CONFIG and ID registers), 5 does nothing, 2 begins the commands.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

CONFIGURE, COMMANDS, NOTHING = 1, 2, 5


@dataclass(frozen=True)
class Payload:
    """What the driver checks before it runs anything."""

    fourcc: str
    config: int
    """CONFIG register: MACs a cycle, SHRAM size, product."""
    arch: tuple[int, int, int]
    """Architecture version: major, minor, patch."""


def read_payload(data: bytes) -> Payload:
    """Parses the header. Raises ValueError when it states no configuration."""
    words = struct.unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4])
    position = 1
    while position + 2 < len(words):
        kind = words[position] & 0xFF
        if kind == CONFIGURE:
            config, identity = words[position + 1 : position + 3]
            return Payload(data[:4].decode("latin-1"), config, _arch(identity))
        if kind != NOTHING:
            break
        position += 1
    raise ValueError("the NPU payload states no configuration")


def header(data: bytes) -> Payload | None:
    """The same; None when it cannot be read."""
    try:
        return read_payload(data)
    except ValueError:
        return None


def _arch(identity: int) -> tuple[int, int, int]:
    """ID register: architecture major in bits 28-31, minor in 20-27, patch in 16-19."""
    return identity >> 28, (identity >> 20) & 0xFF, (identity >> 16) & 0xF
