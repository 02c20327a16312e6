"""Other boards, from what the main job left in the store."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from e2e.checkout import ROOT, Checkout, Delivered

BOARD = "corstone_300"
PAYLOAD = "  payload:\n    config: 0x1807\n"
"""What the tutorial's reader adds after the first build."""


def on(target: str, workshop: Checkout) -> Checkout:
    """The workshop, building for another board."""
    return Checkout(workshop.root, (f"target={target}", *workshop.base[1:]))


@pytest.fixture
def board(workshop: Checkout) -> Iterator[Checkout]:
    """The workshop with the board of docs/tutorials/add_a_board.md: one file."""
    page = (ROOT / "docs/tutorials/add_a_board.md").read_text()
    name = f"conf/target/{BOARD}.yaml"
    workshop.write(name, page.partition("```yaml\n")[2].partition("```")[0])
    yield on(BOARD, workshop)
    (workshop.root / name).unlink()


def test_the_tutorials_new_board(board: Checkout) -> None:
    began = len(board.executions())
    first = board.doit()
    assert first.code == 1
    assert "NPU configuration: 0x1807, the board demands 0x1006" in first.text
    assert [line["stage"] for line in board.executions()[began:]] == ["compile", "check", "package"]

    began = len(board.executions())
    board.edit(f"conf/target/{BOARD}.yaml", "  proven: []", f"{PAYLOAD}  proven: []")
    delivered = board.deliver()
    assert [line["stage"] for line in board.executions()[began:]] == ["check", "package"]
    model = delivered.model
    assert model["target"]["name"] == BOARD
    assert model["figures"]["npu_percent"] == 100
    assert list(model["commands"]) == ["firmware"]
    assert "at_info.txt" not in model["files"]


def test_a_board_without_an_npu(workshop: Checkout) -> None:
    """The network ends in its decoding; the arena is estimated by the real interpreter."""
    xiao = on("xiao_esp32s3", workshop)
    began = len(xiao.executions())
    delivered = xiao.deliver()
    again = ["head", "convert", "quantize", "arena", "check", "package"]
    assert [line["stage"] for line in xiao.executions()[began:]] == again
    model, arena = delivered.model, delivered.json("arena", "arena.json")
    [output] = model["outputs"]
    assert output["role"] == "decoded"
    assert output["scale"] < 0.1
    figures = model["figures"]
    assert figures["arena_bytes"] == arena["arena_bytes"]
    assert arena["arena_bytes"] == arena["fixed_bytes"] + arena["growing_bytes"]
    assert 300_000 < arena["arena_bytes"] < figures["arena_limit_bytes"] == 786_432
    assert "an estimate" in figures["arena_source"]
    assert re.search(r" arena +\d+ of 768 KiB .*an estimate", delivered.said)
    assert {"npu_percent", "latency_ms"}.isdisjoint(figures)
    assert "AT+INFO=" in (delivered.path / "at_info.txt").read_text()
    assert "model_int8.tflite" in model["commands"]["esptool"]


def test_an_arena_that_is_missed_says_by_how_much_and_what_should_fit(
    workshop: Checkout, chain: Delivered
) -> None:
    xiao = on("xiao_esp32s3", workshop)
    used = xiao.deliver().json("arena", "arena.json")["arena_bytes"]
    board = used - 10_000
    said = xiao.doit(f"target.memory.arena_bytes={board}", "target.memory.arena_margin=0")
    assert said.code == 1
    [sentence] = [line for line in said.text.splitlines() if line.startswith("  arena")]
    assert "10000 bytes too many" in sentence
    imgsz = chain.provenance["config"]["model"]["imgsz"]
    assert f"model.imgsz={imgsz - 32} should fit" in sentence
