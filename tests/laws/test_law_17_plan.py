"""Guarantee 17: `doit plan` changes nothing and tells what a build will do."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from lab import Lab


def _plan(lab: Lab, *arguments: str) -> dict[str, str]:
    """Stage -> what the plan says of it; nothing on disk may have changed."""
    before = lab.snapshot()
    said = lab.doit("plan", *arguments, environment={"PYTHONDONTWRITEBYTECODE": "1"})
    assert said.code == 0, said.text
    assert lab.snapshot() == before
    told = {}
    for line in said.text.splitlines():
        for word in ("reuse", "may run", "run"):
            if line.startswith(f"{word:<8} "):
                told[line[9:].split()[0]] = word
    return told


CHANGES: dict[str, Callable[[Lab], object]] = {
    "nothing": lambda lab: None,
    "the input": lambda lab: lab.write("input.txt", "new"),
    "a stage": lambda lab: lab.edit("stages/choose.py", "i % len", "(0 + i) % len"),
    "the first artifact": lambda lab: (lab.artifacts("source")[0] / "numbers/1.txt").unlink(),
    "a deliverable": lambda lab: (lab.deliverables()[0] / "model.txt").unlink(),
}
TOLD = {
    "nothing": ("reuse", "reuse", "reuse", "reuse"),
    "the input": ("run", "may run", "may run", "run"),
    "a stage": ("reuse", "run", "may run", "run"),
    "the first artifact": ("run", "may run", "may run", "run"),
    "a deliverable": ("reuse", "reuse", "reuse", "run"),
}
RUN = {
    "nothing": [],
    "the input": ["source", "choose", "pack"],
    "a stage": ["choose"],
    "the first artifact": ["source"],
    "a deliverable": [],
}


@pytest.mark.parametrize("change", CHANGES)
def test_plan_tells_what_the_build_then_does(built: Lab, change: str) -> None:
    built.build()
    CHANGES[change](built)
    told = _plan(built)
    assert tuple(told[s] for s in ("source", "choose", "pack", "deliver")) == TOLD[change]
    ran = built.build()
    assert ran == RUN[change]
    assert {s for s, word in told.items() if word == "run"} - {"deliver"} <= set(ran)
    assert set(ran) <= {s for s, word in told.items() if word != "reuse"}


def test_before_anything_was_built(fresh: Lab) -> None:
    told = _plan(fresh)
    assert told == {"source": "run", "choose": "may run", "pack": "may run", "deliver": "run"}
    assert not (fresh.root / "artifacts").exists()


def test_of_one_task_and_of_another_config(built: Lab) -> None:
    assert _plan(built, "count=5", "choose")["choose"] == "run"
    assert "pack" not in _plan(built, "count=5", "choose")


def test_in_a_read_only_project(built_as: Lab) -> None:
    artifacts = built_as.root / "artifacts"
    folders = [p for p in artifacts.rglob("*") if p.is_dir() and not p.is_symlink()]
    for folder in [artifacts, *folders]:
        folder.chmod(0o555)
    try:
        told = _plan(built_as)
    finally:
        for folder in [artifacts, *folders]:
            folder.chmod(0o755)
    assert set(told.values()) == {"reuse"}
