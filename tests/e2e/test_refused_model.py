"""A model that the firmware would refuse: kept for inspection, never delivered."""

from __future__ import annotations

from e2e.checkout import Checkout, Delivered

TOO_SMALL = "target.memory.arena_bytes=100000"


def test_it_fails_with_the_figure_the_limit_and_the_remedy(
    workshop: Checkout, chain: Delivered
) -> None:
    store, files = workshop.kept()
    began = len(workshop.executions())
    said = workshop.doit(TOO_SMALL)
    assert said.code == 1
    assert "Traceback" not in said.text
    [sentence] = [line for line in said.text.splitlines() if line.startswith("  arena")]
    used = chain.json("compile", "vela.json")["sram_bytes"]
    assert str(used) in sentence.replace(",", "")
    assert "100000" in sentence.replace(",", "")
    assert "model.imgsz" in sentence
    assert [line["stage"] for line in workshop.executions()[began:]] == ["check", "package"]

    [rejected] = workshop.root.glob("artifacts/grove_v2/*.rejected")
    assert str(rejected) in said.text
    assert (rejected / "model_vela.tflite").read_bytes() == (
        chain.path / "model_vela.tflite"
    ).read_bytes()
    assert "arena" in (rejected / "REJECTED.txt").read_text().lower()
    after = workshop.kept()
    assert after[0] > store
    assert after[1] == files

    again = workshop.doit(TOO_SMALL)
    assert again.code == 1
    assert sentence in again.text
    assert [line["stage"] for line in workshop.executions()[began:]] == ["check", "package"]
    told = workshop.doit("plan", TOO_SMALL)
    assert [line for line in told.text.splitlines() if line.startswith("refused  deliver")]
    assert workshop.build() == []
