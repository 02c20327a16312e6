"""The source part of a digest: which modules, and which edits count."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgemake.digest import Digests
from edgemake.errors import UserError
from edgemake.project import ENGINE_ROOT
from edgemake.sources import Sources


def _digests(root: Path) -> dict[str, str]:
    sources = Sources((root, ENGINE_ROOT), Digests(root / "db", writable=False))
    return sources.of_stage("work")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "stages").mkdir()
    (tmp_path / "stages/__init__.py").touch()
    return tmp_path


def _write(root: Path, text: str) -> str:
    (root / "stages/work.py").write_text(text)
    return _digests(root)["stages.work"]


@pytest.mark.parametrize(
    "text",
    [
        '"""Other words."""\ndef run(a):\n    return a + 1\n',
        "def run(a):\n    # a comment\n    return a + 1\n",
        "def run(a):\n\n    return (a +\n            1)\n",
        'def run(a):\n    """Adds."""\n    return a + 1\n',
        "def run(a):\n    'a loose string'\n    return a + 1\n",
    ],
)
def test_edits_that_do_nothing(root: Path, text: str) -> None:
    plain = _write(root, "def run(a):\n    return a + 1\n")
    assert _write(root, text) == plain


@pytest.mark.parametrize(
    "text",
    [
        "def run(a):\n    return a + 2\n",
        "def run(a):\n    return a + 1.0\n",
        "def run(a):\n    return 1 + a\n",
        "def run(b):\n    return b + 1\n",
        "def run(a):\n    return a + 1\nrun = None\n",
        "def run(a: int):\n    return a + 1\n",
    ],
)
def test_edits_that_may_do_something(root: Path, text: str) -> None:
    plain = _write(root, "def run(a):\n    return a + 1\n")
    assert _write(root, text) != plain


def test_the_modules_that_count(root: Path) -> None:
    for package in ("vision", "vision/deep"):
        (root / package).mkdir()
        (root / package / "__init__.py").touch()
    (root / "vision/a.py").write_text("from . import b\nfrom .deep.c import thing\n")
    (root / "vision/b.py").write_text("def f():\n    from vision import late\n")
    (root / "vision/late.py").write_text("import json, numpy\n")
    (root / "vision/deep/c.py").write_text("from .. import b\nthing = 1\n")
    (root / "vision/unused.py").write_text("")
    (root / "vision/typed.py").write_text("")
    _write(
        root,
        "from typing import TYPE_CHECKING\nimport vision.a\n"
        "if TYPE_CHECKING:\n    from vision import typed\n",
    )
    found = {name for name in _digests(root) if name.startswith("vision")}
    assert found == {
        "vision", "vision.a", "vision.b", "vision.late", "vision.deep", "vision.deep.c"
    }  # fmt: skip


def test_the_other_branch_of_a_type_check_counts(root: Path) -> None:
    block = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    A = 1\nelse:\n    A = {}\n"
    assert _write(root, block.format(2)) != _write(root, block.format(3))


def test_the_harness_counts(root: Path) -> None:
    _write(root, "")
    assert {"edgemake.stage_process", "edgemake.landlock", "edgemake.work"} <= set(_digests(root))


def test_a_module_in_the_project_hides_the_engine_s(root: Path) -> None:
    _write(root, "import edgemake.work\n")
    sources = Sources((root, ENGINE_ROOT), Digests(root / "db", writable=False))
    assert sources.path("edgemake.work") == ENGINE_ROOT / "edgemake/work.py"
    assert sources.path("stages.work") == root / "stages/work.py"


def test_what_does_not_parse(root: Path) -> None:
    with pytest.raises(UserError, match=r"work\.py, line 2: "):
        _write(root, "x = 1\nif:\n")


def test_a_stage_without_a_module(root: Path) -> None:
    with pytest.raises(UserError, match=r"'work' has no module stages/work\.py"):
        _digests(root)
