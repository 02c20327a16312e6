"""Guarantee 19: bad input is refused before work starts, with the name and a suggestion."""

from __future__ import annotations

import pytest
from lab import Lab

REFUSALS = {
    ("cuont=5",): ("cuont", "did you mean 'count'"),
    ("sleep.sorce=1",): ("sleep.sorce", "did you mean 'sleep.source'"),
    ("count=many",): ("count", "many"),
    ("count=1.5",): ("count", "1.5"),
    ("count=",): ("count",),
    ("count=null",): ("count",),
    ("count='5'",): ("count", "expected `int`"),
    ("count=[1",): ("count=[1",),
    ("count=1,2",): ("several values",),
    ("+count=5",): ("count", "exists already"),
    ("+new=5",): ("new",),
    ("~count",): ("count", "missing"),
    ("~cuont",): ("cuont",),
    ("text=absent.txt",): ("absent.txt",),
    ("text=.",): (),
    ("toolchain=torhc",): ("torhc", "lock"),
    ("chose",): ("chose", "did you mean 'choose'"),
    ("choose:n8-0000",): ("choose:n8-0000",),
    ("plan", "chose"): ("chose",),
    ("plan", "cuont=5"): ("did you mean 'count'",),
    ("why",): ("needs a step",),
    ("log", "chose"): ("chose",),
    ("gc", "--keep", "-1"): ("--keep",),
    ("-n", "two"): ("two",),
    ("--nothing",): ("nothing",),
}


@pytest.mark.parametrize("arguments", REFUSALS, ids=" ".join)
def test_a_command_line(built_once: Lab, built: Lab, arguments: tuple[str, ...]) -> None:
    before = built.executions(None)
    said = built.doit(*arguments)
    if arguments == ("text=.",):
        return  # a folder is as good an input as a file; whether it suits is the stage's question
    assert said.code in (2, 3), said.text
    assert "Traceback" not in said.text
    for word in REFUSALS[arguments]:
        assert word in said.text
    assert built.executions(None) == before


@pytest.mark.parametrize(
    ("name", "old", "new", "words"),
    [
        ("conf/config.yaml", "seed: 0", "seed: [0", "config.yaml"),
        ("conf/config.yaml", "seed: 0", "sede: 0", "sede"),
        ("stages/choose.py", "import time\n", "import time\nif:\n", "choose.py, line 4"),
    ],
)
def test_a_broken_file_of_the_project(
    built: Lab, name: str, old: str, new: str, words: str
) -> None:
    built.edit(name, old, new)
    said = built.doit()
    assert said.code in (2, 3), said.text
    assert words in said.text
    assert "Traceback" not in said.text
    built.edit(name, new, old)
    assert built.build() == []


def test_a_stage_refuses_with_one_sentence(fresh: Lab) -> None:
    fresh.behave("choose", "from edgemake.work import StageError",
                 "raise StageError('count: 8 is too small')")  # fmt: skip
    said = fresh.doit()
    assert said.code == 1
    assert "FAILED choose: count: 8 is too small" in said.text
    assert "Traceback" not in said.text


@pytest.mark.parametrize("name", ["../elsewhere", "a/b", "", ".", "..", ".hidden"])
@pytest.mark.parametrize("old", ['"board"', 'f"toy-{count}"'])
def test_a_deliverable_stays_in_its_place(fresh: Lab, old: str, name: str) -> None:
    fresh.edit("dodo.py", old, repr(name))
    said = fresh.doit()
    assert said.code != 0
    assert f"a deliverable cannot be called {name!r}" in said.text
    assert "Traceback" not in said.text
    assert fresh.executions() == []


def test_a_command_is_shown_as_it_was_written(fresh: Lab) -> None:
    """Braces that are no place for the model are the command's own."""
    text = '{"send": "./send {model} {port} {"}'
    fresh.edit("dodo.py", "verdicts, plain, m", f"verdicts, commands={text}, model='model.txt', m")
    said = fresh.doit()
    assert said.code == 0, said.text
    (folder,) = fresh.deliverables()
    assert f"./send artifacts/board/{folder.name}/model.txt {{port}} {{" in said.text
