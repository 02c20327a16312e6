"""The report of the main job, as a person sees it in a browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from browser.pages import Opened, opened

from e2e.checkout import ROOT, Checkout, Delivered, asked
from e2e.conftest import BASE

MOST = 1_500_000
"""Bytes: it goes by mail and opens at once. The issue's limit is 5 MB."""
PHONE = 360


@dataclass(frozen=True)
class Pages:
    """Reports of the same build."""

    delivered: Path
    again: Path
    """Made a second time, before delivery filled in what ran."""
    odd: Path
    """With class names that are markup, mathematics, or of other alphabets."""
    bare: Path
    """Of a model of which only the verdict is known."""
    names: list[str]
    """The odd ones."""
    first: Path
    """As the step left it."""


@pytest.fixture(scope="module")
def whole() -> Delivered:
    """The main job with its report; nothing runs if it lies there already."""
    return Checkout(ROOT, BASE).deliver("deliver", "attach")


@pytest.fixture(scope="module")
def pages(whole: Delivered, tmp_path_factory: pytest.TempPathFactory) -> Pages:
    preimage = whole.records["report"]["preimage"]
    kept = {
        json.dumps(digest, sort_keys=True): whole.root
        / "artifacts/store"
        / record["stage"]
        / record["digest"]
        / name
        for record in whole.provenance["steps"].values()
        for name, digest in record["outputs"].items()
    }
    inputs = {
        name: str(kept[json.dumps(digest, sort_keys=True)])
        for name, digest in preimage["inputs"].items()
        if name != "templates"
    }
    out = tmp_path_factory.mktemp("report")
    plan = out / "plan.json"
    plan.write_text(json.dumps({"params": preimage["params"], "inputs": inputs}))
    names = asked(whole, "report", "report_page.py", plan, out)
    return Pages(
        delivered=whole.path / "report.html",
        again=out / "again.html",
        odd=out / "odd.html",
        bare=out / "bare.html",
        names=names,
        first=whole.file("report", "report.html"),
    )


@pytest.fixture(scope="module")
def desk(pages: Pages) -> Iterator[Opened]:
    """The delivered report on a desktop."""
    with opened(pages.delivered) as seen:
        yield seen


def demand_quiet(seen: Opened) -> None:
    assert seen.complaints == []
    assert seen.requests == []


def test_it_says_what_a_person_wants_to_know(whole: Delivered, desk: Opened) -> None:
    text, model = desk.text(), whole.model
    assert len((whole.path / "report.html").read_bytes()) < MOST
    demand_quiet(desk)
    for words in (
        model["name"],
        f"{model['target']['title']} takes this model",
        "mAP50-95",
        "points",
        f"{model['figures']['latency_ms']:,.1f} ms",
        "not the NPU",  # what CPU TFLM can stand for
        "Comparable with published figures",
        "val000",  # the pictures by name
        "Conv2D",
        "set the ranges of int8",
    ):
        assert words in text, words
    assert "edgemake:" not in (whole.path / "report.html").read_text(encoding="utf-8")


def test_links_lead_somewhere(desk: Opened) -> None:
    ids: list[str] = desk.page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids)), sorted({name for name in ids if ids.count(name) > 1})
    for link in desk.page.locator("a").all():
        assert (link.get_attribute("href") or "").removeprefix("#") in ids


def test_the_steps_the_config_and_the_versions_are_told(whole: Delivered, desk: Opened) -> None:
    steps = desk.page.locator("#steps-table tbody tr").all_inner_texts()
    assert len(steps) == len(whole.provenance["steps"])
    for record in whole.provenance["steps"].values():
        assert any(record["stage"] in row and record["digest"][:8] in row for row in steps)
    inside = desk.page.evaluate("document.body.textContent")
    for words in ("model.imgsz", "pycocotools", "quant.calibration.count"):
        assert words in inside, words
    drawn = desk.page.locator("#steps svg.chart g[id^=node-]").count()
    assert drawn == len(steps)


def test_figures_are_those_of_metrics_json(whole: Delivered, desk: Opened) -> None:
    metrics = json.loads((whole.path / "metrics.json").read_bytes())
    rows = desk.page.locator("#accuracy-board tbody tr").all_inner_texts()
    tiers = metrics["board"]["tiers"]
    assert len(rows) == len(tiers)
    for row, tier in zip(rows, tiers.values(), strict=True):
        assert f"{tier['box']['map50_95']:.3f}" in row
        assert f"{tier['at_threshold']['recall']:.3f}" in row
    assert desk.page.locator("#accuracy-comparable tbody tr").count() == len(
        metrics["comparable"]["tiers"]
    )


def test_tables_sort_by_click_and_by_key(desk: Opened) -> None:
    table = desk.page.locator("#files")
    sizes = table.locator("tbody td.number")

    def order() -> list[float]:
        return [float(cell.get_attribute("data-sort") or "") for cell in sizes.all()]

    heading = table.locator("thead th", has_text="size")
    heading.locator("button").click()
    assert order() == sorted(order(), reverse=True)
    assert heading.get_attribute("aria-sort") == "descending"
    heading.locator("button").focus()
    desk.page.keyboard.press("Enter")
    assert order() == sorted(order())
    assert heading.get_attribute("aria-sort") == "ascending"
    table.locator("thead th button", has_text="file").click()
    names = table.locator("tbody th").all_inner_texts()
    assert names == sorted(names, key=str.lower)
    assert table.locator("th[aria-sort=none]").count() == 2


def test_on_a_phone_in_the_dark(pages: Pages, tmp_path: Path) -> None:
    for page in (pages.delivered, pages.odd):
        with opened(page, width=PHONE, dark=True) as seen:
            assert seen.overflow() == 0
            assert max(seen.background()) < 50
            ink = seen.page.evaluate("getComputedStyle(document.querySelector('h1')).color")
            assert min(int(part) for part in ink.strip("rgb()").split(",")) > 200
            letters = seen.page.locator("svg.chart text").first
            assert letters.evaluate("one => getComputedStyle(one).fill") != "rgb(0, 0, 0)"
            seen.picture(tmp_path / "phone.png")
            demand_quiet(seen)
    with opened(pages.delivered, width=PHONE) as seen:
        assert seen.overflow() == 0
        assert min(seen.background()) > 200


def test_class_names_are_text_whatever_they_are(pages: Pages) -> None:
    with opened(pages.odd) as seen:
        demand_quiet(seen)
        text = seen.page.evaluate("document.body.textContent")
        for name in pages.names:
            assert name in text, name
        rows = seen.page.locator("#classes tbody th").all_inner_texts()
        assert set(pages.names) <= set(rows)
        assert seen.page.evaluate("document.scripts.length") == 1, "our own alone"


def test_what_is_missing_is_said(pages: Pages) -> None:
    with opened(pages.bare) as seen:
        demand_quiet(seen)
        text = seen.text()
        for words in ("Accuracy was not measured", "Nothing was trained", "takes this model"):
            assert words in text, words
        assert "undefined" not in text
        assert "None" not in text


def test_equal_parts_make_equal_bytes(pages: Pages) -> None:
    assert pages.again.read_bytes() == pages.first.read_bytes()
