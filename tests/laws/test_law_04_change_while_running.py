"""Guarantee 4: what changes while a stage runs is never recorded as current."""

from __future__ import annotations

from lab import Lab


def test_an_input_edited_while_its_stage_runs(fresh: Lab) -> None:
    lab = fresh
    lab.edit("stages/source.py", "time.sleep(params.sleep)\n",
             "(work.out / 'numbers').mkdir(); time.sleep(params.sleep)\n")  # fmt: skip
    lab.edit("stages/source.py", "    folder.mkdir()\n", "")
    process = lab.start("sleep.source=0.6")
    lab.wait_for("source", process)
    lab.write("input.txt", "five six")
    text, _ = process.communicate()
    assert process.returncode != 0
    assert "input text changed while it ran" in text
    assert lab.artifacts("source") == []
    assert lab.build("sleep.source=0.6") == ["source", "choose", "pack"]
    (model,) = lab.delivered().values()
    assert "FIVE" in model


def test_an_input_edited_before_its_stage_starts(fresh: Lab) -> None:
    """Planned with the old content; were the edit taken back while the stage runs, a look at the
    end alone would see nothing."""
    lab = fresh
    lab.write("late.txt", "old")
    late = '{"numbers": numbers["numbers"], "late": UserFile(PROJECT.root / "late.txt")}'
    lab.edit("dodo.py", '{"numbers": numbers["numbers"]}', late)
    process = lab.start("sleep.source=0.6")
    lab.wait_for("source", process, sign="work")
    lab.write("late.txt", "new")
    text, _ = process.communicate()
    assert "input late changed before it ran" in text
    assert lab.artifacts("choose") == []
    assert lab.build("sleep.source=0.6") == ["choose", "pack"]


def test_code_edited_before_its_stage_starts(fresh: Lab) -> None:
    """Whatever the running build makes of it, it must not stand for the old code: the day on
    which the edit is taken back would find it in the store."""
    lab = fresh
    old = (lab.root / "stages/choose.py").read_text()
    process = lab.start("sleep.choose=0.5", "more=[9]")
    lab.wait_for("choose", process)
    lab.edit("stages/choose.py", "words[i % len(words)]", "'edited'")
    process.communicate()
    lab.write("stages/choose.py", old)
    lab.build("sleep.choose=0.5", "more=[9]")
    assert "EDITED" not in "".join(lab.delivered().values())


def test_code_edited_while_its_stage_runs(fresh: Lab) -> None:
    lab = fresh
    process = lab.start("sleep.choose=0.6")
    lab.wait_for("choose", process)
    lab.edit("stages/choose.py", "words[i % len(words)]", "'edited'")
    text, _ = process.communicate()
    assert process.returncode != 0
    assert "stages.choose changed" in text
    assert lab.artifacts("choose") == []
