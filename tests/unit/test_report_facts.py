"""What the program fills into a delivered report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stages.report_facts import complete
from vision.report_nodes import node_ids

MARKERS = ("graph", "steps", "config", "provenance")
PAGE = "".join(f"[{name}:<!-- edgemake:{name} -->]" for name in MARKERS)


def step(stage: str, label: str, outcome: str, **more: Any) -> dict[str, Any]:
    return {
        "stage": stage,
        "label": label,
        "digest": "0123456789abcdef",
        "outcome": outcome,
        "seconds": 1.25,
        "why": ["never built"],
        "parents": [],
        "toolchain": {"name": "torch", "lock": "feed"},
        "packages": {"numpy": "2.4.6"},
        "outputs": {"a.txt": "beef"},
        **more,
    }


def filled(folder: Path, **facts: Any) -> str:
    (folder / "report.html").write_text(PAGE, encoding="utf-8")
    complete(folder, {"config": {}, "steps": [], **facts})
    return (folder / "report.html").read_text(encoding="utf-8")


def test_every_marker_is_filled(tmp_path: Path) -> None:
    text = filled(tmp_path, steps=[step("train", "10 epochs", "built")])
    assert "edgemake:" not in text
    for word in ("10 epochs", "never built", "1 step ran in 1.2 s, 0 reused", "01234567", "2.4.6"):
        assert word in text, word
    assert "89abcdef" not in text, "short digests"


def test_what_ran_is_told_from_what_was_reused(tmp_path: Path) -> None:
    steps = [step("dataset", "digits", "reused", seconds=400.0), step("train", "x", "built")]
    text = filled(tmp_path, steps=steps)
    assert "1 step ran in 1.2 s, 1 reused" in text
    assert text.count("never built") == 1
    assert "all it is made of is unchanged" in text
    style = text.partition("]")[0]
    ids = node_ids([("dataset", "digits"), ("train", "x")])
    ran, reused = style.index(f"#{ids[1]} path"), style.index(f"#{ids[0]} path")
    assert "stroke-dasharray" in style[reused:]
    assert "stroke-dasharray" not in style[ran:reused]


def test_nothing_from_outside_becomes_markup(tmp_path: Path) -> None:
    evil = "</td><script>alert(1)</script>&"
    odd = step(
        evil, evil, "built", why=[evil], packages={evil: evil}, outputs={evil: evil},
        toolchain={"name": evil, "lock": evil}, parents=[evil],
    )  # fmt: skip
    text = filled(tmp_path, steps=[odd], config={evil: evil, "model": {evil: {evil: [evil]}}})
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&amp;" in text


def test_the_whole_config_with_dotted_keys(tmp_path: Path) -> None:
    config = {"model": {"name": "yolov8n", "args": {"b": None, "a": [1, 2]}}, "track": {"x": {}}}
    text = filled(tmp_path, config=config)
    for words in (
        "model.name</code>", "yolov8n", "model.args.a</code>", "[1, 2]", "null", "track.x</code>",
        "model (3 keys)", "track (1 key)",
    ):  # fmt: skip
        assert words in text, words


def test_one_package_in_two_toolchains_is_one_row(tmp_path: Path) -> None:
    two = step("evaluate", "val", "built", toolchain={"name": "evaluation", "lock": "cafe"})
    text = filled(tmp_path, steps=[step("train", "x", "built"), two])
    assert "evaluation, torch" in text
    assert "Versions of 1 package" in text


def test_without_report_or_markers_nothing_happens(tmp_path: Path) -> None:
    complete(tmp_path, {"config": {}, "steps": []})
    assert not list(tmp_path.iterdir())
    (tmp_path / "report.html").write_text("mine", encoding="utf-8")
    complete(tmp_path, {"config": {}, "steps": [step("train", "x", "built")]})
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == "mine"


def test_the_same_work_is_told_once(tmp_path: Path) -> None:
    twice = [step("convert", "x", "built"), step("convert", "x", "built")]
    assert "1 step ran" in filled(tmp_path, steps=twice)


def test_equal_steps_have_nodes_of_their_own() -> None:
    ids = node_ids([("predict", "a"), ("predict", "a"), ("predict", "b"), ("pre", "dicta")])
    assert len(set(ids)) == 4
    assert node_ids([("predict", "b")]) == [ids[2]], "no matter what stands before it"
