"""Guarantee 9: early cut-off, and it stays cheap."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from lab import Lab

COUNTER = """
import ast, atexit, hashlib, json, os, sys

reads = {"digests": 0, "parses": 0}
digest, parse = hashlib.file_digest, ast.parse


def counted_digest(*args, **options):
    reads["digests"] += 1
    return digest(*args, **options)


def counted_parse(*args, **options):
    reads["parses"] += 1
    return parse(*args, **options)


def tell():
    heavy = sorted({"hydra", "omegaconf", "yaml", "uv", "rich"} & set(sys.modules))
    with open(os.environ["TELL"], "w") as stream:
        json.dump({**reads, "heavy": heavy}, stream)


hashlib.file_digest, ast.parse = counted_digest, counted_parse
atexit.register(tell)
"""


def _cost(lab: Lab, hook: Path, *arguments: str) -> dict[str, Any]:
    """What a no-op reads, counted inside doit's process by a hook that Python itself loads."""
    hook.mkdir(exist_ok=True)
    (hook / "sitecustomize.py").write_text(COUNTER)
    path = f"{hook}:{lab.environment.get('PYTHONPATH', '')}"
    told = hook / "told.json"
    assert lab.build(*arguments, environment={"PYTHONPATH": path, "TELL": str(told)}) == []
    cost: dict[str, Any] = json.loads(told.read_text())
    return cost


NOTHING = {"digests": 0, "parses": 0, "heavy": []}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""Toy stage: the first', '"""Toy phase: the first'),
        ("    with (work.out", "    # a comment\n    with (work.out"),
        ("import time\nfrom", "import time\n\nfrom"),
        ("-> None:\n", '-> None:\n    """Says what it does."""\n'),
        (
            "import time\n",
            "import time\nfrom typing import TYPE_CHECKING\n",
        ),
    ],
)
def test_an_edit_that_does_nothing(built: Lab, old: str, new: str) -> None:
    built.edit("stages/choose.py", old, new)
    expected = ["choose"] if "TYPE_CHECKING" in new else []
    assert built.build() == expected


def test_an_edit_to_the_same_effect(built: Lab, tmp_path: Path) -> None:
    built.edit("stages/choose.py", "i % len(words)", "(i + 0) % len(words)")
    assert built.build() == ["choose"]
    built.build()
    assert _cost(built, tmp_path / "hook") == NOTHING


def test_an_edit_in_a_module_far_down(built: Lab) -> None:
    """Through a package and a relative import, in a function."""
    built.write("helper/__init__.py", "")
    built.write("helper/a.py", "def word():\n    from .b import WORD\n    return WORD\n")
    built.write("helper/b.py", "WORD = 'x'\n")
    built.edit("stages/choose.py", "from edgemake.work", "from helper import a\nfrom edgemake.work")
    built.edit("stages/choose.py", "words[i % len(words)]", "a.word()")
    assert built.build() == ["choose", "pack"]
    built.edit("helper/b.py", "'x'", "'y'")
    assert built.build() == ["choose", "pack"]
    built.write("helper/unused.py", "VALUE = 1\n")
    assert built.build() == []


def test_a_noop_reads_nothing_and_loads_nothing_heavy(built: Lab, tmp_path: Path) -> None:
    built.build("count=5")
    built.build("count=5")
    assert _cost(built, tmp_path / "hook", "count=5") == NOTHING


def test_a_repair_is_cheap_again_afterwards(built: Lab, tmp_path: Path) -> None:
    (built.artifacts("choose")[0] / "chosen.txt").unlink()
    assert built.build() == ["choose"]
    built.build()
    assert _cost(built, tmp_path / "hook") == NOTHING
