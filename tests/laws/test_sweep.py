"""`doit -m`: the points of a sweep, from the command line to their deliverables."""

from __future__ import annotations

import json
import os
import signal

import pytest
from lab import Lab


def _points(text: str) -> list[str]:
    """The overrides of the points that `doit plan -m` lists, in its order."""
    lines = text.partition("steps:")[0].splitlines()[1:]
    told = [line[9:].split("  ")[1].strip() for line in lines if "artifacts/" in line]
    return list(dict.fromkeys(told))  # of `more` a toy point delivers several


@pytest.mark.parametrize(
    "arguments",
    [
        ("-m", "count=8,9"),
        ("--multirun", "count=8,9"),
        ("count=8,9", "-m"),
        ("run", "-m", "count=8,9"),
        ("-m", "run", "count=8,9"),
        ("run", "count=8,9", "--multirun"),
        ("-n", "2", "-m", "count=8,9"),
        ("deliver", "-m", "count=8,9"),
        ("deliver", "-m", "count=8,9", "-c", "-n", "2"),
        ("-m", "count=8,9", "++seed=0"),
        ("count=8,9", "++seed=0", "-m"),
    ],
    ids=" ".join,
)
def test_the_command_line(fresh: Lab, arguments: tuple[str, ...]) -> None:
    assert sorted(fresh.build(*arguments)) == ["choose", "choose", "pack", "pack", "source"]
    assert len(fresh.deliverables()) == 2


@pytest.mark.parametrize(
    ("overrides", "points"),
    [
        (["count=9,8", "limit=100,1000"],
         ["count=9 limit=100", "count=9 limit=1000", "count=8 limit=100", "count=8 limit=1000"]),
        (["limit=100,1000", "count=9,8"],
         ["limit=100 count=9", "limit=100 count=8", "limit=1000 count=9", "limit=1000 count=8"]),
        (["count=range(2,9,3)"], ["count=2", "count=5", "count=8"]),
        (["count=choice(2,5)"], ["count=2", "count=5"]),
        (["count=sort(5,2,9)"], ["count=2", "count=5", "count=9"]),
        (["count=sort(range(1,4),reverse=true)"], ["count=3", "count=2", "count=1"]),
        (["more=[1],[2,3]"], ["more=[1]", "more=[2,3]"]),
        (["text='input.txt','a b.txt'"], ["text='input.txt'", "text='a b.txt'"]),
        (["proof=none,after", "count=7"], ["proof=none", "proof=after"]),
        (["++count=1,2"], ["++count=1", "++count=2"]),
        (["count=1,2", "count=3,4"], ["count=3", "count=4"]),
        (["kind=glob(t*)"], ["kind=three", "kind=two"]),
        (["kind=glob(*,exclude=o*)", "count=1,2"],
         ["kind=three count=1", "kind=three count=2", "kind=two count=1", "kind=two count=2"]),
        (["hydra.sweeper.params={count:'1,2'}", "seed=1,2"],
         ["count=1 seed=1", "count=1 seed=2", "count=2 seed=1", "count=2 seed=2"]),
        (["hydra.sweeper.params={count:'range(1,9)'}", "count=5,6"], ["count=5", "count=6"]),
        (["+hydra.sweeper.params.sleep.choose='0,1'"], ["sleep.choose=0", "sleep.choose=1"]),
    ],
    ids=" ".join,
)  # fmt: skip
def test_the_points_are_hydras(fresh: Lab, overrides: list[str], points: list[str]) -> None:
    fresh.write("a b.txt", "words")
    for name in ("one", "two", "three"):
        fresh.write(f"conf/kind/{name}.yaml", "# @package _global_\nseed: 3")
    conf = (fresh.root / "conf/config.yaml").read_text()
    fresh.write("conf/config.yaml", f"defaults: [_self_, kind: null]\n{conf}")
    said = fresh.doit("plan", "-m", *overrides)
    assert said.code == 0, said.text
    assert _points(said.text) == points


def test_sweeps_of_the_config(fresh: Lab) -> None:
    with (fresh.root / "conf/config.yaml").open("a") as file:
        file.write(
            "hydra:\n  sweeper:\n    params:\n      count: 2,3\n      limit: range(100,102)\n"
        )
    both = ["count=2 limit=100", "count=2 limit=101", "count=3 limit=100", "count=3 limit=101"]
    assert _points(fresh.doit("plan", "-m").text) == both
    assert _points(fresh.doit("plan", "-m", "limit=7").text) == ["count=2", "count=3"]
    assert _points(fresh.doit("plan", "-m", "limit=7,8", "count=1").text) == ["limit=7", "limit=8"]
    assert fresh.build("plan") == []
    assert "toy-8" in fresh.doit("plan").text, "without -m the config's sweeps do not count"


