"""Guarantee 5: an output that was changed, cut short or deleted is seen and repaired."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from lab import Lab


def _write(path: Path, text: str) -> None:
    path.chmod(0o644)
    path.write_text(text)


def _quietly(path: Path) -> None:
    """One byte, with size and mtime as they were."""
    stat, text = path.stat(), path.read_text()
    _write(path, text.swapcase())
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def _to_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES: dict[str, Callable[[Path], object]] = {
    "changed": lambda path: _write(path, "other"),
    "changed quietly": _quietly,
    "cut short": lambda path: _write(path, ""),
    "deleted": Path.unlink,
    "made a folder": _to_folder,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_file_in_the_store(built_as: Lab, damage: str) -> None:
    lab = built_as
    before = lab.delivered()
    DAMAGES[damage](lab.artifacts("choose")[0] / "chosen.txt")
    assert lab.build() == ["choose"]
    assert lab.delivered() == before
    lab.check_sound()
    assert "chosen.txt was changed in the store" in lab.executions()[-1]["why"][0]


@pytest.mark.parametrize("damage", ["changed quietly", "deleted", "an extra file"])
def test_inside_a_folder_in_the_store(built_as: Lab, damage: str) -> None:
    lab = built_as
    numbers = lab.artifacts("source")[0] / "numbers"
    if damage == "an extra file":
        (numbers / "9.txt").write_text("more")
    else:
        DAMAGES[damage](numbers / "3.txt")
    assert lab.build() == ["source"]
    lab.check_sound()


@pytest.mark.parametrize("damage", ["changed", "cut short", "deleted"])
def test_a_record(built: Lab, damage: str) -> None:
    DAMAGES[damage](built.artifacts("pack")[0] / "step.json")
    assert built.build() == ["pack"]
    built.check_sound()


def test_a_whole_artifact_and_the_whole_store(built: Lab) -> None:
    shutil.rmtree(built.artifacts("choose")[0])
    assert built.build() == ["choose"]
    shutil.rmtree(built.root / "artifacts/store")
    assert built.build() == ["source", "choose", "pack"]
    built.check_sound()


@pytest.mark.parametrize("damage", ["changed", "changed quietly", "deleted"])
def test_a_deliverable_is_repaired_from_the_store(built_as: Lab, damage: str) -> None:
    lab = built_as
    before = lab.delivered()
    DAMAGES[damage](lab.deliverables()[0] / "model.txt")
    assert lab.build() == []
    assert lab.delivered() == before
    lab.check_sound()


def _add_notes(folder: Path) -> dict[str, str]:
    (folder / "tried").mkdir()
    (folder / "notes.txt").write_text("works in daylight")
    (folder / "tried/monday.txt").write_text("well")
    (folder / "link").symlink_to("nowhere")
    return {"notes.txt": "works in daylight", "tried/monday.txt": "well"}


def _notes(folder: Path) -> dict[str, str]:
    found = (folder / name for name in ("notes.txt", "tried/monday.txt"))
    return {str(path.relative_to(folder)): path.read_text() for path in found if path.exists()}


@pytest.mark.parametrize("why", ["nothing", "damage", "a lost note", "other code"])
def test_what_people_add_to_a_deliverable_stays(built_as: Lab, why: str) -> None:
    lab = built_as
    lab.build()
    (folder,) = lab.deliverables()
    notes, before = _add_notes(folder), lab.delivered()
    inode = folder.stat().st_ino
    if why == "damage":
        _write(folder / "model.txt", "other")
    elif why == "a lost note":
        shutil.rmtree(lab.root / "artifacts/.state")
    elif why == "other code":
        lab.edit("stages/pack.py", "text.upper()", "text.upper() + '!'")
        before = {name: text + "!" for name, text in before.items()}
    lab.build()
    assert (folder.stat().st_ino == inode) == (why == "nothing")
    assert _notes(folder) == notes
    assert os.readlink(folder / "link") == "nowhere"
    assert lab.delivered() == before
    lab.check_sound()


def test_what_people_add_to_a_refused_model_stays(built: Lab) -> None:
    lab = built
    verdict = 'len(text) <= params["limit"]'
    lab.edit("stages/pack.py", verdict, "False")
    lab.doit()
    (rejected,) = lab.root.glob("artifacts/board/*.rejected")
    notes = _add_notes(rejected)
    lab.doit()
    assert _notes(rejected) == notes
    lab.edit("stages/pack.py", "False", verdict)
    lab.build()
    assert not rejected.exists()
    (folder,) = lab.deliverables()
    assert _notes(folder) == notes
    assert not (folder / "REJECTED.txt").exists()


def test_what_people_put_in_our_place_is_not_deleted(built: Lab) -> None:
    model = built.deliverables()[0] / "model.txt"
    _to_folder(model)
    (model / "mine.txt").write_text("mine")
    said = built.doit()
    assert said.code != 0
    assert "model.txt/mine.txt is in the way" in said.text
    assert (model / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize("damage", ["deleted", "elsewhere", "a real folder"])
def test_a_link(built_as: Lab, damage: str) -> None:
    lab = built_as
    (link,) = (lab.root / "artifacts/choose").iterdir()
    target = link.resolve()
    link.unlink()
    if damage == "elsewhere":
        link.symlink_to(lab.artifacts("pack")[0])
    if damage == "a real folder":
        link.mkdir()
        said = lab.doit()
        assert said.code != 0
        assert "move it away" in said.text
        assert "Traceback" not in said.text
        link.rmdir()
    assert lab.build() == []
    assert link.resolve() == target
