"""`doit compare` on real deliverables and on a list of targets; its page in a real browser."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from browser.pages import opened
from lab import Said

from e2e.checkout import ROOT, Checkout, Delivered, read
from e2e.conftest import BASE

MORE = BASE[1:]
FEW = ("evaluate.count=20", "report.images=0", "diagnose.images=1")
"""Enough to have an accuracy; which one is not what is tested here."""
TWO = ("evaluate.tiers=[cut_onnx,litert]",)
"""Float and int8, without the slow interpreter."""


@dataclass(frozen=True)
class Pair:
    """Two deliverables that differ in the number of calibration images, compared."""

    workshop: Checkout
    one: Delivered
    other: Delivered
    said: Said
    page: Path

    def compare(self, *words: str) -> Said:
        """As a person types it, without any override but where tools lie."""
        tools = next(word for word in self.workshop.base if word.startswith("toolchain."))
        return self.workshop.plainly("compare", tools, *words)


def name(delivered: Delivered) -> str:
    """target/name."""
    return f"{delivered.path.parent.name}/{delivered.path.name}"


@pytest.fixture(scope="module")
def pair(workshop: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    def build(*overrides: str) -> Delivered:
        said = workshop.doit("deliver", "attach", *FEW, *TWO, *overrides)
        assert said.code == 0, said.text
        return Delivered(workshop.root, said.text)

    one, other = build(), build("quant.calibration.count=9")
    out = tmp_path_factory.mktemp("compared")
    empty = Pair(workshop, one, other, Said(0, ""), out / "compare.html")
    said = empty.compare(name(one), str(other.path), f"out={out}")
    assert said.code == 0, said.text
    return Pair(workshop, one, other, said, out / "compare.html")


def row(text: str, label: str) -> list[str]:
    """The values of a row of the table, marks left out."""
    [line] = [line for line in text.splitlines() if line.startswith(f"  {label} ")]
    return [word for word in line[len(label) + 2 :].split() if word != "*"]


def test_the_figures_are_those_of_the_deliverables(pair: Pair) -> None:
    text = pair.said.text
    assert f"A  {name(pair.one)}\n" in text
    assert f"B  {name(pair.other)}\n" in text
    boards = [read(one.path / "metrics.json")["board"] for one in (pair.one, pair.other)]
    finals = [board["tiers"][board["final"]]["box"] for board in boards]
    assert row(text, "mAP50-95, boxes") == [f"{final['map50_95']:.3f}" for final in finals]
    assert row(text, "mAP50, boxes") == [f"{final['map50']:.3f}" for final in finals]
    figures = [one.model["figures"] for one in (pair.one, pair.other)]
    assert row(text, "latency, ms") == [f"{one['latency_ms']:.1f}" for one in figures]
    assert row(text, "file, KiB") == [f"{one['flash_bytes'] / 1024:,.1f}" for one in figures]
    counts = [read(one.path / "provenance.json")["config"]["quant"]["calibration"]["count"]
              for one in (pair.one, pair.other)]  # fmt: skip
    assert row(text, "quant.calibration.count") == [str(count) for count in counts]
    assert max(map(len, text.splitlines())) <= 110


def test_equal_work_is_not_done_again_and_other_keys_will_do(pair: Pair) -> None:
    before = pair.workshop.executions(None)
    keys = [one.path.name.rpartition("-")[2] for one in (pair.one, pair.other)]
    said = pair.compare(*keys, f"out={pair.page.parent}")
    assert said.code == 0, said.text
    assert row(said.text, "mAP50, boxes") == row(pair.said.text, "mAP50, boxes")
    assert pair.workshop.executions(None) == before


def test_the_page_in_a_browser(pair: Pair, tmp_path: Path) -> None:
    assert str(pair.workshop.root) not in pair.page.read_text(encoding="utf-8")
    with opened(pair.page) as seen:
        assert (seen.complaints, seen.requests, seen.overflow()) == ([], [], 0)
        text = seen.text()
        for word in (name(pair.one), name(pair.other), "Accuracy against cost", "On the front:",
                     "quant.calibration.count", "vela's estimate"):  # fmt: skip
            assert word in text
        values = row(pair.said.text, "mAP50-95, boxes")
        cells = seen.page.locator("tr", has_text="mAP50-95, boxes").first.locator("td")
        assert cells.all_inner_texts() == values
        assert seen.page.locator("svg.chart").count() >= 1
        light = seen.background()
    with opened(pair.page, width=390, dark=True) as seen:
        assert (seen.complaints, seen.requests, seen.overflow()) == ([], [], 0)
        assert sum(seen.background()) < sum(light) / 3
        seen.picture(tmp_path / "phone.png", whole=True)
    assert (tmp_path / "phone.png").stat().st_size > 20_000


def test_a_list_of_targets_is_built_as_far_as_it_is_missing(
    chain: Delivered, tmp_path: Path
) -> None:
    checkout = Checkout(ROOT, ())
    kept = {path: path.stat().st_mtime_ns for path in chain.path.iterdir()}
    words = ("compare", "target=grove_v2,xiao_esp32s3", *MORE, *FEW, *TWO, f"out={tmp_path}")
    before = len(checkout.executions(None))
    said = checkout.plainly(*words)
    assert said.code == 0, said.text
    assert "to be built first, " in said.text
    assert len(row(said.text, "mAP50-95, boxes")) == 2
    grove, xiao = row(said.text, "latency, ms")
    assert (float(grove) > 0, xiao) == (True, "–")
    assert "B: no latency" in said.text
    assert {path: path.stat().st_mtime_ns for path in chain.path.iterdir()} == kept
    page = (tmp_path / "compare.html").read_text(encoding="utf-8")
    assert re.search(r"Not shown:\s+B \(no such cost\)", page)
    middle = len(checkout.executions(None))
    assert middle > before
    again = checkout.plainly(*words)
    assert again.code == 0, again.text
    assert "to be built first" not in again.text
    assert len(checkout.executions(None)) == middle


BAD: dict[str, tuple[tuple[str, ...], str]] = {
    "nothing": ((), "needs two models or more"),
    "one": (("{one}",), "needs two models or more"),
    "the same twice": (("{one}", "{path}"), "is given twice"),
    "no such": (("{one}", "grove_v2/nothing-of-the-kind"), "there is no deliverable"),
    "no deliverable": (("{one}", "conf"), "conf is no deliverable: it has no model.json"),
    "damaged": (("{one}", "{tmp}/torn"), "torn/metrics.json is damaged"),
    "not a folder": (("{one}", "{other}", "out={tmp}/file"), "is a file; give a folder"),
    "theirs": (("{one}", "{other}", "out={tmp}/theirs"), "was not made by doit compare"),
    "an override": (("{one}", "{other}", "train.epochs=1"), "compared as they are"),
    "a target": (("target=grove_v2,grove_v3",), "target has no option 'grove_v3'; did you mean"),
    "a key": (("target=grove_v2,xiao_esp32s3", "modle=x"), "did you mean 'model'?"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_sentence_and_builds_nothing(
    case: str, pair: Pair, tmp_path: Path
) -> None:
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn/model.json").write_bytes((pair.one.path / "model.json").read_bytes())
    metrics = (pair.one.path / "metrics.json").read_bytes()
    (tmp_path / "torn/metrics.json").write_bytes(metrics[: len(metrics) // 2])
    (tmp_path / "file").touch()
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs/compare.html").write_text("my notes")
    told: dict[str, Any] = {
        "one": name(pair.one), "other": name(pair.other), "path": pair.one.path, "tmp": tmp_path,
    }  # fmt: skip
    words, says = BAD[case]
    before = pair.workshop.executions(None)
    said = pair.compare(*(word.format(**told) for word in words))
    assert (said.code, says in said.text) == (3, True), said.text
    assert said.text.count("ERROR") == 1
    assert "Traceback" not in said.text
    assert pair.workshop.executions(None) == before
    assert (tmp_path / "theirs/compare.html").read_text() == "my notes"
    assert not (pair.workshop.root / "compare.html").exists()


def test_a_deliverable_without_metrics_is_compared_by_its_costs(pair: Pair, tmp_path: Path) -> None:
    bare = tmp_path / "sent/bare"
    bare.mkdir(parents=True)
    description = json.loads((pair.one.path / "model.json").read_bytes())
    (bare / "model.json").write_text(json.dumps(description))
    said = pair.compare(name(pair.other), str(bare), f"out={tmp_path}")
    assert said.code == 0, said.text
    assert row(said.text, "mAP50-95, boxes")[1] == "–"
    assert "B: accuracy was not measured" in said.text
    assert "`doit target=grove_v2`" in said.text
