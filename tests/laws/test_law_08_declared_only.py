"""Guarantee 8: a stage cannot read what it did not declare."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

import pytest
from lab import Lab

from edgemake import landlock

confined = pytest.mark.skipif(landlock.version() == 0, reason="this kernel has no Landlock")
REFUSED = {
    "a file of the project": "open('{root}/input.txt').read()",
    "the config": "open('{root}/conf/config.yaml').read()",
    "a list of the project": "__import__('os').listdir('{root}')",
    "the log of executions": "open('{root}/artifacts/executions.jsonl').read()",
    "another artifact's record": "open(str(work.inputs['numbers']) + '/../step.json').read()",
    "data beside the modules": "open('{root}/stages/data.json').read()",
    "another stage's code": "open('{root}/stages/pack.py').read()",
    "a home folder": "open('{home}/private').read()",
    "write into an input": "open(str(work.inputs['numbers']) + '/0.txt', 'w')",
    "write beside an input": "open(str(work.inputs['numbers']) + '/more.txt', 'w')",
    "delete an input": "__import__('os').remove(str(work.inputs['numbers']) + '/0.txt')",
    "write into the project": "open('{root}/left.txt', 'w')",
    "write in /tmp": "open('{home}/left.txt', 'w')",
}


@confined
@pytest.mark.parametrize("what", REFUSED)
def test_a_file(built: Lab, what: str) -> None:
    lab, home, before = built, built.root.parent / "home", built.artifacts()
    home.mkdir()
    (home / "private").write_text("secret")
    lab.write("stages/data.json", "{}")
    lab.behave("choose", REFUSED[what].format(root=lab.root, home=home))
    said = lab.doit()
    assert said.code == 1, said.text
    assert "was refused: a stage sees only its declared inputs" in said.text
    assert lab.artifacts() == before
    assert not (lab.root / "left.txt").exists()
    lab.check_sound()


@pytest.mark.parametrize("name", ["stages.pack", "stages.hidden"])
def test_a_module_that_the_digest_cannot_see(built: Lab, name: str) -> None:
    built.write("stages/hidden.py", "VALUE = 1\n")
    head, tail = name[:-2], name[-2:]
    built.behave("choose", f"__import__('importlib').import_module('{head}' + '{tail}')")
    said = built.doit()
    assert said.code == 1
    assert f"{name} is imported in a way the step's digest cannot see" in said.text


def test_a_module_imported_late_and_after_the_project_changed(fresh: Lab) -> None:
    """Finding a covered module must not depend on listing folders that the stage cannot list."""
    fresh.write("helper/__init__.py", "")
    fresh.write("helper/word.py", "WORD = 'late'\n")
    fresh.behave("choose", "open(work.out / 'started', 'w').close()", "time.sleep(0.5)",
                 "(work.out / 'started').unlink()", "from helper.word import WORD")  # fmt: skip
    fresh.edit("stages/choose.py", "words[i % len(words)]", "WORD")
    process = fresh.start()
    fresh.wait_for("choose", process)
    fresh.write("notes.md", "the project's folder changes while the stage runs")
    text, _ = process.communicate()
    assert process.returncode == 0, text
    (record,) = fresh.records("choose")
    assert "helper.word" in record["preimage"]["sources"]
    assert set(record["modules"]) <= set(record["preimage"]["sources"])


def test_the_config_is_out_of_sight(fresh: Lab) -> None:
    fresh.behave("choose", "import os, sys")
    fresh.edit("stages/choose.py", "words[i % len(words)]",
               "repr([params, work, dict(os.environ), sys.argv]).replace(' ', '_')")  # fmt: skip
    fresh.build("count=1", "limit=987654")
    (artifact,) = fresh.artifacts("choose")
    seen = (artifact / "chosen.txt").read_text()
    assert "count=1" in seen
    assert "987654" not in seen


@pytest.fixture
def port() -> Iterator[int]:
    """A port on which something listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.skipif(landlock.version() < 4, reason="this kernel's Landlock knows no network")
@pytest.mark.parametrize("declared", [False, True])
def test_the_network(built: Lab, port: int, declared: bool) -> None:
    lab = built
    lab.behave("choose", f"__import__('socket').create_connection(('127.0.0.1', {port}))")
    if declared:
        lab.edit("dodo.py", "resumable=True", "resumable=True, network=True")
    said = lab.doit()
    assert said.code == (0 if declared else 1), said.text
    assert len(lab.artifacts("choose")) == 1 + declared


def test_the_record_says_what_was_enforced(built_once: Lab) -> None:
    abi = landlock.version()
    for record in built_once.records():
        assert record["sandbox"] == (
            f"Landlock ABI {abi}" if abi else "not enforced: the kernel has no Landlock"
        )
        json.dumps(record)
