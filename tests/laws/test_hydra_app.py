"""`python dodo.py`: Hydra's own way. Its launchers and sweepers, all on one store."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from math import inf
from pathlib import Path
from typing import Any

import pytest
from lab import TEXT, Lab, Said
from results import with_result
from submitit import SlurmExecutor
from submitit.core.utils import CommandFunction

from edgemake.errors import UserError
from edgemake.hydra_errors import in_our_words

WORDS = f"{TEXT} 0 0 {TEXT} 0 1".split()
"""What the toy's numbers begin with."""
SEARCH = ("--multirun", "hydra/sweeper=optuna", "hydra.sweeper.n_jobs=1")


def start(lab: Lab, *arguments: str) -> subprocess.Popen[str]:
    """Start the application in a process group of its own."""
    return subprocess.Popen(
        [*lab.prefix, sys.executable, "dodo.py", *arguments],
        cwd=lab.root,
        env=lab.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def run(lab: Lab, *arguments: str) -> Said:
    """Run it to its end."""
    process = start(lab, *arguments)
    text, _ = process.communicate(timeout=120)
    return Said(process.returncode, text)


def sweep(lab: Lab, *arguments: str) -> str:
    """Run it; it must end well. What it said."""
    said = run(lab, *arguments)
    assert said.code == 0, said.text
    return said.text


def times(lab: Lab) -> Counter[str]:
    """Stage -> executions; each of a digest that ran once."""
    lines = lab.executions()
    assert set(Counter(line["digest"] for line in lines).values()) <= {1}
    return Counter(line["stage"] for line in lines)


def trials(lab: Lab, name: str | None = None) -> list[Any]:
    """Of the study, in their order."""
    import optuna

    storage = f"sqlite:///{lab.root}/artifacts/.state/studies.sqlite3"
    [found] = [name] if name else optuna.get_all_study_names(storage)
    trials: list[Any] = optuna.load_study(study_name=found, storage=storage).get_trials()
    return trials


def concluded(text: str) -> list[Any]:
    """The endings that the result was made of; it was made once."""
    [line] = [line for line in text.splitlines() if line.startswith("[[[")]
    found: list[Any] = json.loads(line)[0]
    return found


# one graph


def test_one_config_is_what_doit_builds(fresh: Lab) -> None:
    text = sweep(fresh, "count=5")
    assert "3 run in" in text
    assert list(fresh.delivered().values()) == ["UN\nDEUX\nTROIS\nQUATRE\n0\n"]
    assert fresh.build("count=5") == []
    assert sweep(fresh, "count=5").count("0 run in") == 1


def test_a_launch_is_one_graph(tmp_path: Path) -> None:
    lab = Lab.make(tmp_path / "Atelier à côté, 模型 1")
    before = {path.name for path in lab.root.iterdir()} | {"artifacts", "__pycache__"}
    text = sweep(lab, "--multirun", "count=5,6", "seed=range(0,2)", "hydra.launcher.n_jobs=2")
    assert "sweep of 4 points: 10 distinct steps" in text
    assert times(lab) == {"source": 2, "choose": 4, "pack": 4}
    lab.check_sound()
    assert {path.name for path in lab.root.iterdir()} <= before, "Hydra writes below artifacts/"
    litter = [path.name for path in (lab.root / "artifacts/.state/hydra").rglob("*")]
    assert litter == ["multirun.yaml"]
    assert lab.build("count=6", "seed=1") == [], "and doit goes on from there"


def test_points_that_cannot_be_built_stop_no_other(fresh: Lab) -> None:
    fresh.behave("choose", "assert params.count != 7")
    said = run(fresh, "--multirun", "count=5,x,6,7,8", "limit=30")
    assert said.code == 1, said.text
    assert sorted(fresh.delivered()) == sorted(p.name for p in fresh.deliverables())
    assert len(fresh.deliverables()) == 2
    for word in ("expected `int`", "count=x", "count=7", "at most 30", "FAILED choose"):
        assert word in said.text


def test_a_callback_of_the_ecosystem_hears_of_every_job(fresh: Lab) -> None:
    callback = "hydra.experimental.callbacks.LogJobReturnCallback"
    text = sweep(fresh, "--multirun", "count=5,6", f"+hydra.callbacks.log._target_={callback}")
    assert text.count("Succeeded with return value: artifacts/board/toy-") == 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["cuont=5"], "did you mean 'count'"),
        (["--multirun", "cuont=5,6"], "did you mean 'count'"),
        (["--multirun", "count=5,6", "hydra/launcher=jobli"], "Available options"),
        (["--multirun", "count=5,6", "hydra.launcher.n_job=2"], "override 'hydra.launcher.n_job'"),
        (["count=x"], "count: expected `int`"),
        (["count=5,6"], "--multirun"),
        (["count=5", "--config-name", "other"], "conf/config.yaml"),
        (["--multirun", "count=5", "objective=wrods:max"], "did you mean 'words'"),
        (["--multirun", "count=5", "objective=words"], "words:max"),
        (["--multirun", "count=5", "objective=pages:max"], "does not measure pages"),
        (["--multirun", "+kind=one,twoo"], "did you mean 'two'"),
        ([*SEARCH, "+kind=one,twoo", "objective=words:max"], "did you mean 'two'"),
        ([*SEARCH, "count=5,6"], "objective=NAME:max"),
        ([*SEARCH, "cuont=5,6", "objective=words:max"], "did you mean 'count'"),
        ([*SEARCH, "count=5,6", "objective=pages:max"], "does not measure pages"),
        (["--multirun", "count=range(1,202)"], "201 points. More than 200 points are built only"),
        (["-m", "--yes", "count=range(1,202)", "hydra.launcher.n_jobs=0"], "give 1 or more"),
        (["-m", "-y", "count=range(1,10000000)"], "more than 100,000 points"),
        (["--multirun", "count=5,6", "--cfg", "job"], "give one of --multirun (-m), --run, --cfg"),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, list) else "",
)
def test_bad_words_before_any_work(fresh: Lab, words: list[str], told: str) -> None:
    for option in ("one", "two"):
        fresh.write(f"conf/kind/{option}.yaml", "{}")
    said = run(fresh, *words)
    assert said.code == 3, said.text
    assert "ERROR: " in said.text
    assert told in said.text
    assert "Traceback" not in said.text
    assert fresh.executions(None) == []