def test_a_shuffle_is_the_same_every_time(fresh: Lab) -> None:
    ask = ("plan", "-m", "count=shuffle(range(1,30))")
    first = _points(fresh.doit(*ask).text)
    assert first == _points(fresh.doit(*ask).text)
    ordered = [f"count={i}" for i in range(1, 30)]
    assert first != ordered
    assert sorted(first) == sorted(ordered)
    assert first != _points(fresh.doit("plan", "-m", "count=shuffle(range(1,30,1))").text)


def test_points_said_twice_are_merged(fresh: Lab) -> None:
    said = fresh.doit("-m", "count=8,9,8,8")
    assert said.code == 0, said.text
    assert "sweep of 2 points (2 repeated ones merged): 5 distinct steps" in said.text
    assert len(fresh.executions()) == 5


def test_one_point_is_what_the_plain_command_builds(built: Lab) -> None:
    assert built.build("-m") == []
    assert built.build("-m", "count=8") == []
    assert built.build("-m", "count=8,9") == ["choose", "pack"]


def test_points_of_one_package_are_delivered_apart(fresh: Lab) -> None:
    said = fresh.doit("-m", "proof=after,none", "count=8,9")
    assert said.code == 0, said.text
    assert len(fresh.deliverables()) == 4
    assert sorted(len(list(p.glob("report.txt"))) for p in fresh.deliverables()) == [0, 0, 1, 1]
    assert fresh.build("-m", "proof=after,none", "count=8,9") == []


def test_without_m_it_says_what_to_add(built: Lab) -> None:
    said = built.doit("count=8,9")
    assert said.code == 3
    assert "'count=8,9' names several values" in said.text
    assert "add -m" in said.text


def test_plan_shows_points_steps_and_what_is_shared(built: Lab) -> None:
    said = built.doit("plan", "-m", "count=8,9,10", "limit=1000,100")
    assert said.code == 0, said.text
    head, _, steps = said.text.partition("steps:\n")
    every = [(count, limit) for count in (8, 9, 10) for limit in (1000, 100)]
    assert [line.split()[:4] for line in head.splitlines()[1:]] == [
        ["reuse" if point == (8, 1000) else "run", str(i), f"count={point[0]}", f"limit={point[1]}"]
        for i, point in enumerate(every, 1)
    ]
    told = [line.split() for line in steps.splitlines()]
    assert ["reuse", "source", "numbers", "for", "all", "6", "points"] in told
    assert ["reuse", "choose", "n8", "for", "points", "1,", "2"] in told
    assert any(line[:3] == ["run", "choose", "n9"] and line[-4:] == ["for", "points", "3,", "4"]
               for line in told)  # fmt: skip
    assert steps.splitlines()[-1].startswith("3 reuse, 3 run, 4 may run; about ")
    stages = [line.split()[1] for line in steps.splitlines()[:-1]]
    assert len(stages) == 10, "each distinct step once"


def test_the_estimate_is_made_of_the_same_steps_records(fresh: Lab) -> None:
    fresh.build("-m", "count=1,40", "sleep.choose=1.5")
    fresh.build("count=20")
    took = sum(record["seconds"] for record in fresh.records() if record["label"] != "n20")
    said = fresh.doit("plan", "-m", "count=1,40", "sleep.choose=1.5", "seed=7")
    assert f"about {took:.0f} s by earlier runs" in said.text
    fresh.write("stages/tally.py", (fresh.root / "stages/tally.py").read_text())
    for record in (path / "step.json" for path in fresh.artifacts("choose")):
        record.chmod(0o644)
        record.write_text(json.dumps(json.loads(record.read_bytes()) | {"seconds": 90.0}))
    said = fresh.doit("plan", "-m", "count=3,4")
    assert "choose (n3) never ran, and is taken to last 90 s like another" in said.text
    said = fresh.doit("plan", "-m", "count=1,2", "proof=after")
    assert "how long is not known of tally, which never ran" in said.text


@pytest.mark.parametrize("command", ["list --all", "info", "why", "log", "forget", "clean"])
def test_the_other_commands(fresh: Lab, command: str) -> None:
    sweep = ("-m", "count=8,9")
    fresh.build(*sweep)
    names = [n for n in fresh.doit("list", "--all", *sweep).text.split() if "choose:n" in n]
    words = [] if command == "list --all" else names
    said = fresh.doit(*command.split(), *(words[:1] if command == "info" else words), *sweep)
    assert said.code == 0, said.text
    assert len(names) == 2
    assert said.text.count("choose") >= (1 if command == "info" else 2) or command == "forget"
    again = fresh.build("-m", "count=8,9")
    assert again == (["choose", "choose"] if command == "forget" else [])


