"""What an ONNX file says of itself, read from its protobuf bytes with the standard library.

Done while planning, before there is a toolchain with the library `onnx`. Weights are skipped, so
a file is read in milliseconds. Field numbers: onnx.proto of ONNX 1.21.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
"""Wire types of protobuf that are in use."""
TYPES = {
    1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64",
    8: "string", 9: "bool", 10: "float16", 11: "float64", 12: "uint32", 13: "uint64",
    16: "bfloat16", 17: "float8", 18: "float8", 19: "float8", 20: "float8", 21: "uint4",
    22: "int4", 23: "float4",
}  # fmt: skip
"""TensorProto.DataType -> name."""


class NotOnnx(ValueError):
    """The bytes are no ONNX model; the message says what they look like."""


@dataclass(frozen=True)
class Value:
    """An input or output of the graph."""

    name: str
    dtype: str
    shape: tuple[int | str, ...]
    """A word, empty if it has none, where the size is open."""

    def __str__(self) -> str:
        return f"[{','.join(str(size) or '?' for size in self.shape)}]"


@dataclass
class Description:
    """What matters of a model besides its weights."""

    opset: int = 0
    """Of ONNX's own operators; 0: not said."""
    metadata: dict[str, str] = field(default_factory=dict)
    inputs: list[Value] = field(default_factory=list)
    outputs: list[Value] = field(default_factory=list)
    operators: set[str] = field(default_factory=set)
    """Types of the nodes; of other makers with their domain: com.microsoft.QLinearConv."""
    weights: dict[str, int] = field(default_factory=dict)
    """Type -> how many tensors of weights have it."""
    external: set[str] = field(default_factory=set)
    """Files beside this one that hold weights."""


Field = tuple[int, int | memoryview]


def describe(path: Path) -> Description:
    """Raises NotOnnx for anything but an ONNX model, also a torn one; OSError if unreadable."""
    content = path.read_bytes()
    if reason := _looks_like(content[:512]):
        raise NotOnnx(reason)
    try:
        return _model(memoryview(content))
    except (ValueError, IndexError, TypeError) as fault:
        raise NotOnnx("its bytes are no ONNX model, or only a part of one") from fault


def _looks_like(start: bytes) -> str:
    """What the first bytes say if they are no protobuf; empty otherwise."""
    if not start:
        return "the file is empty"
    if start.startswith(b"PK"):
        return "a zip, as PyTorch writes its checkpoints"
    if start[4:8] == b"TFL3":
        return "a TFLite file"
    if start.startswith(b"version https://git-lfs"):
        return "a pointer of Git LFS, not the file itself (git lfs pull)"
    if all(byte >= 32 or byte in b"\t\n\r" for byte in start):
        return "a text"
    return ""


def _model(whole: memoryview) -> Description:
    found = Description()
    seen_graph = False
    for number, value in _fields(whole):
        if number == 7 and isinstance(value, memoryview):
            seen_graph = True
            _graph(value, found)
        elif number == 8 and isinstance(value, memoryview):
            entry = dict(_fields(value))
            if not _text(entry.get(1, b"")):
                found.opset = int(entry.get(2, 0))
        elif number == 14:
            key, text = _entry(value)
            found.metadata[key] = text
    if not seen_graph:
        raise ValueError("no graph")
    return found


def _graph(content: memoryview, found: Description) -> None:
    initialised = set()
    for number, value in _fields(content):
        if number == 1:
            found.operators.add(_operator(value))
        elif number == 5:
            initialised.add(_tensor(value, found))
        elif number == 11:
            found.inputs.append(_value(value))
        elif number == 12:
            found.outputs.append(_value(value))
    # Older exporters list the weights among the inputs, too.
    found.inputs = [value for value in found.inputs if value.name not in initialised]


def _operator(node: int | memoryview) -> str:
    kind = domain = ""
    for number, value in _fields(node):
        if number == 4:
            kind = _text(value)
        elif number == 7:
            domain = _text(value)
    return f"{domain}.{kind}" if domain not in ("", "ai.onnx") else kind


def _tensor(content: int | memoryview, found: Description) -> str:
    name, kind = "", ""
    for number, value in _fields(content):
        if number == 2:
            kind = _type(value)
        elif number == 8:
            name = _text(value)
        elif number == 13:
            key, text = _entry(value)
            if key == "location":
                found.external.add(text)
    found.weights[kind] = found.weights.get(kind, 0) + 1
    return name


def _value(content: int | memoryview) -> Value:
    name, dtype = "", ""
    shape: list[int | str] = []
    for number, value in _fields(content):
        if number == 1:
            name = _text(value)
        elif number == 2:
            for kind, tensor in _fields(value):
                if kind == 1:  # a tensor, no sequence or map
                    dtype, shape = _tensor_type(tensor)
    return Value(name, dtype, tuple(shape))


def _tensor_type(content: int | memoryview) -> tuple[str, list[int | str]]:
    dtype, shape = "", list[int | str]()
    for number, value in _fields(content):
        if number == 1:
            dtype = _type(value)
        elif number == 2:
            shape = [_size(size) for one, size in _fields(value) if one == 1]
    return dtype, shape


def _size(content: int | memoryview) -> int | str:
    for number, value in _fields(content):
        if number == 1 and isinstance(value, int):
            return value
        if number == 2:
            return _text(value)
    return ""


def _type(value: int | memoryview) -> str:
    return TYPES.get(value, f"type {value}") if isinstance(value, int) else ""


def _entry(content: int | memoryview) -> tuple[str, str]:
    entry = dict(_fields(content))
    return _text(entry.get(1, b"")), _text(entry.get(2, b""))


def _text(value: int | memoryview | bytes) -> str:
    if isinstance(value, int):
        raise ValueError("a number where a text belongs")
    return bytes(value).decode()


# --- protobuf -----------------------------------------------------------------------------


def _fields(content: int | memoryview) -> Iterator[Field]:
    """The fields of one message: (number, value), bytes not copied.

    Raises ValueError or IndexError where the bytes are no message.
    """
    if isinstance(content, int):
        raise ValueError("a number where a message belongs")
    at, end = 0, len(content)
    while at < end:
        key, at = _varint(content, at)
        number, wire = key >> 3, key & 7
        if wire == VARINT:
            value, at = _varint(content, at)
            yield number, value
            continue
        if wire == BYTES:
            size, at = _varint(content, at)
        elif wire in (FIXED32, FIXED64):
            size = 4 if wire == FIXED32 else 8
        else:
            raise ValueError(f"wire type {wire}")
        if number == 0 or at + size > end:
            raise ValueError("no field, or one that ends behind its message")
        yield number, content[at : at + size]
        at += size


def _varint(content: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("a number of more than 64 bits")