def test_help_needs_no_config_that_is_whole(fresh: Lab) -> None:
    fresh.edit("conf/config.yaml", "seed:", "defaults:\n- kind: ???\n- _self_\nseed:")
    for option in ("one", "two"):
        fresh.write(f"conf/kind/{option}.yaml", "{}")
    assert "--yes        build a sweep" in sweep(fresh, "--help")
    assert "== Flags ==" in sweep(fresh, "--hydra-help")


def test_a_sweep_with_an_objective_has_a_result(fresh: Lab) -> None:
    with_result(fresh)
    text = sweep(fresh, "--multirun", "count=5,6", "objective=words:max")
    assert [ending[0] for ending in concluded(text)] == [["count=5"], ["count=6"]]
    assert "words:max of count=6: 6.0, in artifacts/board/toy-6-" in text


def test_ctrl_c_ends_all_of_it(fresh: Lab) -> None:
    process = start(fresh, "--multirun", "count=5,6", "sleep.choose=30")
    fresh.wait_for("choose", process)
    os.killpg(process.pid, signal.SIGINT)
    text, _ = process.communicate(timeout=20)
    assert process.returncode == 130, text
    assert "every finished step is kept" in text
    assert fresh.wait_until_alone(5) == []
    assert times(fresh) == {"source": 1}


# launchers of others


@pytest.mark.parametrize(
    "launcher",
    [("joblib", "hydra.launcher.n_jobs=3"), ("submitit_local", "hydra.launcher.timeout_min=2")],
    ids=lambda launcher: launcher[0],
)
def test_jobs_side_by_side_on_one_store(fresh: Lab, launcher: tuple[str, str]) -> None:
    words = ("sleep.source=0.5", "sleep.choose=0.2", "count=5,6,7")
    sweep(fresh, "--multirun", f"hydra/launcher={launcher[0]}", launcher[1], *words)
    assert times(fresh) == {"source": 1, "choose": 3, "pack": 3}
    fresh.check_sound()
    assert len(fresh.deliverables()) == 3