@pytest.mark.parametrize("command", ["infer", "compare", "check-model", "config"])
def test_commands_that_take_one_config(built: Lab, command: str) -> None:
    said = built.doit(command, "-m", "count=8,9")
    assert said.code == 3, said.text
    assert f"-m does not go with `doit {command}`" in said.text


# what goes wrong


TYPOS = {
    ("count=8,x,9",): ("1 of 3 points cannot be built", "expected `int`", "count=x", "other 2"),
    ("kind=one,tow,two", "count=1,2"): (
        "2 of 6 points cannot be built", "kind has no option 'tow'; did you mean 'two'?",
        "kind=tow count=1", "kind=tow count=2", "the other 4",
    ),
    ("cuont=1,2,3",): ("3 of 3 points", "no config group or key 'cuont'; did you mean 'count'?"),
    ("kind=one,two", "kind.only=1,2"): (
        "2 of 4 points cannot be built", "there is no key 'kind.only'; it belongs to kind=two",
        "kind=one kind.only=1",
    ),
    ("count=8,9", "text=absent.txt"): ("absent.txt",),
    ("text=input.txt,absent.txt",): ("1 of 2 points", "cannot read", "text=absent.txt"),
    ("count=interval(1,9)",): ("for sweepers that search",),
    ("kind=glob(z*)",): ("names no value at all; there are: one, swept, two",),
    ("count=glob(*)",): ("count is none", "kind"),
    ("count=range(5,1)",): ("names no value at all",),
    ("count=range(1,5,0)",): ("count=range(1,5,0)",),
    ("kind=one,swept",): ("kind=swept brings settings of Hydra's", "say it alone"),
    ("count=8,9", "-n", "-3"): ("-n -3: say how many",),
    ("count=8,9", "--frist"): ("--frist not recognized", "doit help run"),
    ("count=8,9", "objective=words:max"): ("is for searches: python dodo.py --multirun",),
    ("hydra.verbose=true,false",): ("cannot be swept",),
    ("hydra.sweeper.params=3",): ("give keys with their sweeps",),
    ("count=range(1,1000000000)",): ("more than 100,000 points",),
    ("count=shuffle(range(1,1000000000))",): ("names more than 100000 values",),
    ("count=range(1,6001)",): ("a sweep of 6,000 points. More than 200", "--yes"),
    ("count=range(1,202)",): ("201 points: 403 distinct steps, 403 of them not built yet", "--yes"),
}  # fmt: skip


@pytest.mark.parametrize("overrides", TYPOS, ids=" ".join)
def test_bad_input_runs_nothing(fresh: Lab, overrides: tuple[str, ...]) -> None:
    fresh.write("conf/kind/one.yaml", "{name: one}")
    fresh.write("conf/kind/two.yaml", "{name: two, only: 3}")
    fresh.write(
        "conf/kind/swept.yaml", "name: three\nhydra:\n  sweeper:\n    params: {count: '1,2'}"
    )
    conf = (fresh.root / "conf/config.yaml").read_text()
    fresh.write("conf/config.yaml", f"defaults: [_self_, kind: one]\n{conf}")
    fresh.edit("dodo.py", "toolchain: str | None\n", "toolchain: str | None\n    kind: object\n")
    said = fresh.doit("-m", *overrides)
    assert said.code == 3, said.text
    assert "Traceback" not in said.text
    for word in TYPOS[overrides]:
        assert word in said.text
        assert said.text.count(word) == 1 or word == "kind", "each fault is told once"
    assert fresh.executions(None) == []


def test_an_input_that_is_missing_for_one_point(fresh: Lab) -> None:
    ask = ("-m", "text=input.txt,absent.txt")
    said = fresh.doit(*ask)
    assert (said.code, fresh.executions()) == (3, [])
    assert "1 of 2 points cannot be built" in said.text
    assert "text=absent.txt" in said.text
    assert _points(fresh.doit("plan", *ask).text) == ["text=input.txt"]
    assert fresh.doit(*ask, "--continue").code == 1
    assert len(fresh.deliverables()) == 1


def test_continue_builds_the_rest(fresh: Lab) -> None:
    said = fresh.doit("-m", "--continue", "count=8,x,9")
    assert said.code == 1, said.text
    assert len(fresh.deliverables()) == 2
    assert said.text.count("1 of 3 points cannot be built and left out:") == 2
    assert said.text.count("      count=x") == 2, "before the work, and at its end"
    assert fresh.doit("-m", "-c", "count=8,x,9").code == 1, "each time"
    assert len(fresh.executions()) == 5


