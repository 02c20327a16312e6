"""What a sweep came to: axes, figures, fronts, the CSV file, and the step that draws."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import msgspec
import pytest
from compare_files import metrics, model
from hypothesis import given
from hypothesis import strategies as some
from stage_configs import config

from edgemake.endings import Ending
from edgemake.step import Output, Step
from stages import pipeline_sweep, sweep
from stages.schema import Config
from vision.compare_notes import listed
from vision.sweep_axes import REMOVED, axes, short_names, values_of
from vision.sweep_figures import COLUMNS, RESERVED, swept, table_csv
from vision.sweep_page import cards, context, troubles

ODD = 'a "quoted", 模型; ü\nline'
"""A message as tools write them."""


def point(*words: str, **told: Any) -> dict[str, Any]:
    """A delivered point, as the step is told of it."""
    number = abs(hash(words)) % 1000
    ended = {
        "outcome": "delivered", "at": "", "message": "", "folder": f"grove_v2/toy-{number:03}",
        "report": True, "seconds": 1.5,
    }  # fmt: skip
    return {"point": list(words), **ended, **told}


def failed(*words: str, outcome: str = "failed", at: str = "convert") -> dict[str, Any]:
    """A point that has no model."""
    return point(*words, outcome=outcome, at=at, message=ODD, folder="", report=False, seconds=0.0)


def entry(value: float | None, **figures: Any) -> dict[str, Any]:
    return {"model": model(**figures), "metrics": None if value is None else metrics(value)}


def four() -> dict[str, Any]:
    """Three models of rising cost, the second beaten, and a point that failed."""
    points = [
        point(f"quant.calibration.count={count}", "model.imgsz=192") for count in (16, 32, 64)
    ]
    entries = {
        0: entry(0.50, latency_ms=10.0),
        1: entry(0.45, latency_ms=20.0),
        2: entry(0.60, latency_ms=30.0),
    }
    last = failed("quant.calibration.count=128", "model.imgsz=192")
    return swept([*points, last], entries)


# axes


def test_axes_are_what_varies() -> None:
    found = axes([("target=a", "x.count=16"), ("target=b", "x.count=4"), ("target=b", "~x.count")])
    assert [(axis.key, axis.values, axis.numbers) for axis in found] == [
        ("target", ("a", "b"), False),
        ("x.count", ("16", "4", REMOVED), False),
    ]
    assert axes([()]) == []


def test_values_as_hydra_writes_them() -> None:
    assert values_of(["+a.b=1", "++c='x=y'", "a.b=2", "~d=3"]) == {
        "a.b": "2", "c": "'x=y'", "d": REMOVED,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("keys", "names"),
    [
        (["quant.calibration.count", "target"], ["count", "target"]),
        (["quant.calibration.count", "evaluate.count"], ["calibration.count", "evaluate.count"]),
        (["a.b.c", "b.c"], ["a.b.c", "b.c"]),
        (["a.count", "count"], ["a.count", "count"]),
        (["model.imgsz"], ["model.imgsz"]),
    ],
)
def test_short_names_are_told_apart(keys: list[str], names: list[str]) -> None:
    assert list(short_names(keys, RESERVED).values()) == names


@given(some.lists(some.from_regex(r"[a-c]{1,2}(\.[a-c]{1,2}){0,2}", fullmatch=True), unique=True))
def test_no_two_keys_are_called_the_same(keys: list[str]) -> None:
    short = short_names(keys, RESERVED)
    assert len(set(short.values())) == len(keys)
    assert all(f".{key}".endswith(f".{name}") for key, name in short.items())


def test_no_key_of_a_config_is_called_like_a_column() -> None:
    sections = {field.name for field in msgspec.structs.fields(Config)}
    assert not sections & set(COLUMNS)


# figures


def test_every_point_has_a_row_and_the_best_are_marked() -> None:
    found = four()
    assert [row["point"] for row in found["points"]] == [1, 2, 3, 4]
    assert [row["outcome"] for row in found["points"]] == ["delivered"] * 3 + ["failed"]
    assert found["points"][3]["figures"] == {}
    assert found["points"][0]["figures"]["box_map50_95"] == 0.5
    best = {column["key"]: column["best"] for column in found["columns"]}
    assert (best["box_map50_95"], best["latency_ms"], best["file_kib"]) == ([3], [1], [])
    assert [row["fronts"] for row in found["points"]] == [
        ["latency_ms"], [], ["latency_ms", "arena_kib", "file_kib"], []]  # fmt: skip
    assert [(axis["key"], axis["short"]) for axis in found["axes"]] == [
        ("quant.calibration.count", "count"), ("model.imgsz", "model.imgsz")]  # fmt: skip


def test_what_a_board_refuses_is_best_at_nothing() -> None:
    refused = entry(0.9, latency_ms=1.0)
    refused["model"]["contract"]["passed"] = False
    points = [point("a=1"), point("a=2"), point("a=3", outcome="refused", at="arena", message="no")]
    found = swept(points, {0: entry(0.5), 1: entry(0.6), 2: refused})
    assert all(3 not in column["best"] for column in found["columns"])
    assert found["points"][2]["figures"]["latency_ms"] == 1.0
    assert not found["points"][2]["passed"]
    assert found["notes"][0] == "3: the board would refuse the file, so it is best at nothing"


def test_a_users_limit_that_refuses_counts_too() -> None:
    points = [point("a=1"), point("a=2", outcome="refused", at="min_map", message="no")]
    found = swept(points, {0: entry(0.5, latency_ms=9.0), 1: entry(0.6, latency_ms=1.0)})
    assert all(column["best"] == [] for column in found["columns"])
    latency = next(chart for chart in found["charts"] if chart["cost"] == "latency_ms")
    assert latency["front"] == ["1"], "a refused one beats nobody"
    assert latency["without"] == [{"letter": "2", "why": "refused"}]
    assert found["notes"][0] == "2: not delivered (a gate of yours), so it is best at nothing"


def test_without_an_evaluation_there_is_no_accuracy() -> None:
    found = swept([point("a=1"), point("a=2")], {0: entry(None), 1: entry(None, latency_ms=9.0)})
    keys = {column["key"] for column in found["columns"]}
    assert {"latency_ms", "arena_kib", "file_kib"} <= keys
    assert not any("map" in key or "drop" in key for key in keys)
    assert found["charts"] == []
    assert "1 and 2: the accuracy of int8 was not measured" in found["notes"]


def test_other_data_are_never_compared_in_silence() -> None:
    other = {"model": model(), "metrics": metrics(0.9, dataset="figures")}
    found = swept([point("a=1"), point("a=2")], {0: entry(0.5), 1: other})
    assert {c["key"]: c["best"] for c in found["columns"]}["box_map50_95"] == []
    assert [row["data"] for row in found["points"]] == [0, 1]
    assert found["notes"][0].startswith("accuracy was not measured on the same thing (1: detect")


def test_points_that_came_to_the_same_are_told() -> None:
    points = [point(f"evaluate.count={n}", folder="grove_v2/toy") for n in (1, 2, 3)]
    found = swept(points, dict.fromkeys(range(3), entry(0.5)))
    told = "1 to 3: the same deliverable; what they differ in is not part of it"
    assert told in found["notes"]


def test_nothing_but_failures_is_a_result_too() -> None:
    found = swept([failed("a=1"), failed("a=2", outcome="not planned", at="")], {})
    assert (found["columns"], found["charts"], found["notes"]) == ([], [], [])
    assert len(list(csv.reader(io.StringIO(table_csv(found))))) == 3


def test_numbers_in_a_row_are_told_short() -> None:
    assert listed([str(n) for n in (1, 2, 3, 5, 7, 8)]) == "1 to 3, 5, 7 and 8"
    assert listed(["A", "B", "C"]) == "A, B and C"


# sweep.csv


def read(found: dict[str, Any]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(table_csv(found), newline="")))


def test_the_csv_has_everything_as_it_was_measured() -> None:
    exact = entry(0.5)
    exact["metrics"]["board"]["tiers"]["tflm"]["box"]["map50_95"] = 0.123456
    rows = read(swept([point("model.name='a,\"b\"'"), failed("model.name=模型")], {0: exact}))
    assert rows[0]["box_map50_95"] == "0.123456"
    assert rows[0]["file_kib"] == str(2_857_472 / 1024)
    assert (rows[0]["board"], rows[0]["measured_on"], rows[0]["images"]) == (
        "grove_v2", "digits", "200")  # fmt: skip
    assert [row["model.name"] for row in rows] == ["'a,\"b\"'", "模型"]
    assert (rows[1]["outcome"], rows[1]["at"], rows[1]["message"]) == ("failed", "convert", ODD)
    assert (rows[1]["box_map50_95"], rows[1]["board"], rows[1]["folder"]) == ("", "", "")


def test_the_columns_are_the_same_for_every_sweep() -> None:
    one = table_csv(four()).partition("\n")[0]
    other = table_csv(swept([failed("seed=1")], {})).partition("\n")[0]
    assert one.replace("quant.calibration.count,model.imgsz", "seed") == other
    assert one.split(",")[0] == "point"


@given(some.lists(some.text(alphabet=some.characters(exclude_characters="\0\r"), max_size=9)))
def test_any_words_survive_the_csv(words: list[str]) -> None:
    points = [failed(f"a={word}") | {"message": word} for word in words]
    rows = read(swept(points, {}))
    assert [row["message"] for row in rows] == words
    assert [row["a"] for row in rows] == words


# the page, as far as it is made without a toolchain


def test_cards_tell_the_most_accurate_of_equals() -> None:
    points = [point(f"quant.calibration.count={count}") for count in (16, 32, 64)]
    entries = {i: entry(0.5 + i / 10) | {} for i in range(3)}
    entries[2] = entry(0.55, latency_ms=99.0)
    told = {card["title"]: card for card in cards(swept(points, entries))}
    assert (told["Fastest"]["point"], told["Fastest"]["others"]) == (2, "1")
    assert (told["Most accurate"]["point"], told["Most accurate"]["value"]) == (2, "0.600")
    assert told["Fastest"]["words"] == "count=32"
    assert "Smallest file" not in told


def test_equal_troubles_are_told_once() -> None:
    points = [failed("a=1"), failed("a=2"), point("a=3", at="evaluate", message="killed")]
    told = list(troubles(swept(points, {2: entry(0.5)})))
    assert [one["title"] for one in told] == [
        "Points 1 and 2: failed at convert", "Point 3: delivered, evaluate failed"]  # fmt: skip
    assert told[0]["message"] == ODD
    assert told[1]["words"] == "a=3"


def test_the_table_escapes_and_links() -> None:
    odd = point("a=<b>", folder="grove_v2/a b&c-1")
    table = context(swept([odd, failed("a=2")], {0: entry(0.5)}))["table"]
    assert 'href="../../grove_v2/a%20b%26c-1/report.html"' in table
    assert table.count("report.html") == 1
    assert "&lt;b&gt;" in table
    assert "<b>" not in table
    assert 'id="point-2"' in table


# the step


def step(stage: str, *outputs: str) -> Step:
    return Step(stage, {}, {}, outputs)


def ending(count: int, root: Path, **told: Any) -> Ending:
    package, proof = step("package", "model.json"), step("evaluate", "metrics.json")
    outputs = {"model.json": package["model.json"], "metrics.json": proof["metrics.json"]}
    path = root / f"grove_v2/toy-{count}"
    known: dict[str, Any] = {
        "word": "delivered",
        "key": f"k{count}",
        "path": path,
        "outputs": outputs,
    }
    return Ending((f"quant.calibration.count={count}",), **(known | told))


def test_the_step_takes_what_is_there(tmp_path: Path) -> None:
    there = ending(16, tmp_path)
    assert there.path is not None
    there.path.mkdir(parents=True)
    (there.path / "report.html").touch()
    nothing: dict[str, Any] = {
        "word": "failed",
        "at": "convert",
        "message": "no",
        "path": None,
        "outputs": {},
    }
    endings = [there, ending(32, tmp_path, **nothing)]
    made = pipeline_sweep.Conclusion(config(), tmp_path).errand(endings, "").step
    edges = {name: edge for name, edge in made.inputs.items() if isinstance(edge, Output)}
    assert sorted(edges) == ["00000.metrics.json", "00000.model.json"]
    assert (made.stage, made.toolchain) == ("sweep", "evaluation")
    assert str(tmp_path) not in str(made.plain_params())
    first, second = made.plain_params()["points"]
    assert (first["folder"], first["report"]) == ("grove_v2/toy-16", True)
    assert (second["folder"], second["report"], second["message"]) == ("", False, "no")


def test_a_sweep_has_a_folder_of_its_own(tmp_path: Path) -> None:
    endings = [ending(count, tmp_path) for count in (16, 32)]
    name = pipeline_sweep.folder_name(endings)
    assert name.startswith("count-")
    assert name == pipeline_sweep.folder_name(
        [ending(c, tmp_path, word="failed") for c in (16, 32)]
    )
    assert name != pipeline_sweep.folder_name([*endings, ending(64, tmp_path)])
    assert pipeline_sweep.folder_name([Ending((), "failed")]).startswith("one-point-")
    odd = Ending(("'../x y'/z=1",), "failed")
    assert "/" not in pipeline_sweep.folder_name([odd])


def test_no_target_may_be_called_like_the_folder() -> None:
    from stages.pipeline import TAKEN

    assert {pipeline_sweep.FOLDER, "sweep"} <= TAKEN


def test_the_page_asks_for_nothing() -> None:
    source = (sweep.TEMPLATES / "sweep.html.j2").read_text(encoding="utf-8")
    for word in ("http:", "https:", "@import", "url(", "src="):
        assert word not in source.replace("script-src", "").replace("img-src", "")
    assert all(path.is_file() for path in sweep.PAGE)
