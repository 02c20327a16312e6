"""Guarantee 22: garbage collection never breaks a build and keeps what deliverables refer to."""

from __future__ import annotations

import os
import shutil
import signal

import pytest
from lab import Lab


def _gc(lab: Lab, *arguments: str) -> str:
    said = lab.doit("gc", *arguments)
    assert said.code == 0, said.text
    return said.text


def test_it_keeps_what_deliverables_and_last_builds_use(built: Lab) -> None:
    built.build("count=5")
    built.build("count=6")
    shutil.rmtree(next(p for p in built.deliverables() if p.name.startswith("toy-5")))
    assert "kept 7" in _gc(built), "the last builds keep theirs"
    assert "deleted 2 artifacts" in _gc(built, "--keep", "1")
    built.check_sound()
    assert built.build() == []
    assert built.build("count=6") == []
    assert built.build("count=5") == ["choose", "pack"]


def test_a_dry_run_deletes_nothing(built: Lab) -> None:
    shutil.rmtree(built.deliverables()[0])
    before = built.artifacts()
    assert "would delete 3" in _gc(built, "--keep", "0", "--dry-run")
    assert built.artifacts() == before
    assert "deleted 3" in _gc(built, "--keep", "0")
    assert built.artifacts() == []
    assert not list(built.root.glob("artifacts/choose/*")), "links to nothing are gone"
    assert built.build() == ["source", "choose", "pack"]


def test_it_keeps_what_a_refused_model_was_made_of(built: Lab) -> None:
    built.doit("limit=3")
    assert "deleted 0" in _gc(built, "--keep", "0")


def test_it_refuses_while_a_build_runs(built: Lab) -> None:
    process = built.start("seed=9", "sleep.choose=20")
    built.wait_for("choose", process)
    said = built.doit("gc", "--keep", "0")
    assert said.code in (2, 3)
    assert "a build is going on" in said.text
    os.kill(process.pid, signal.SIGTERM)
    process.communicate()
    assert built.doit("gc", "--keep", "0").code == 0
    built.check_sound()


def test_it_clears_what_killed_builds_left(fresh: Lab) -> None:
    process = fresh.start("sleep.choose=20")
    fresh.wait_for("choose", process)
    fresh.kill_all()
    process.communicate()
    gone = fresh.root / "artifacts/store/choose/.gone-1234"
    gone.mkdir(parents=True)
    (gone / "chosen.txt").write_text("half")
    half = fresh.root / "artifacts/board/.toy-8-0123.4567"
    half.mkdir(parents=True)
    for number in range(12):
        (fresh.root / f"artifacts/.scratch/pack-{number}").mkdir()
    _gc(fresh)
    assert not gone.exists()
    assert not half.exists()
    kept = {path.name.partition("-")[0] for path in fresh.root.glob("artifacts/.scratch/*")}
    assert len(list(fresh.root.glob("artifacts/.scratch/*"))) <= 10
    assert kept == {"pack"} or "choose" in kept
    assert fresh.build() == ["choose", "pack"]


@pytest.mark.parametrize("text", ["", "[]", '{"steps": {"pack:1": {}}}', '{"steps": [1]}'])
def test_it_refuses_what_it_cannot_read(built: Lab, text: str) -> None:
    """An artifact that a damaged provenance may name is not taken for garbage."""
    before = built.artifacts()
    (built.deliverables()[0] / "provenance.json").write_text(text)
    said = built.doit("gc", "--keep", "0")
    assert said.code != 0
    assert "provenance.json cannot be read" in said.text
    assert "build it again or delete the folder" in said.text
    assert "Traceback" not in said.text
    assert built.artifacts() == before
    assert built.build() == []
    assert "deleted 0" in _gc(built, "--keep", "0")
