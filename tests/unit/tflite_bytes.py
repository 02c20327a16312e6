"""Writes small TFLite files by hand, so that their reader is tested without TensorFlow."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from vision.tflite_file import TYPES
from vision.tflite_operators import NAMES

TO = ("to", 0)
"""A field that is an offset, filled in by `_Writer.later`."""


@dataclass(frozen=True)
class Made:
    """A tensor to write."""

    shape: Sequence[int]
    dtype: str = "int8"
    scale: float | None = 0.05
    zero_point: int = 3
    buffer: int = 0


@dataclass(frozen=True)
class Operation:
    """An operator to write: its name (or custom code), tensors taken and made."""

    name: str
    takes: Sequence[int]
    makes: Sequence[int]


class _Writer:
    """Objects are laid behind one another; places that point forward are filled in later."""

    def __init__(self) -> None:
        self.data = bytearray(b"\0\0\0\0TFL3")

    def table(self, *fields: bytes | tuple[str, int] | None) -> int:
        """`fields` by place: bytes are stored inline, TO is an offset, None is absent."""
        self.data += b"\0" * (-len(self.data) % 8)
        vtable = len(self.data)
        self.data += struct.pack("<HH", 4 + 2 * len(fields), 0) + b"\0\0" * len(fields)
        self.data += b"\0" * (-len(self.data) % 8)
        place = len(self.data)
        self.data += struct.pack("<i", place - vtable)
        for number, field in enumerate(fields):
            if field is None:
                continue
            self.data += b"\0" * (-len(self.data) % 8)
            where = len(self.data)
            struct.pack_into("<H", self.data, vtable + 4 + 2 * number, where - place)
            self.data += field if isinstance(field, bytes) else b"\0\0\0\0"
        return place

    def later(self, place: int, number: int, target: int) -> None:
        """Fill in an offset of a table that points to something written after it."""
        vtable = place - struct.unpack_from("<i", self.data, place)[0]
        step = struct.unpack_from("<H", self.data, vtable + 4 + 2 * number)[0]
        self.point(place + step, target)

    def point(self, where: int, target: int) -> None:
        struct.pack_into("<I", self.data, where, target - where)

    def vector(self, form: str, values: Sequence[Any]) -> int:
        self.data += b"\0" * (-len(self.data) % 8)
        if struct.calcsize(form) == 8:
            self.data += b"\0" * 4  # so that the members, behind the count, are aligned
        place = len(self.data)
        self.data += struct.pack("<I", len(values)) + struct.pack(f"<{len(values)}{form}", *values)
        return place

    def bytes(self, text: bytes) -> int:
        place = self.vector("B", list(text))
        self.data += b"\0"
        return place

    def tables(self, makers: Sequence[Callable[[], int]]) -> int:
        """A vector of tables, each written behind it: offsets only point forward."""
        place = self.vector("I", [0] * len(makers))
        for i, make in enumerate(makers):
            self.point(place + 4 + 4 * i, make())
        return place


class _File:
    """The parts of one file, and the writer."""

    def __init__(self, names: Sequence[str]) -> None:
        self.out, self.names = _Writer(), names

    def code(self, name: str) -> int:
        known = name in NAMES
        number = NAMES.index(name if known else "CUSTOM")
        custom = None if known else TO
        wide = struct.pack("<i", number)
        place = self.out.table(struct.pack("<b", min(number, 127)), custom, None, wide)
        if not known:
            self.out.later(place, 1, self.out.bytes(name.encode()))
        return place

    def buffer(self, content: bytes) -> int:
        place = self.out.table(TO)
        self.out.later(place, 0, self.out.bytes(content))
        return place

    def entry(self, name: str, buffer: int) -> int:
        place = self.out.table(TO, struct.pack("<I", buffer))
        self.out.later(place, 0, self.out.bytes(name.encode()))
        return place

    def operator(self, operation: Operation) -> int:
        place = self.out.table(struct.pack("<I", self.names.index(operation.name)), TO, TO)
        self.out.later(place, 1, self.out.vector("i", operation.takes))
        self.out.later(place, 2, self.out.vector("i", operation.makes))
        return place

    def tensor(self, number: int, tensor: Made) -> int:
        out = self.out
        dtype, buffer = (
            struct.pack("<b", TYPES.index(tensor.dtype)),
            struct.pack("<I", tensor.buffer),
        )
        place = out.table(TO, dtype, buffer, TO, None if tensor.scale is None else TO)
        out.later(place, 0, out.vector("i", tensor.shape))
        out.later(place, 3, out.bytes(f"tensor {number}".encode()))
        if tensor.scale is not None:
            quantization = out.table(None, None, TO, TO)
            out.later(place, 4, quantization)
            out.later(quantization, 2, out.vector("f", [tensor.scale]))
            out.later(quantization, 3, out.vector("q", [tensor.zero_point]))
        return place


def tflite(
    tensors: Sequence[Made],
    inputs: Sequence[int],
    outputs: Sequence[int],
    operations: Sequence[Operation] = (),
    buffers: Sequence[bytes] = (b"",),
    description: str = "",
    metadata: Sequence[tuple[str, int]] = (),
) -> bytes:
    """A file of one subgraph; without operations it has one, from its inputs to its outputs."""
    operations = operations or [Operation("ADD", inputs, outputs)]
    names = list(dict.fromkeys(operation.name for operation in operations))
    file = _File(names)
    out = file.out
    root = out.table(struct.pack("<I", 3), TO, TO, TO, TO, None, TO)
    out.point(0, root)
    out.later(root, 1, out.tables([partial(file.code, name) for name in names]))

    def graph() -> int:
        place = out.table(TO, TO, TO, TO)
        out.later(place, 0, out.tables([partial(file.tensor, *t) for t in enumerate(tensors)]))
        out.later(place, 1, out.vector("i", inputs))
        out.later(place, 2, out.vector("i", outputs))
        out.later(place, 3, out.tables([partial(file.operator, one) for one in operations]))
        return place

    out.later(root, 2, out.tables([graph]))
    out.later(root, 3, out.bytes(description.encode()))
    out.later(root, 4, out.tables([partial(file.buffer, content) for content in buffers]))
    out.later(root, 6, out.tables([partial(file.entry, *entry) for entry in metadata]))
    return bytes(out.data)


def network(
    outputs: Sequence[Made], entry: Made | None = None, operation: str = "CONV_2D"
) -> bytes:
    """One operator from one picture to these outputs."""
    first = entry or Made((1, 192, 192, 3), scale=1 / 255, zero_point=-128)
    made = range(1, len(outputs) + 1)
    return tflite([first, *outputs], [0], made, [Operation(operation, [0], made)])
