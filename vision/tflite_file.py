"""Reads what a TFLite file says of itself, with the standard library.

Places of fields and codes of types: TensorFlow's schema.fbs. What vela adds to a file it compiles:
`tflite_writer.py` of vela (ethos-u-vela).
"""

from __future__ import annotations

import math
import re
import struct
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from vision.flat import Table, Torn, root
from vision.tflite_operators import name_of

NPU = "ETHOS_U"
"""Name that firmware sources give the operator which vela leaves in a file."""
NPU_CUSTOM_CODE = "ethos-u"
"""Its custom code in the file (TFLM: `ethosu.cc`)."""
IDENTIFIER = b"TFL3"
TYPES = (
    *("float32", "float16", "int32", "uint8", "int64", "string", "bool", "int16", "complex64"),
    *("int8", "float64", "complex128", "uint64", "resource", "variant", "uint32", "uint16"),
    *("int4", "bfloat16"),
)
"""TensorType: place in the list is the code."""
BYTES = {"int8": 1, "uint8": 1, "bool": 1, "int16": 2, "uint16": 2, "float16": 2, "int64": 8}
"""Of an element; 4 where nothing is said."""
VELA_VERSION, ALLOCATION = "vela_version", "OfflineMemoryAllocation"
"""Names of metadata: the compiler, and where in the arena it has put each tensor (int32: version,
subgraph, count, then an offset each, -1 for tensors that lie elsewhere)."""
VELA_WORDS = re.compile(r"Vela (\S+) Optimised")
"""The description that vela gives a file; older ones give it no version."""


@dataclass(frozen=True)
class Tensor:
    """An input or output."""

    name: str
    dtype: str
    """As TFLite names it, in small letters: int8, float32, …"""
    shape: tuple[int, ...]
    scales: tuple[float, ...]
    """One for the tensor, or one a channel; none when it is not quantized."""
    zero_points: tuple[int, ...]


@dataclass(frozen=True)
class ModelFile:
    """The parts of a TFLite file that a board's contract speaks of."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    operators: Mapping[str, int]
    """Operator (as the firmware's sources name it) -> how often it occurs."""
    payloads: tuple[bytes, ...]
    """What each NPU operator hands to the driver."""
    logits: tuple[Tensor, ...] = ()
    """What the scores are sigmoids of, if sigmoids are seen: `[1, side, side, classes]`."""
    vela: str = ""
    """Version of the compiler, as far as the file says it."""
    arena_bytes: int | None = None
    """What the compiler planned for all tensors; None: it left no plan in the file."""


def read_model(path: Path) -> ModelFile:
    """Parses the first subgraph. Raises Torn for a file that is no TFLite model, or not whole."""
    return parse(path.read_bytes())


def parse(data: bytes) -> ModelFile:
    """The same of a file's bytes."""
    try:
        return _parse(data)
    except IndexError:
        raise Torn("an operator in it lacks what it works on") from None


def _parse(data: bytes) -> ModelFile:
    model = root(data, IDENTIFIER)
    buffers = model.tables(4)
    for buffer in buffers:
        buffer.bytes(0)  # weights: those of a torn file end behind it
    graphs = model.tables(2)
    if not graphs or not (found := _Graph(model, graphs[0], buffers)).names:
        raise Torn("it holds no network")
    metadata = {entry.text(0): entry.number(1, "I") for entry in model.tables(6)}
    return ModelFile(
        inputs=tuple(map(found.tensor, found.inputs)),
        outputs=tuple(map(found.tensor, found.outputs)),
        operators=Counter(found.names),
        payloads=tuple(found.payloads()),
        logits=tuple(map(found.tensor, found.logits())),
        vela=_vela(model, _stored(buffers, metadata.get(VELA_VERSION))),
        arena_bytes=found.arena(_stored(buffers, metadata.get(ALLOCATION))),
    )


def _stored(buffers: list[Table], index: int | None) -> bytes:
    return buffers[index].bytes(0) if index is not None and index < len(buffers) else b""


def _vela(model: Table, version: bytes) -> str:
    found = VELA_WORDS.search(model.text(3))
    return version.rstrip(b"\0").decode("ascii", "replace") or (found[1] if found else "")


class _Graph:
    """A subgraph: tensors, and operators with the numbers of those they take and make."""

    def __init__(self, model: Table, graph: Table, buffers: list[Table]) -> None:
        self._tensors, self._buffers = graph.tables(0), buffers
        self.inputs, self.outputs = graph.integers(1, "i"), graph.integers(2, "i")
        self._operators = graph.tables(3)
        codes = [_code(code) for code in model.tables(1)]
        kinds = [operator.number(0, "I") for operator in self._operators]
        if any(kind >= len(codes) for kind in kinds):
            raise Torn("an operator in it is of no kind")
        self.names = [codes[kind] for kind in kinds]

    def tensor(self, index: int) -> Tensor:
        """What is known of a tensor."""
        table = self._table(index)
        dtype, quantization = table.number(1, "b"), table.table(4)
        return Tensor(
            name=table.text(3),
            dtype=TYPES[dtype] if 0 <= dtype < len(TYPES) else f"type {dtype}",
            shape=table.integers(0, "i"),
            scales=tuple(quantization.numbers(2, "f")) if quantization else (),
            zero_points=quantization.integers(3, "q") if quantization else (),
        )

    def payloads(self) -> Iterator[bytes]:
        """The command streams: vela makes each the NPU operator's first input, a constant."""
        for operator, name in zip(self._operators, self.names, strict=True):
            taken = operator.integers(1, "i")
            if name == NPU and taken:
                yield _stored(self._buffers, self._table(taken[0]).number(2, "I"))

    def logits(self) -> Iterator[int]:
        """What sigmoids take, but for those in activations x * sigmoid(x)."""
        edges = [(o.integers(1, "i"), o.integers(2, "i")) for o in self._operators]
        readers: dict[int, list[tuple[int, ...]]] = {}
        for taken, _ in edges:
            for tensor in taken:
                readers.setdefault(tensor, []).append(taken)
        for name, (taken, made) in zip(self.names, edges, strict=True):
            if name == "LOGISTIC" and not any(taken[0] in r for r in readers.get(made[0], ())):
                yield taken[0]

    def arena(self, plan: bytes) -> int | None:
        """Bytes up to the end of the last tensor in the compiler's plan."""
        offsets = struct.unpack(f"<{len(plan) // 4}i", plan[: len(plan) // 4 * 4])[3:]
        ends = [
            offset + _size(self.tensor(i))
            for i, offset in enumerate(offsets[: len(self._tensors)])
            if offset >= 0
        ]
        return max(ends, default=None)

    def _table(self, index: int) -> Table:
        if not 0 <= index < len(self._tensors):
            raise Torn("it names a tensor that it does not hold")
        return self._tensors[index]


def _code(table: Table) -> str:
    custom = table.text(1)
    if custom:
        return NPU if custom == NPU_CUSTOM_CODE else f"custom {custom}"
    # codes above 127 stand in the newer of the two fields
    return name_of(max(table.number(0, "b"), table.number(3, "i")))


def _size(tensor: Tensor) -> int:
    return math.prod(tensor.shape) * BYTES.get(tensor.dtype, 4)
