"""Reads FlatBuffers, the form in which TFLite files lie, with the standard library.

Done while planning, before there is a toolchain. Nothing is trusted: each offset is held against
the end of the file, so a torn file is told from a whole one. The format: FlatBuffers' "Internals"
(little-endian; a table begins with the distance back to its vtable, which lists where each field
lies; offsets to tables, vectors and texts count from where they stand).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass


class Torn(ValueError):
    """The bytes are no whole file of this form; the message says why."""


@dataclass(frozen=True)
class Table:
    """One table; fields by their place in the schema, from 0. Absent fields have the default 0."""

    data: bytes
    at: int

    def number(self, place: int, form: str) -> int:
        """An integer field; `form` is a letter of `struct`: b, B, i, I, …"""
        where = self._field(place)
        return int(_unpacked(self.data, where, form)) if where else 0

    def table(self, place: int) -> Table | None:
        """A table that this one points to."""
        where = self._field(place)
        return Table(self.data, _pointed(self.data, where)) if where else None

    def tables(self, place: int) -> list[Table]:
        """A vector of tables."""
        start, count = self._vector(place, 4)
        return [Table(self.data, _pointed(self.data, start + 4 * i)) for i in range(count)]

    def numbers(self, place: int, form: str) -> tuple[float, ...]:
        """A vector of numbers, all of one kind."""
        start, count = self._vector(place, struct.calcsize(f"<{form}"))
        return struct.unpack_from(f"<{count}{form}", self.data, start) if count else ()

    def integers(self, place: int, form: str) -> tuple[int, ...]:
        """A vector of integers."""
        return tuple(int(number) for number in self.numbers(place, form))

    def bytes(self, place: int) -> bytes:
        """A vector of bytes; empty when there is none."""
        start, count = self._vector(place, 1)
        return self.data[start : start + count]

    def text(self, place: int) -> str:
        """A text; empty when there is none."""
        try:
            return self.bytes(place).decode()
        except UnicodeDecodeError as fault:
            raise Torn("a name in it is no text") from fault

    def _field(self, place: int) -> int:
        """Where a field lies; 0 when it is absent."""
        vtable = self.at - int(_unpacked(self.data, self.at, "i"))
        size = int(_unpacked(self.data, vtable, "H"))
        if 4 + 2 * place >= size:
            return 0
        step = int(_unpacked(self.data, vtable + 4 + 2 * place, "H"))
        return self.at + step if step else 0

    def _vector(self, place: int, width: int) -> tuple[int, int]:
        """Where the members begin, and how many there are; they lie within the file."""
        where = self._field(place)
        if not where:
            return 0, 0
        start = _pointed(self.data, where)
        count = int(_unpacked(self.data, start, "I"))
        if start + 4 + width * count > len(self.data):
            raise Torn(f"it ends after {len(self.data)} bytes, in the middle of its contents")
        return start + 4, count


def root(data: bytes, identifier: bytes) -> Table:
    """The first table of a file. Raises Torn unless the file has this identifier of 4 bytes."""
    if data[4:8] != identifier:
        raise Torn(f"it does not begin like a file of form {identifier.decode()}")
    return Table(data, _pointed(data, 0))


def _pointed(data: bytes, where: int) -> int:
    """Where the offset that stands at `where` leads."""
    return where + int(_unpacked(data, where, "I"))


def _unpacked(data: bytes, where: int, form: str) -> int:
    try:
        if where < 0:  # Python would count from the end
            raise Torn("an offset in it points before its beginning")
        return int(struct.unpack_from(f"<{form}", data, where)[0])
    except struct.error:
        raise Torn(f"it ends after {len(data)} bytes, in the middle of its contents") from None
