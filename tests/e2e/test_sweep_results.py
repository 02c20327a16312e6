"""The result of a sweep on the real chain: the table, sweep.csv, and the page in a real browser."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from browser.pages import Opened, opened
from lab import Said

from e2e.checkout import Checkout, read

COUNTS = ("16", "32")
FEW = (
    "evaluate.count=20", "evaluate.tiers=[cut_onnx,litert]", "report.images=0", "diagnose.images=1",
)  # fmt: skip
"""Enough to have an accuracy; which one is not what is tested here."""
SWEEP = ("-m", f"quant.calibration.count={','.join(COUNTS)}", *FEW)


@dataclass(frozen=True)
class Swept:
    """A sweep over two numbers of calibration images."""

    workshop: Checkout
    said: Said

    @property
    def folder(self) -> Path:
        """Where the end of the output says that the result lies."""
        [line] = [ln for ln in self.said.text.splitlines() if ln.startswith("wrote artifacts/")]
        return self.workshop.root / Path(line.split()[1].rstrip(",")).parent

    @property
    def page(self) -> Path:
        return self.folder / "sweep.html"

    def csv(self) -> list[dict[str, str]]:
        with (self.folder / "sweep.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))


def table(said: Said) -> list[list[str]]:
    """The rows of the table, in words, without the marks of the best."""
    found = []
    for line in said.text.splitlines():
        words = line.replace("*", "").split()
        if len(words) > 3 and words[0].isdigit() and words[1] in COUNTS:
            found.append(words)
    return found


@pytest.fixture(scope="module")
def swept(workshop: Checkout) -> Swept:
    said = workshop.doit(*SWEEP)
    assert said.code == 0, said.text
    return Swept(workshop, said)


@pytest.fixture(scope="module")
def desk(swept: Swept) -> Iterator[Opened]:
    with opened(swept.page) as seen:
        yield seen


def test_the_figures_are_those_of_the_deliverables(swept: Swept) -> None:
    assert swept.folder.parent == swept.workshop.root / "artifacts/sweeps"
    for row, shown, count in zip(swept.csv(), table(swept.said), COUNTS, strict=True):
        delivered = swept.workshop.root / "artifacts" / row["folder"]
        config = read(delivered / "provenance.json")["config"]
        assert config["quant"]["calibration"]["count"] == int(count)
        board = read(delivered / "metrics.json")["board"]
        exact = board["tiers"]["litert"]["box"]["map50_95"]
        figures = read(delivered / "model.json")["figures"]
        assert (row["outcome"], row["quant.calibration.count"]) == ("delivered", count)
        assert float(row["box_map50_95"]) == exact
        assert float(row["box_drop"]) == board["drop"]["box"]["map50_95"]
        assert float(row["latency_ms"]) == figures["latency_ms"]
        assert float(row["arena_kib"]) * 1024 == figures["arena_bytes"]
        assert float(row["file_kib"]) * 1024 == figures["flash_bytes"]
        assert shown[:4] == [row["point"], count, "delivered", f"{exact:.3f}"]
        assert shown[5] == f"{figures['latency_ms']:.1f}"
        assert float(shown[-1]) > 0


def test_another_order_works_nothing_out_again(swept: Swept) -> None:
    before = swept.workshop.executions(None)
    said = swept.workshop.doit("--sort", "-count", *SWEEP)
    assert said.code == 0, said.text
    assert [row[1] for row in table(said)] == list(reversed(COUNTS))
    assert [row[-1] for row in table(said)] == ["–", "–"]  # nothing ran
    assert swept.workshop.executions(None) == before
    assert Swept(swept.workshop, said).folder == swept.folder


def test_the_page_on_a_desk(swept: Swept, desk: Opened) -> None:
    assert str(swept.workshop.root) not in swept.page.read_text(encoding="utf-8")
    assert (desk.complaints, desk.requests, desk.overflow()) == ([], [], 0)
    text = desk.text()
    for word in ("Sweep of 2 points", "2 delivered", "quant.calibration.count", "16, 32",
                 "Accuracy over each parameter", "vela's estimate"):  # fmt: skip
        assert word in text
    rows = desk.page.locator("#points-table tbody tr")
    assert rows.count() == 2
    for place, row in enumerate(swept.csv()):
        assert f"{float(row['box_map50_95']):.3f}" in rows.nth(place).inner_text()


def test_headings_sort_and_dots_lead_to_rows(desk: Opened) -> None:
    heading = desk.page.locator("#points-table thead button", has_text="count")
    first = desk.page.locator("#points-table tbody tr").first
    heading.click()
    assert first.get_attribute("id") == "point-2"
    heading.click()
    assert first.get_attribute("id") == "point-1"
    dot = desk.page.locator("figure svg a[href='#point-2']").first
    title = dot.locator("title").text_content()
    assert title is not None
    assert title.startswith("2: quant.calibration.count=32")
    dot.dispatch_event("click")
    assert desk.page.evaluate("document.querySelector(':target').id") == "point-2"


def test_links_lead_to_the_reports_wherever_the_folder_goes(
    swept: Swept, desk: Opened, tmp_path: Path
) -> None:
    links = [a.get_attribute("href") for a in desk.page.locator("#points-table a").all()]
    assert len(links) == 2
    moved = tmp_path / "moved"
    for row in swept.csv():
        source = swept.workshop.root / "artifacts" / row["folder"]
        shutil.copytree(source, moved / row["folder"])
    shutil.copytree(swept.folder, moved / "sweeps" / swept.folder.name)
    with opened(moved / "sweeps" / swept.folder.name / "sweep.html") as seen:
        seen.page.locator("#points-table a").nth(1).click()
        seen.page.wait_for_load_state()
        assert swept.csv()[1]["folder"] in seen.page.url
        assert "report.html" in seen.page.url
        assert "yolov8n" in seen.page.title()


def test_the_page_on_a_phone_and_in_the_dark(swept: Swept, desk: Opened, tmp_path: Path) -> None:
    with opened(swept.page, width=360, dark=True) as seen:
        assert (seen.complaints, seen.requests, seen.overflow()) == ([], [], 0)
        assert sum(seen.background()) < sum(desk.background()) / 3
        seen.picture(tmp_path / "phone.png", whole=True)
    assert (tmp_path / "phone.png").stat().st_size > 20_000


def test_what_is_refused_is_told_with_its_figures(swept: Swept) -> None:
    said = swept.workshop.doit("deliver", *SWEEP, "gate.max_flash_kib=1")
    assert said.code == 1, said.text
    refused = Swept(swept.workshop, said)
    rows, sound = refused.csv(), swept.csv()
    assert [row["outcome"] for row in rows] == ["refused", "refused"]
    assert all(row["at"] and "max_flash_kib" in row["message"] for row in rows)
    assert all(row["folder"].endswith(".rejected") for row in rows)
    assert [row["latency_ms"] for row in rows] == [row["latency_ms"] for row in sound]
    with opened(refused.page) as seen:
        assert (seen.complaints, seen.requests) == ([], [])
        assert "What went wrong" in seen.text()
        assert "★" not in seen.page.locator("#points-table tbody").inner_text()


def test_without_an_evaluation_there_are_costs(swept: Swept) -> None:
    before = len(swept.workshop.executions(None))
    said = swept.workshop.doit("deliver", *SWEEP, "evaluate.count=19")
    assert said.code == 0, said.text
    [head] = [line for line in said.text.splitlines() if "latency" in line and "arena" in line][:1]
    assert "map" not in head
    assert "drop" not in head
    assert all(row["box_map50_95"] == "" and row["latency_ms"] for row in
               Swept(swept.workshop, said).csv())  # fmt: skip
    new = swept.workshop.executions(None)[before:]
    assert [line["stage"] for line in new] == ["sweep"]


def test_an_order_that_is_none_is_refused_before_work(swept: Swept) -> None:
    before = swept.workshop.executions(None)
    said = swept.workshop.doit("--sort", "latecny", "-m", "quant.calibration.count=5,7")
    assert (said.code, "did you mean 'latency'?" in said.text) == (3, True), said.text
    assert "Traceback" not in said.text
    assert swept.workshop.executions(None) == before
