"""Stages that crash, lie, hang on or leave too little: nothing of it becomes an artifact."""

from __future__ import annotations

import time

import pytest
from lab import Lab

BEHAVIOUR = {
    "no output": (("return",), "ended without its output chosen.txt"),
    "too much": (("(work.out / 'more.txt').touch()",), "left an undeclared output more.txt"),
    "a link": (
        ("(work.out / 'chosen.txt').symlink_to('/etc/passwd')", "return"),
        "left chosen.txt, which is no plain file",
    ),
    "a pipe": (
        ("import os", "os.mkfifo(work.out / 'chosen.txt')", "return"),
        "left chosen.txt, which is no plain file",
    ),
    "an exception": (("raise KeyError('gone')",), "KeyError: 'gone'"),
    "out of memory": (("raise MemoryError",), "out of memory"),
    "killed for memory": (
        ("import os, signal", "os.kill(os.getpid(), signal.SIGKILL)"),
        "most often that is the kernel out of memory",
    ),
    "a crash": (
        ("import os, signal", "os.kill(os.getpid(), signal.SIGSEGV)"),
        "crashed with signal 11 (SIGSEGV)",
    ),
    "an exit": (
        ("(work.out / 'chosen.txt').touch()", "import os", "os._exit(0)"),
        "left the process before its `run` returned",
    ),
    "a polite exit": (
        ("(work.out / 'chosen.txt').touch()", "raise SystemExit"),
        "left the process before its `run` returned",
    ),
    "a bad exit": (("import os", "os._exit(3)"), "ended with exit status 3"),
}


@pytest.mark.parametrize("what", BEHAVIOUR)
def test_what_it_leaves_is_no_artifact(built: Lab, what: str) -> None:
    lines, message = BEHAVIOUR[what]
    before = built.artifacts()
    built.behave("choose", *lines)
    said = built.doit()
    assert said.code == 1, said.text
    assert "FAILED choose: " in said.text
    assert message in said.text
    assert "Traceback" not in said.text
    assert built.artifacts() == before
    assert len(built.executions()) == 3
    built.check_sound()


DAEMON = (
    "import os",
    "if os.fork() == 0:",
    "    os.setsid()",
    "    if os.fork() == 0: time.sleep(60)",
    "    os._exit(0)",
)


def test_a_daemon_that_holds_the_pipe(fresh: Lab) -> None:
    fresh.behave("choose", *DAEMON)
    began = time.monotonic()
    assert fresh.build() == ["source", "choose", "pack"]
    assert time.monotonic() - began < 5
    assert not fresh.wait_until_alone(1)


def test_a_lot_of_output_and_odd_bytes(fresh: Lab) -> None:
    fresh.behave(
        "choose",
        "import sys",
        "sys.stdout.buffer.write(b'\\xff\\x00' * 300_000)",
        "print('x' * 300_000)",
        "sys.stderr.write('y' * 300_000)",
        "[work.progress(i, 1000, 'naïve ☂ \\n ' + 'z' * 500) for i in range(1000)]",
    )
    assert fresh.build() == ["source", "choose", "pack"]
    assert fresh.doit("log", "choose").code == 0


def test_read_only_and_unreadable_outputs(fresh_as: Lab) -> None:
    """A stage that tightens permissions must not make an artifact nobody can use or delete."""
    lab = fresh_as
    tighten = "    [p.chmod(0o000) for p in folder.iterdir()]\n    folder.chmod(0o000)\n"
    lab.write("stages/source.py", (lab.root / "stages/source.py").read_text() + tighten)
    assert lab.build() == ["source", "choose", "pack"]
    lab.check_sound()
    (numbers,) = lab.root.glob("artifacts/store/source/*/numbers")
    assert numbers.stat().st_mode & 0o777 == 0o755
    assert {p.stat().st_mode & 0o777 for p in numbers.iterdir()} == {0o444}


def test_a_link_does_not_lend_its_permissions(built: Lab) -> None:
    mine = built.root / "input.txt"
    mine.chmod(0o600)
    built.behave("choose", f"(work.out / 'chosen.txt').symlink_to('{mine}')", "return")
    assert built.doit().code == 1
    assert mine.stat().st_mode & 0o777 == 0o600
