"""`doit forget` and `doit -a`: steps run again; the first artifact of an action stays."""

from __future__ import annotations

import os
import signal

from lab import Lab


def test_forget_runs_one_step_once_more(built: Lab) -> None:
    before = {path: path.stat().st_ino for path in built.artifacts()}
    assert built.doit("forget", "choose").code == 0
    assert "run      choose" in built.doit("plan").text
    assert built.build() == ["choose"]
    assert built.build() == []
    assert {path: path.stat().st_ino for path in built.artifacts()} == before
    assert built.executions()[-1]["why"] == ["forgotten"]


def test_a_forgotten_step_that_is_killed_still_runs(built: Lab) -> None:
    ask = ("sleep.choose=0.5",)
    built.build(*ask)
    assert built.doit("forget", "choose", *ask).code == 0
    process = built.start(*ask)
    built.wait_for("choose", process)
    os.kill(process.pid, signal.SIGTERM)
    process.communicate()
    assert built.build(*ask) == ["choose"]


def test_always_runs_everything(built: Lab) -> None:
    assert built.build("-a") == ["source", "choose", "pack"]
    assert built.build() == []
    built.check_sound()


def test_a_stage_that_gives_other_bytes(fresh: Lab) -> None:
    fresh.behave("choose", "import os")
    fresh.edit("stages/choose.py", "words[i % len(words)]", "os.urandom(4).hex()")
    fresh.build()
    first = fresh.delivered()
    fresh.doit("forget", "choose")
    said = fresh.doit()
    assert said.code == 0
    assert "choose is not reproducible" in said.text
    assert [e["outcome"] for e in fresh.executions(None)][-1] == "different"
    assert fresh.delivered() == first
    (aside,) = fresh.root.glob("artifacts/.unreproducible/choose-*")
    assert (aside / "chosen.txt").read_text() != (
        fresh.artifacts("choose")[0] / "chosen.txt"
    ).read_text()
    fresh.check_sound()
    assert fresh.build() == []
    assert not list(fresh.root.glob("artifacts/.scratch/choose-*")), "nothing to resume from"
