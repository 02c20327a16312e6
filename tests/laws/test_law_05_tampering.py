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
