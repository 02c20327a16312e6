"""The reader of TFLite files: what it tells of small ones made by hand, whole and torn."""

import contextlib
import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tflite_bytes import Made, Operation, network, tflite

from vision.flat import Torn
from vision.tflite_file import ModelFile, Tensor, parse

PLAN = struct.pack("<7i", 0, 1, 4, 0, 110592, -1, 112896)
COMPILED = tflite(
    [
        Made((1, 192, 192, 3), scale=1 / 255, zero_point=-128),
        Made((1, 36, 64)),
        Made((5,), "uint8", None, buffer=1),
        Made((100,), "int32", None),
    ],
    inputs=[0],
    outputs=[1],
    operations=[Operation("ethos-u", [2, 0, 3], [1]), Operation("CUMSUM", [1], [1])],
    buffers=[b"", b"COP1!", PLAN, b"4.1.0\0"],
    description="Vela Optimised",
    metadata=[("OfflineMemoryAllocation", 2), ("vela_version", 3)],
)
SCORES = tflite(
    [Made((1, 4)), Made((1, 4), scale=0.5), Made((1, 4)), Made((1, 4)), Made((1, 4))],
    inputs=[0],
    outputs=[4],
    operations=[
        Operation("LOGISTIC", [0], [2]),  # x * sigmoid(x), an activation
        Operation("MUL", [0, 2], [3]),
        Operation("LOGISTIC", [1], [4]),
    ],
)
SIX = network([Made((1, n, c)) for n in (576, 144, 36) for c in (64, 10)])


def test_a_compiled_file_tells_of_its_compiler_and_its_arena() -> None:
    found = parse(COMPILED)
    assert found.operators == {"ETHOS_U": 1, "CUMSUM": 1}  # codes beyond 127, too
    assert found.payloads == (b"COP1!",)
    assert found.vela == "4.1.0"
    assert found.arena_bytes == 112896 + 4 * 100
    [entry] = found.inputs
    assert (entry.dtype, entry.shape, entry.zero_points) == ("int8", (1, 192, 192, 3), (-128,))
    assert entry.scales == pytest.approx((1 / 255,))
    assert found.outputs == (
        Tensor("tensor 1", "int8", (1, 36, 64), found.outputs[0].scales, (3,)),
    )


def test_other_files_tell_of_neither() -> None:
    found = parse(SIX)
    assert (found.vela, found.arena_bytes, found.payloads) == ("", None, ())
    named = parse(tflite([Made((1,))], [0], [0], description="Vela 3.9.0 Optimised"))
    assert named.vela == "3.9.0"


def test_logits_are_what_sigmoids_take_but_for_activations() -> None:
    [logits] = parse(SCORES).logits
    assert logits.scales == (0.5,)


def test_a_float_tensor_has_no_quantization() -> None:
    found = parse(network([Made((1, 14, 756), "float32", None)]))
    assert (found.outputs[0].dtype, found.outputs[0].scales) == ("float32", ())


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "begin"),
        (b"\x1c\0\0\0TFL3", "ends after 8 bytes"),
        (b"\xff\xff\xff\xffTFL3" + bytes(64), "ends after"),
        (tflite([], [], []).replace(b"TFL3", b"TFL2"), "begin"),
        (tflite([Made((1,))], [0], [7]), "does not hold"),
        (tflite([Made((1,))], [0], [0], [Operation("LOGISTIC", [], [])]), "lacks"),
    ],
)  # fmt: skip
def test_what_is_no_model(data: bytes, words: str) -> None:
    with pytest.raises(Torn, match=words):
        parse(data)


@pytest.mark.parametrize("data", [COMPILED, SCORES, SIX], ids=["compiled", "scores", "six"])
def test_every_file_cut_short_is_told_from_a_whole_one(data: bytes) -> None:
    """But for padding at its very end."""
    for end in range(len(data) - 8):
        with pytest.raises(Torn):
            parse(data[:end])


@given(st.integers(0, 10_000))
def test_damage_is_told_or_harmless(seed: int) -> None:
    """Whatever bytes a file holds: an answer, or Torn; no other exception, and no endless loop."""
    chance, data = random.Random(seed), bytearray(COMPILED)
    for _ in range(1 + seed % 8):
        data[chance.randrange(8, len(data))] = chance.randrange(256)
    with contextlib.suppress(Torn):
        assert isinstance(parse(bytes(data)), ModelFile)
