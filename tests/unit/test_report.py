"""Stage report, as it is planned."""

from __future__ import annotations

import pytest
from stage_configs import config

from edgemake.step import Output, Step, UserFile
from stages import report


def step(stage: str, *parents: Step, outputs: tuple[str, ...] = ("x",)) -> Step:
    inputs = {f"{i}": parent[parent.outputs[0]] for i, parent in enumerate(parents)}
    return Step(stage, {}, inputs, outputs, label=f"a {stage}")


TRAIN = step("train", step("dataset"), outputs=("results.csv", "train.json"))
PACKAGE = step("package", TRAIN, outputs=("model.json", "calibration.json"))


def test_it_takes_what_there_is() -> None:
    bare = report.plan(config(), "name", package=PACKAGE, parts={})
    assert set(bare.inputs) == {"templates", "model.json", "calibration.json"}
    parts = {"results.csv": TRAIN["results.csv"]}
    assert set(report.plan(config(), "name", package=PACKAGE, parts=parts).inputs) == {
        *bare.inputs, "results.csv",
    }  # fmt: skip
    assert (bare.toolchain, bare.outputs) == ("evaluation", ("report.html",))
    with pytest.raises(AssertionError, match="results"):
        report.plan(config(), "name", package=PACKAGE, parts={"results": TRAIN["train.json"]})


def test_templates_count_by_their_content() -> None:
    edge = report.plan(config(), "name", package=PACKAGE, parts={}).inputs["templates"]
    assert isinstance(edge, UserFile)
    names = {path.name for path in edge.path.iterdir()}
    assert {"page.html.j2", "style.css", "sort.js"} < names


def test_work_that_is_planned_twice_is_one_node() -> None:
    one, again, other = step("convert", TRAIN), step("convert", TRAIN), step("convert", PACKAGE)
    parts = {"head.json": one["x"], "export.json": again["x"], "data": other["x"]}
    graph = report.plan(config(), "name", package=PACKAGE, parts=parts).plain_params()["steps"]
    assert [node["stage"] for node in graph].count("convert") == 2
    assert len(graph[-1]["parents"]) == 3, "two converts and the package"


def test_the_graph_ends_with_the_report() -> None:
    extra = step("gate", TRAIN)
    parts = {"gate.json": Output(extra, "x")}
    params = report.plan(
        config("report.images=3"), "name", package=PACKAGE, parts=parts
    ).plain_params()
    assert params["images"] == 3
    graph = params["steps"]
    assert [node["stage"] for node in graph[:2]] == ["dataset", "train"]
    assert graph[-1]["stage"] == "report"
    assert graph[-1]["label"] == "name"
    for place, node in enumerate(graph):
        assert all(parent < place for parent in node["parents"]), "parents come first"
    by_stage = {node["stage"]: place for place, node in enumerate(graph)}
    assert graph[-1]["parents"] == sorted((by_stage["package"], by_stage["gate"]))
    assert graph[by_stage["package"]]["parents"] == [by_stage["train"]]