def test_plan_takes_the_options_of_the_build(fresh: Lab) -> None:
    said = fresh.doit("plan", "-m", "count=8,x,9", "--continue", "-n", "2", "--sort", "count")
    assert said.code == 1, said.text
    assert _points(said.text) == ["count=8", "count=9"]


def test_plan_tells_refused_points_too(fresh: Lab) -> None:
    said = fresh.doit("plan", "-m", "count=8,x,9")
    assert said.code == 3, "as the build would"
    assert _points(said.text) == ["count=8", "count=9"]
    assert "1 more that cannot be built (doit needs --continue)" in said.text
    assert "count=x" in said.text


def test_yes_builds_many(fresh: Lab) -> None:
    ask = ("-m", "limit=range(1000,1201)", "-n", "4")
    assert fresh.doit(*ask).code == 3
    assert len(fresh.build(*ask, "--yes", "choose")) == 2
    assert fresh.doit("plan", *ask[:2]).code == 0, "looking needs no yes"


def test_a_failed_point_does_not_stop_the_others(fresh: Lab) -> None:
    fresh.behave("choose", "if params.count == 9: raise ValueError('nine')")
    said = fresh.doit("-m", "count=8,9,10", "limit=1000,999")
    assert said.code == 1, said.text
    assert len(fresh.deliverables()) == 4
    assert "sweep of 6 points: 4 delivered, 2 failed" in said.text
    failed = [line.split() for line in said.text.splitlines() if line.startswith("  failed")]
    assert failed == [["failed", "count=9", f"limit={n}", "(choose)"] for n in (1000, 999)]
    name = next(w for w in said.text.split() if w.startswith("choose:n9-"))
    assert said.text.count(f"FAILED {name} ") == 1, "one step, told once"
    log = fresh.doit("log", name.rstrip(":"), "-m", "count=8,9,10", "limit=1000,999")
    assert "ValueError: nine" in log.text
    fresh.behave("choose")
    assert sorted(fresh.build("-m", "count=8,9,10", "limit=1000,999")) == sorted(
        ["choose"] * 3 + ["pack"] * 2  # a changed source: all choose again, with equal results
    )


def test_a_refused_model_does_not_stop_the_others(fresh: Lab) -> None:
    said = fresh.doit("-m", "count=8,9,10", "limit=35")
    assert said.code == 1, said.text
    assert sorted(p.name.split("-")[1] for p in fresh.deliverables()) == ["8"]
    assert len([line for line in said.text.splitlines() if line.startswith("  refused")]) == 2
    assert "not tried" not in said.text, "all steps ran; what was not is no step"
    again = fresh.doit("-m", "count=8,9,10", "limit=35")
    assert again.code == 1
    assert len(fresh.executions()) == 7, "the verdict is kept, not computed again"


def test_what_is_refused_has_its_report_too(fresh: Lab) -> None:
    said = fresh.doit("-m", "count=9,10", "limit=35", "proof=after")
    assert said.code == 1, said.text
    kept = list(fresh.root.glob("artifacts/board/*.rejected"))
    assert len(kept) == 2
    assert all((path / "report.txt").exists() and (path / "REJECTED.txt").exists() for path in kept)


def test_the_same_command_resumes_after_sigkill(fresh: Lab) -> None:
    ask = ("-m", "count=8,9,10", "sleep.choose=0.6")
    process = fresh.start(*ask)
    fresh.wait_for("pack", process)
    os.killpg(process.pid, signal.SIGKILL)
    fresh.kill_all()
    process.communicate()
    before = [line["digest"] for line in fresh.executions()]
    assert before
    fresh.build(*ask)
    digests = [line["digest"] for line in fresh.executions()]
    assert len(digests) == len(set(digests)), "nothing that was finished ran again"
    assert len(fresh.artifacts()) == 7
    assert fresh.build(*ask) == []
    fresh.check_sound()


def test_the_sweep_is_remembered_and_bounded(fresh: Lab) -> None:
    for limit in range(25):
        assert fresh.doit("plan", "-m", f"count={limit + 1},50").code == 0
    assert not (fresh.root / "artifacts").exists(), "plan writes nothing"
    for limit in range(1, 14):
        assert fresh.doit("list", "-m", f"limit={limit},50").code == 0
    kept = list((fresh.root / "artifacts/.state/sweeps").iterdir())
    assert 2 <= len(kept) <= 20
    assert all(json.loads(path.read_bytes()) for path in kept)
