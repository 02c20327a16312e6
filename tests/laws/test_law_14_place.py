"""Guarantee 14: neither the folder nor the user matters."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from lab import ORDINARY, Lab

from edgemake.provenance import without_places

NOBODY = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--")


def _facts(lab: Lab) -> dict[str, object]:
    return {record["digest"]: record["outputs"] for record in lab.records()}


@pytest.mark.parametrize("name", ["other", "Mein Projekt – für alle ☂", "a'b;c$d", "-dash", "x=y"])
def test_another_folder(built_once: Lab, tmp_path: Path, name: str) -> None:
    lab = built_once.copy(tmp_path / name / name, artifacts=False)
    assert lab.build() == ["source", "choose", "pack"]
    assert _facts(lab) == _facts(built_once)
    assert lab.build() == []
    assert lab.delivered() == built_once.delivered()
    lab.check_sound()


def test_a_moved_project_reuses_everything(built: Lab, tmp_path: Path) -> None:
    moved = built.root.rename(tmp_path / "moved here")
    lab = Lab(moved)
    assert lab.build() == []
    lab.check_sound()


def test_an_input_elsewhere_with_a_strange_name(built: Lab, tmp_path: Path) -> None:
    other = tmp_path / "là bas" / "naïve text, (1) [2].txt"
    other.parent.mkdir()
    other.write_bytes((built.root / "input.txt").read_bytes())
    assert built.build(f"text='{other}'") == []
    other.write_text("new")
    assert built.build(f"text='{other}'") == ["source", "choose", "pack"]


def test_what_is_shared_names_no_folder(fresh: Lab, tmp_path: Path) -> None:
    """Config, reasons and records in the provenance say nothing of where things lay."""
    other = tmp_path / "private/text.txt"
    other.parent.mkdir()
    other.write_text("one two")
    fresh.build()
    fresh.build(f"text={other}", "count=9")
    other.write_text("one two three")
    fresh.build(f"text={other}", "count=9")
    texts = [(path / "provenance.json").read_text() for path in fresh.deliverables()]
    assert len(texts) == 3
    assert not [text for text in texts if str(tmp_path) in text]
    configs = [json.loads(text)["config"]["text"] for text in texts]
    assert sorted(configs) == ["input.txt", "text.txt", "text.txt"]


def test_a_value_without_its_places() -> None:
    value = {"dir": "/home/me/data.yaml", "list": ["/a/b", "c/d"], "n": 3, "root": {"x": "/"}}
    shared = {"dir": "data.yaml", "list": ["b", "c/d"], "n": 3, "root": {"x": ""}}
    assert without_places(value) == shared


def test_through_a_symbolic_link(built: Lab, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(built.root)
    assert Lab(tmp_path / "link").build() == []
    (built.root / "linked.txt").symlink_to(built.root / "input.txt")
    assert built.build("text=linked.txt") == []
    built.write("input.txt", "changed behind the link")
    assert built.build("text=linked.txt") == ["source", "choose", "pack"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_user(built_once: Lab, tmp_path: Path) -> None:
    """nobody, where nobody can run this Python; else root without any capability."""
    tmp_path.chmod(0o777)
    for folder in tmp_path.parents:
        if folder.stat().st_uid == os.geteuid() and len(folder.parts) > 2:
            folder.chmod(folder.stat().st_mode | 0o011)
    command = [*NOBODY, "sh", "-c", f"{sys.executable} -c 'import edgemake.build'"]
    can = subprocess.run(command, check=False, capture_output=True).returncode == 0
    lab = built_once.copy(tmp_path / "toy", artifacts=False)
    if can:
        subprocess.run(["chown", "-R", "65534:65534", str(lab.root)], check=True)
    lab = Lab(lab.root, NOBODY if can else ORDINARY)
    assert lab.build() == ["source", "choose", "pack"]
    assert _facts(lab) == _facts(built_once)
    assert lab.build() == []
