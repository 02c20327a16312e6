"""ONNX files for tests, written byte by byte: the core has no library for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

FLOAT, UINT8, INT8, FLOAT16 = 1, 2, 3, 10
"""TensorProto.DataType."""
NAMES = {"names": "{0: 'cat', 1: 'dög'}", "stride": "32", "task": "detect"}


def varint(number: int) -> bytes:
    low, high = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + varint(high) if high else bytes([low])


def field(number: int, value: int | str | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    content = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(content)) + content


def value(name: str, shape: Sequence[int | str], kind: int = FLOAT) -> bytes:
    """ValueInfoProto."""
    dims = b"".join(field(1, field(1 if isinstance(d, int) else 2, d)) for d in shape)
    return field(1, name) + field(2, field(1, field(1, kind) + field(2, dims)))


def node(kind: str, domain: str = "") -> bytes:
    attribute = field(1, "axis") + field(3, 7)
    content = field(1, "a") + field(2, "b") + field(4, kind) + field(5, attribute)
    return content + (field(7, domain) if domain else b"")


def tensor(name: str, kind: int = FLOAT, external: str = "") -> bytes:
    content = field(1, 3) + field(2, kind) + field(8, name) + field(9, b"\xff" * 12)
    if external:
        content += field(13, field(1, "location") + field(2, external))
    return content


def model(
    inputs: Sequence[bytes] = (value("images", (1, 3, 64, 64)),),
    outputs: Sequence[bytes] = (value("output0", (1, 6, 84)),),
    nodes: Sequence[bytes] = (node("Conv"), node("Sigmoid")),
    tensors: Sequence[bytes] = (tensor("weight"),),
    metadata: Mapping[str, str] = NAMES,
    opset: int = 13,
) -> bytes:
    """ModelProto: as ultralytics exports a detector of two classes at 64 pixels."""
    parts = {1: nodes, 5: tensors, 11: inputs, 12: outputs}
    graph = b"".join(field(number, part) for number, all_ in parts.items() for part in all_)
    entries = (field(14, field(1, key) + field(2, text)) for key, text in metadata.items())
    return (
        field(1, 7)
        + field(2, "pytorch")
        + field(7, graph)
        + field(8, field(1, "") + field(2, opset))
        + field(8, field(1, "com.microsoft") + field(2, 1))
        + b"".join(entries)
    )