def test_every_way_at_the_same_time(fresh: Lab) -> None:
    words = ("count=5,6,7", "sleep.source=0.5", "sleep.choose=0.3")
    all_of_them = [
        start(fresh, "--multirun", *words),
        start(fresh, "--multirun", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2", *words),
        fresh.start("count=6", *words[1:]),
    ]
    for process in all_of_them:
        text, _ = process.communicate(timeout=60)
        assert process.returncode == 0, text
    assert times(fresh) == {"source": 1, "choose": 3, "pack": 3}
    fresh.check_sound()


def test_a_failed_job_of_another_launcher_says_why(fresh: Lab) -> None:
    words = ("--multirun", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
    said = run(fresh, *words, "count=5,6", "limit=24")
    assert said.code == 1, said.text
    assert "ERROR: length: 25, the board demands at most 24" in said.text
    assert len(fresh.deliverables()) == 1


def test_a_scheduler_that_takes_no_jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = "echo lookup failed >&2; echo no controller >&2; exit 1"
    told = r"^SLURM takes no jobs \(no controller\); hydra/launcher=submitit_local"
    with pytest.raises(UserError, match=told), in_our_words(tmp_path, []):
        CommandFunction(["sh", "-c", said], verbose=False)()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="srun is not here"), in_our_words(tmp_path, []):
        SlurmExecutor(folder=tmp_path)


# Optuna


def test_a_study_is_kept_and_resumes(fresh: Lab) -> None:
    search = (*SEARCH, "count=range(4,9)", "limit=30", "objective=[words:max,length:min]")
    text = sweep(fresh, *search, "hydra.sweeper.n_trials=3", "hydra.sweeper.sampler.seed=1")
    assert len(trials(fresh)) == 3
    assert "Pareto" in text
    before = len(fresh.executions())
    sweep(fresh, *search, "hydra.sweeper.n_trials=2", "hydra.sweeper.sampler.seed=2")
    found = trials(fresh)
    assert len(found) == 5
    assert [trial.number for trial in found] == list(range(5))
    for trial in found:
        count = trial.params["count"]
        length = len("\n".join(WORDS[:count]) + "\n")
        assert trial.values == ([count, length] if length <= 30 else [-inf, inf])
    counts = {trial.params["count"] for trial in found}
    assert len({e["digest"] for e in fresh.executions() if e["stage"] == "choose"}) == len(counts)
    assert len(fresh.executions()) - before <= 4, "what a trial has built serves the next"
    [results] = (fresh.root / "artifacts/.state/hydra").rglob("optimization_results.yaml")
    assert "solutions" in results.read_text()


def test_a_refused_model_is_the_worst_and_a_failed_one_has_no_figure(fresh: Lab) -> None:
    fresh.behave("choose", "assert params.count != 5")
    text = sweep(
        fresh, *SEARCH, "count=4,5,6", "limit=24", "objective=words:max",
        "hydra.sweeper.n_trials=8", "hydra/sweeper/sampler=random", "hydra.sweeper.sampler.seed=3",
    )  # fmt: skip
    told = {trial.params["count"]: (trial.state.name, trial.value) for trial in trials(fresh)}
    assert told == {4: ("COMPLETE", 4.0), 5: ("FAIL", None), 6: ("COMPLETE", -inf)}
    assert "words:max of count=6 limit=24: -inf, as bad as can be, for it is refused" in text
    assert "Failed experiment: choose:" in text
    assert "Best parameters: {'count': 4}" in text


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["count=x,y", "objective=words:max"], "no trial of the study came to a figure"),
        (["count=x,y", "objective=[words:max,length:min]"], "no trial of the study came to a"),
        (["count=4,5", "limit=9", "objective=words:max"], "no trial gave a model that the board"),
        (["count=4,5", "limit=9", "objective=[words:max,length:min]"], "no trial gave a model"),
    ],
    ids=["failed", "failed, two goals", "refused", "refused, two goals"],
)
def test_a_study_without_a_model_says_so(fresh: Lab, words: list[str], told: str) -> None:
    said = run(fresh, *SEARCH, *words, "hydra.sweeper.n_trials=2")
    assert said.code == 1, said.text
    last = said.text.splitlines()[-1]
    assert last.startswith(f"ERROR: {told}")
    assert last.endswith("why stands above")
    assert "Traceback" not in said.text


