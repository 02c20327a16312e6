"""Stage compare as it is planned, and the text of the command."""

from __future__ import annotations

import json
import string
from pathlib import Path

import pytest
from compare_files import deliverable, entry
from stage_configs import config

from edgemake.errors import UserError
from edgemake.step import Output
from stages import compare, pipeline
from stages.compare_table import hand_out, lines
from vision.compare_entries import compared

OVERRIDES = ("quant.calibration.source=val",)


def test_the_step_takes_what_is_there(tmp_path: Path) -> None:
    folders = [
        (name, deliverable(tmp_path, name, value, count))
        for name, value, count in (("grove_v2/a", 0.5, 64), ("grove_v2/b", None, 128))
    ]
    step = pipeline.side_by_side(config(*OVERRIDES), folders, [])
    assert sorted(step.inputs) == ["A.metrics.json", "A.model.json", "B.model.json",
                                   "compare.html.j2", "style.css"]  # fmt: skip
    assert step.plain_params() == {
        "names": ["grove_v2/a", "grove_v2/b"],
        "measured": [True, False],
        "differences": [{"key": "quant.calibration.count", "values": ["64", "128"]}],
    }
    assert (step.toolchain, list(step.parents())) == ("evaluation", [])
    assert str(tmp_path) not in json.dumps(step.plain_params())


def test_of_targets_it_takes_the_package_and_the_metrics() -> None:
    planned = [
        (pipeline.plan(config(*OVERRIDES, f"target={board}")), {"target": {"name": board}})
        for board in ("grove_v2", "xiao_esp32s3")
    ]
    step = pipeline.side_by_side(config(), [], planned)
    for letter in "AB":
        for name, stage in (("model.json", "package"), ("metrics.json", "evaluate")):
            edge = step.inputs[f"{letter}.{name}"]
            assert isinstance(edge, Output)
            assert (edge.step.stage, edge.path) == (stage, name)
    names = step.plain_params()["names"]
    assert [name.partition("/")[0] for name in names] == ["grove_v2", "xiao_esp32s3"]


def test_without_an_evaluation_there_are_costs_to_compare() -> None:
    one = config(*OVERRIDES, "evaluate.tiers=[]")
    step = pipeline.side_by_side(one, [], [(pipeline.plan(one), {})] * 2)
    assert step.plain_params()["measured"] == [False, False]


# the text


def text(count: int, **options: int) -> list[str]:
    boards = ("grove_v2", "xiao_esp32s3", "spacemit_k1")
    entries = [entry(0.5 + 0.01 * i, target=boards[i % 3]) for i in range(count)]
    found = compared([f"grove_v2/a-rather-long-name-of-a-model-{i}" for i in range(count)], entries)
    found["differences"] = [{"key": "quant.calibration.count", "values": ["64"] * count}]
    return list(lines(found, **options))


@pytest.mark.parametrize("count", [2, 3, 4, 5, 9, 26])
def test_it_fits_into_100_columns(count: int) -> None:
    found = text(count)
    assert max(map(len, found)) <= 100
    rows = [line.split() for line in found if line.startswith("  mAP50-95, boxes")]
    values = [word for row in rows for word in row[2:] if word != "*"]
    assert values == [f"{0.5 + 0.01 * i:.3f}" for i in range(count)]
    letters = string.ascii_uppercase[:count]
    heads = [line.split() for line in found if line.split() and set(line.split()) <= set(letters)]
    assert "".join(letter for head in heads for letter in head) == letters


def test_the_best_is_marked_without_colour() -> None:
    found = "\n".join(text(3))
    assert "\x1b" not in found
    [row] = [line for line in text(3) if line.startswith("  mAP50-95, boxes")]
    assert row.rstrip().endswith("0.520 *")
    assert row.count("*") == 1
    assert "* best of its row" in found
    assert "Pareto front, mAP50-95 of boxes against latency, ms: C (beaten: A, B)" in found


def test_a_wide_terminal_holds_more() -> None:
    assert sum("grove_v2" in line and "A" not in line for line in text(6, width=200)) < sum(
        "grove_v2" in line and "A" not in line for line in text(6)
    )


def artifact(folder: Path) -> Path:
    """What the stage leaves, as the store keeps it."""
    folder.mkdir()
    found = compared(["a/b", "a/c"], [entry(0.5), entry(None)]) | {"differences": []}
    (folder / "compare.json").write_text(json.dumps(found))
    (folder / "compare.html").write_text("<!doctype html>")
    (folder / "compare.html").chmod(0o444)
    return folder


def test_the_page_is_handed_out_again_and_again(tmp_path: Path) -> None:
    made, page = artifact(tmp_path / "made"), tmp_path / "new/folder/compare.html"
    for _ in range(2):
        told = list(hand_out(page, made))
    assert told[-1] == f"\nwrote {page}"
    assert page.read_text() == "<!doctype html>"
    assert page.stat().st_mode & 0o200


def test_a_place_that_went_away(tmp_path: Path) -> None:
    made = artifact(tmp_path / "made")
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="say out=FOLDER"):
        list(hand_out(tmp_path / "file/compare.html", made))


def test_the_template_is_where_the_plan_says() -> None:
    source = compare.TEMPLATE.read_text(encoding="utf-8")
    assert source[:2000].encode().find(b'content="doit compare"') > 0
    for word in ("http:", "https:", "<script", "@import", "url("):
        assert word not in source
