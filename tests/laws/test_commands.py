"""doit's own commands tell the truth of the store, and every command refuses in one sentence."""

from __future__ import annotations

import subprocess

import pytest
from lab import DOIT, Lab


def statuses(lab: Lab, *arguments: str) -> dict[str, str]:
    lines = lab.doit("list", "--all", "-s", *arguments).text.splitlines()
    return {line.split()[1].partition(":")[0]: line[0] for line in lines}


def test_list_knows_steps_and_groups(built: Lab) -> None:
    assert set(statuses(built).values()) == {"U"}
    assert statuses(built, "limit=2000") == {
        "toolchain": "U", "source": "U", "choose": "U", "pack": "R", "deliver": "R",
    }  # fmt: skip
    assert "up-to-date" in built.doit("info", "choose").text


def test_clean_removes_links_and_says_which(built: Lab) -> None:
    artifacts = built.artifacts()
    said = built.doit("clean")
    assert "remove the link" in said.text
    assert built.artifacts() == artifacts
    assert built.build() == []


def test_forget_wants_a_step(built: Lab) -> None:
    said = built.doit("forget")
    assert said.code == 3
    assert "--all" in said.text
    assert built.doit("forget", "--all").code == 0
    assert built.build() == ["source", "choose", "pack"]


@pytest.mark.parametrize("command", ["plan", "list", "info", "why", "run"])
def test_a_dangling_link_is_one_sentence_for_every_command(command: str, built: Lab) -> None:
    (built.root / "input.txt").unlink()
    (built.root / "input.txt").symlink_to("nowhere")
    said = built.doit(command, "choose")
    assert said.code == 3
    assert "Traceback" not in said.text
    assert "input.txt" in said.text


def test_a_refused_model_has_its_table(built: Lab) -> None:
    said = built.doit("limit=5")
    assert said.code == 1
    assert "REFUSED" in said.text
    assert "1 run" in said.text


def test_the_environment_has_no_say(built: Lab) -> None:
    said = built.doit("text=${oc.env:HOME}")
    assert said.code == 3
    assert "oc.env" in said.text


@pytest.mark.parametrize(
    "arguments", [["plan"], ["list"], ["clean"], ["-a"], ["infer", "image=input.txt"]]
)
def test_a_reader_may_leave(arguments: list[str], built: Lab) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", '"$0" "$@" | true', str(DOIT), *arguments],
        cwd=built.root,
        capture_output=True,
        text=True,
    )
    assert "Traceback" not in done.stderr
    built.check_sound()


def test_infer_builds_what_it_needs_and_no_more(fresh: Lab) -> None:
    fresh.write("desk.txt", "un cinq")
    said = fresh.doit("infer", "image=desk.txt")
    assert said.code == 0, said.text
    assert "un: 2 times\ncinq: 0 times\n" in said.text
    assert "not yet held against the board's contract" in said.text
    assert [line["stage"] for line in fresh.executions()] == ["source", "choose", "look"]
    again = fresh.doit("infer", "image=desk.txt")
    assert "un: 2 times\n" in again.text
    fresh.write("desk.txt", "deux")
    assert fresh.build("infer", "image=desk.txt") == ["look"]
    assert fresh.build() == ["pack"]
    fresh.check_sound()


def test_infer_runs_a_model_that_the_board_refuses_and_says_so(built: Lab) -> None:
    assert built.doit("limit=5").code == 1
    built.write("desk.txt", "un")
    said = built.doit("infer", "limit=5", "image=desk.txt")
    assert said.code == 0, said.text
    assert "un: 2 times" in said.text
    assert "!! the board would refuse this model: length:" in said.text


def test_infer_fails_as_a_build_does(built: Lab) -> None:
    built.write("desk.txt", "torn")
    said = built.doit("infer", "image=desk.txt")
    assert said.code == 1
    assert "FAILED look: image: the file is torn" in said.text
    assert "the file is torn" in built.doit("log", "look", "image=desk.txt").text
    assert "will run because" in built.doit("why", "look", "image=desk.txt").text
    assert built.build() == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("infer",), "doit infer needs image="),
        (("infer", "desk.txt"), "say image=desk.txt"),
        (("infer", "image=absent.txt"), "absent.txt"),
        (("infer", "image=input.txt", "cuont=5"), "did you mean 'count'"),
        (("image=input.txt",), "belong to `doit infer`"),
        (("run", "image=input.txt"), "belong to `doit infer`"),
    ],
)
def test_infer_refuses_before_anything_runs(
    arguments: tuple[str, ...], words: str, fresh: Lab
) -> None:
    said = fresh.doit(*arguments)
    assert said.code == 3, said.text
    assert words in said.text
    assert "Traceback" not in said.text
    assert fresh.executions(None) == []
