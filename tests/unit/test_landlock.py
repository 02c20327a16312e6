"""The sandbox alone, in a process of its own: what is listed works, the rest is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from edgemake import landlock
from edgemake.project import ENGINE_ROOT

CODE = """
import sys, os
from edgemake import landlock
base = sys.argv[1]
print(landlock.restrict(
    [sys.prefix, sys.base_prefix, "/usr", "/lib", base + "/in", base + "/absent"],
    [base + "/out"], network=False))
def attempt(name, work):
    try:
        work()
        print(name, "works")
    except OSError as error:
        print(name, "refused", error.errno)
attempt("read in", lambda: open(base + "/in/file").read())
attempt("list in", lambda: os.listdir(base + "/in"))
attempt("write in", lambda: open(base + "/in/file", "a"))
attempt("new in", lambda: open(base + "/in/new", "w"))
attempt("remove in", lambda: os.remove(base + "/in/file"))
attempt("read other", lambda: open(base + "/other").read())
attempt("list base", lambda: os.listdir(base))
attempt("write out", lambda: open(base + "/out/new", "w").close())
attempt("rename out", lambda: os.rename(base + "/out/new", base + "/out/newer"))
attempt("leave out", lambda: os.rename(base + "/out/newer", base + "/newer"))
attempt("fork", lambda: os._exit(0) if os.fork() == 0 else os.wait())
"""


@pytest.mark.skipif(landlock.version() == 0, reason="this kernel has no Landlock")
def test_restrict(tmp_path: Path) -> None:
    for name in ("in", "out"):
        (tmp_path / name).mkdir()
    for name in ("in/file", "other"):
        (tmp_path / name).write_text("text")
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(tmp_path)],
        env={"PYTHONPATH": str(ENGINE_ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    lines = done.stdout.splitlines()
    assert lines[0] == f"Landlock ABI {landlock.version()}"
    told = {line.rpartition(" refused")[0] or line.rpartition(" ")[0]: line for line in lines[1:]}
    works = {name for name, line in told.items() if line.endswith("works")}
    assert works == {"read in", "list in", "write out", "rename out", "fork"}
    assert len(told) == 11


def test_version_is_a_number() -> None:
    assert landlock.version() >= 0