def test_trials_of_one_package_keep_their_places(fresh: Lab) -> None:
    with_result(fresh)
    text = sweep(
        fresh, *SEARCH, "proof=none,after", "objective=words:max", "hydra.sweeper.n_trials=5",
        "hydra/sweeper/sampler=random", "hydra.sweeper.sampler.seed=1",
    )  # fmt: skip
    places = dict(
        re.findall(r"^words:max of proof=(\w+): .*, in artifacts/board/(\S+)$", text, re.M)
    )
    assert places["none"] != places["after"]
    assert sorted(places.values()) == sorted(path.name for path in fresh.deliverables())
    for proof, name in places.items():
        report = fresh.root / "artifacts/board" / name / "report.txt"
        assert report.exists() == (proof == "after")
    ends = {tuple(ending[0]): ending[4] for ending in concluded(text)}
    assert ends == {(f"proof={proof}",): name for proof, name in places.items()}


def test_another_objective_is_another_study(fresh: Lab) -> None:
    named = (*SEARCH, "hydra.sweeper.n_trials=1", "hydra.sweeper.study_name=mine")
    sweep(fresh, *named, "count=4,5", "objective=words:max")
    before = len(fresh.executions())
    said = run(fresh, *named, "count=4,5", "objective=length:max")
    assert (said.code, len(fresh.executions())) == (3, before)
    assert "'mine' aims at words:max, and not at length:max" in said.text
    said = run(fresh, *named, "count=4,5,6", "objective=words:max")
    assert said.code == 3
    assert "hydra.sweeper.study_name another name" in said.text
    assert len(trials(fresh, "mine")) == 2


def test_a_killed_study_goes_on(fresh: Lab) -> None:
    search = (*SEARCH, "count=4,5", "sleep.choose=1", "objective=words:max")
    process = start(fresh, *search, "hydra.sweeper.n_trials=4")
    fresh.wait_for("choose", process)
    fresh.kill_all()
    process.communicate()
    assert fresh.wait_until_alone(5) == []
    sweep(fresh, *search, "hydra.sweeper.n_trials=2")
    states = Counter(trial.state.name for trial in trials(fresh))
    assert states["COMPLETE"] >= 2
    assert times(fresh)["source"] == 1
    fresh.check_sound()


def test_trials_in_processes_of_their_own(fresh: Lab) -> None:
    search = ("--multirun", "hydra/sweeper=optuna", "hydra/launcher=joblib")
    words = ("count=4,5,6", "objective=words:max", "hydra.sweeper.n_jobs=2")
    sweep(fresh, *search, *words, "hydra.launcher.n_jobs=2", "hydra.sweeper.n_trials=4")
    assert [trial.value for trial in trials(fresh)] == [
        float(trial.params["count"]) for trial in trials(fresh)
    ]
    assert times(fresh)["source"] == 1


def test_figures_of_the_appendix(fresh: Lab) -> None:
    words = ("proof=none,after", "objective=pages:max", "hydra.sweeper.n_trials=5")
    sampler = ("hydra/sweeper/sampler=random", "hydra.sweeper.sampler.seed=1")
    sweep(fresh, *SEARCH, *words, *sampler)
    assert {(t.params["proof"], t.value) for t in trials(fresh)} == {("none", None), ("after", 1.0)}
    [note, *_] = fresh.root.glob("artifacts/.state/deliverables/*.json")
    assert "appendix" in json.loads(note.read_text())
