"""Steps as jobs of a cluster that misbehaves; what a job does is played by functions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from edgemake import executor_jobs, executor_node, executor_queue
from edgemake.errors import StepFailed, UserError
from edgemake.executor import Allocation, State, Unreachable
from edgemake.executor_jobs import Jobs
from edgemake.executor_node import PROBE, messages
from edgemake.executor_notes import Job, over
from edgemake.executor_poll import Tail
from edgemake.history import Builds
from edgemake.project import Project
from edgemake.resources import Machine, Needs
from edgemake.runner import Runner
from edgemake.spec import Spec
from edgemake.store import append_line
from edgemake.tokens import FOLDER

ASKED = Allocation(2, 2**30, 0, 60, {"partition": "a"})
Play = Callable[[Path, str], None]


class Fake:
    """A cluster in which a job's work is done, as `play` does it, while it is submitted."""

    name = "Fake"

    def __init__(self, play: Play, state: State | None = None) -> None:
        self.gives_tokens = False
        self._play, self.state = play, state or State("RUNNING", False)
        self.names: dict[str, str] = {}
        self.cancelled: list[str] = []
        self.asked = set[str]()

    def check(self, wanted: Mapping[str, Allocation]) -> None:
        pass

    def submit(self, folder: Path, work: str, name: str, wanted: Allocation) -> str:
        self._play(folder, name)
        job = str(len(self.names) + 1)
        self.names[job] = name
        return job

    def states(self, ids: Sequence[str]) -> Mapping[str, State]:
        self.asked |= set(ids)
        return {job: replace(self.state, name=self.names.get(job, "")) for job in ids}

    def cancel(self, ids: Sequence[str]) -> None:
        self.cancelled += ids

    def cancel_named(self, name: str) -> None:
        self.cancelled.append(name)

    def close(self) -> None:
        pass


def says(*told: Mapping[str, Any]) -> Play:
    """A job that tells these messages."""

    def play(folder: Path, name: str) -> None:
        for message in told:
            append_line(messages(folder, name), message)

    return play


WELL = says({"host": "n"}, {"done": True, "outcome": "built"}, {"ended": 0})


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project in whose store the step's artifact is."""
    made = Project(tmp_path / "project")
    made.prepare()
    (made.store / "s/d").mkdir(parents=True)
    (made.store / "s/d/step.json").touch()
    return made


@pytest.fixture
def folder(project: Project) -> Path:
    """The folder of the step's job."""
    made = project.jobs / "s-d"
    made.mkdir(parents=True)
    return made


def spec(project: Project, **changes: Any) -> Spec:
    plain: dict[str, Any] = {
        "toolchains": None, "preimage": {"toolchain": None}, "inputs": {}, "ignore": {},
        "files": {}, "packages": {}, "why": [], "label": "", "request": "", "python": "/bin/sh",
        "cores": 0,
        "needs": asdict(Needs()), "workers": 1, "build": "b", "network": False,
        "resumable": False, "force": False, "environment": {},
    }  # fmt: skip
    return Spec(**{**plain, "root": str(project.root), "stage": "s", "digest": "d", **changes})


def jobs(project: Project, cluster: Fake, wanted: Allocation = ASKED) -> Jobs:
    return Jobs(project, cluster, lambda stage, needs: wanted)


def silent(message: Mapping[str, Any]) -> None:
    pass


def run(project: Project, cluster: Fake, wanted: Allocation = ASKED) -> Mapping[str, Any]:
    return jobs(project, cluster, wanted).run(spec(project), silent)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here comes over a network."""
    monkeypatch.setattr(executor_queue, "_SETTLE_SECONDS", 0.0)


def test_a_torn_line_is_skipped(project: Project) -> None:
    def play(folder: Path, name: str) -> None:
        messages(folder, name).write_bytes(b'{"text": "ha{"text": "\n\xff\n[1]\n7\n')
        WELL(folder, name)

    cluster = Fake(play)
    assert run(project, cluster)["outcome"] == "built"
    assert not cluster.cancelled
    assert not list(project.jobs.iterdir())


def test_what_an_earlier_job_says_is_not_believed(project: Project, folder: Path) -> None:
    append_line(messages(folder, "s-old"), {"failed": "old"})

    def play(where: Path, name: str) -> None:
        says({"failed": "old"}, {"ended": 1})(where, "s-old")
        WELL(where, name)

    assert run(project, Fake(play))["outcome"] == "built"


def test_a_job_whose_id_was_never_noted_is_ended(project: Project, folder: Path) -> None:
    class Killed(Exception):
        pass

    def play(where: Path, name: str) -> None:
        raise Killed

    with pytest.raises(Killed):
        run(project, Fake(play))
    (name,) = (path.stem.removeprefix("messages-") for path in folder.glob("messages-*"))
    cluster = Fake(WELL)
    assert run(project, cluster)["outcome"] == "built"
    assert cluster.cancelled == [name]


@pytest.mark.parametrize("silence", [False, True])
def test_a_refused_job_that_began_all_the_same_is_ended(project: Project, silence: bool) -> None:
    class Slow(Fake):
        def cancel_named(self, name: str) -> None:
            super().cancel_named(name)
            if silence:
                raise Unreachable("does not answer")

    def play(folder: Path, name: str) -> None:
        raise UserError("Socket timed out")

    cluster = Slow(play)
    with pytest.raises(UserError, match="Socket timed out") as refusal:
        run(project, cluster)
    assert len(cluster.cancelled) == 1
    assert (f"job {cluster.cancelled[0]} comes into the queue" in str(refusal.value)) == silence


def test_a_job_that_cannot_be_noted_is_ended(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(job: Job) -> None:
        if job.id:
            raise OSError(28, "No space left on device", "job.json")

    monkeypatch.setattr(Job, "note", full)
    cluster = Fake(WELL)
    with pytest.raises(StepFailed, match="No space left on device"):
        run(project, cluster)
    assert cluster.cancelled == ["1"]


def test_a_job_that_nobody_hears_is_ended(project: Project) -> None:
    def deaf(message: Mapping[str, Any]) -> None:
        raise RuntimeError("deaf")

    cluster = Fake(says({"host": "n"}))
    with pytest.raises(RuntimeError, match="deaf"):
        jobs(project, cluster).run(spec(project), deaf)
    assert cluster.cancelled == ["1"]


def test_a_lost_job_is_told_by_its_id_and_ended(project: Project, folder: Path) -> None:
    def play(where: Path, name: str) -> None:
        (where / "job.json").unlink()  # nobody needs it to say what happened

    cluster = Fake(play, State("NODE_FAIL", True, why="was lost with its node"))
    note = folder / "job.json"
    lost = pytest.raises(StepFailed, match="its Fake job 1 was lost with its node")
    with lost:
        run(project, cluster)
    assert (cluster.cancelled, note.exists()) == (["1"], True)
    assert over(folder)


@pytest.mark.parametrize(
    ("word", "wanted", "ours"),
    [
        ("PENDING", ASKED, True),
        ("PENDING", replace(ASKED, memory_bytes=2**30 + 2**20), True),
        ("PENDING", replace(ASKED, memory_bytes=2**29), False),
        ("PENDING", replace(ASKED, options={"partition": "b"}), False),
        ("RUNNING", replace(ASKED, minutes=600), True),
    ],
)
def test_a_job_that_waits_with_other_settings_is_submitted_anew(
    project: Project, folder: Path, word: str, wanted: Allocation, ours: bool
) -> None:
    cluster = Fake(WELL, State(word, False))
    left = Job("7", "s-left", folder, "Fake", asdict(ASKED))
    left.note()
    cluster.names["7"] = left.name
    if ours:
        says({"text": "so far"})(folder, left.name)
        threading.Timer(0.2, WELL, (folder, left.name)).start()
    assert run(project, cluster, wanted)["outcome"] == "built"
    assert (list(cluster.names), cluster.cancelled) == (
        (["7"], []) if ours else (["7", "2"], ["7"])
    )


def test_a_job_of_another_cluster_is_not_asked_for(project: Project, folder: Path) -> None:
    Job("abc", "s-left", folder, "Ray", asdict(ASKED)).note()
    cluster = Fake(WELL)
    assert run(project, cluster)["outcome"] == "built"
    assert not cluster.asked, "squeue says nothing of any job when one number is none"


def test_nothing_comes_after_a_jobs_last_word(folder: Path) -> None:
    (folder / PROBE).write_text(json.dumps({"writable": [], "readable": []}))
    (folder / "lock").touch()
    work = f"run_alone('probe', {str(folder)!r}, 'n'); print('more')"
    code = f"from edgemake.executor_node import run_alone; {work}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    (said,) = Tail(messages(folder, "n")).new()
    assert said["ended"] == 0


def test_a_result_that_does_not_come_up_here(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor_jobs, "appears", lambda path: False)
    with pytest.raises(StepFailed, match=r"step\.json has not come up on .* for 60 s"):
        run(project, Fake(WELL))


def test_a_submission_that_hangs_is_named(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(executor_queue, "_SUBMIT_SECONDS", 0.05)
    begun, answered, name_of = threading.Event(), threading.Event(), list[str]()

    def play(folder: Path, name: str) -> None:
        name_of.append(name)
        begun.set()
        answered.wait(10)

    mine = jobs(project, Fake(play, State("CANCELLED", True, why="was cancelled")))

    def work() -> None:
        with pytest.raises(StepFailed):
            mine.run(spec(project), silent)

    runs = threading.Thread(target=work)
    runs.start()
    assert begun.wait(10)
    mine.stop_all()
    answered.set()
    runs.join()
    assert f"If a job {name_of[0]} comes into the queue, cancel it" in capsys.readouterr().err


def test_every_partition_is_looked_at(project: Project, tmp_path: Path) -> None:
    seen: list[dict[str, Any]] = []

    def play(folder: Path, name: str) -> None:
        asked = json.loads((folder / PROBE).read_bytes())
        seen.append(asked)
        says({"faults": [f"fault {len(seen)}"], "ended": 0})(folder, name)

    def allocate(stage: str, needs: Mapping[str, Any]) -> Allocation:
        return replace(ASKED, options={"partition": stage[0]})

    (given := tmp_path / "given").touch()
    cluster = Fake(play)
    reads = [str(given), str(tmp_path / "missing")]
    with pytest.raises(UserError, match="fault 1; fault 2"):
        Jobs(project, cluster, allocate).prepare({"a1": {}, "a2": {}, "b": {}}, reads, silent)
    assert len(seen) == 2
    assert {str(project.artifacts), str(project.state)} < set(seen[0]["writable"])
    assert str(given) in seen[0]["readable"]
    assert str(tmp_path / "missing") not in seen[0]["readable"], "it is not there for us either"
    assert not list(project.jobs.iterdir())


@pytest.mark.parametrize("by_itself", [False, True])
def test_a_probe_without_an_answer(project: Project, by_itself: bool) -> None:
    state = State("X", True, why="was cancelled, not by this build", by_itself=by_itself)
    with pytest.raises(UserError) as refusal:
        jobs(project, Fake(lambda *_: None, state)).prepare({"s": {}}, [], silent)
    assert "job 1, which only looks around, was cancelled" in str(refusal.value)
    assert ("a file system that all machines share" in str(refusal.value)) == by_itself


def test_a_node_that_cannot_keep_its_state_says_so(project: Project, folder: Path) -> None:
    for path in sorted(project.state.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    project.state.rmdir()
    project.state.touch()
    given = asdict(spec(project))
    (folder / "spec.json").write_text(json.dumps({"gpus": 0, "spec": given}))
    executor_node.run(str(folder), "n")
    *_, failed, ended = Tail(messages(folder, "n")).new()
    assert failed["failed"].startswith(f"{project.state}")
    assert f"on {os.uname().nodename}: Not a directory" in failed["failed"]
    assert ended["ended"] == 1


@pytest.mark.parametrize("tokens", [False, True])
def test_cores_of_a_cluster_that_shares_its_machine_are_claimed(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tokens: bool
) -> None:
    monkeypatch.setenv(FOLDER, str(tmp_path / "tokens"))
    runner = Runner(spec(project, cores=3, tokens=tokens), silent)
    with runner._tokens(Needs(most=0, memory=0), Machine(4, 2**30, ())) as held:
        assert held.cores == 3
        claims = [json.loads(p.read_text()) for p in tmp_path.glob("tokens/claim-*")]
    assert [claim["cores"] for claim in claims] == ([3] if tokens else [])


def test_a_job_of_such_a_cluster_is_told_so(project: Project, folder: Path) -> None:
    told: list[dict[str, Any]] = []

    def play(where: Path, name: str) -> None:
        told.append(json.loads((where / "spec.json").read_bytes())["spec"])
        WELL(where, name)

    for shared in (False, True):
        cluster = Fake(play)
        cluster.gives_tokens = shared
        run(project, cluster)
    assert [(spec["cores"], spec["tokens"]) for spec in told] == [(2, False), (2, True)]


def test_gc_clears_away_jobs_that_are_over(project: Project) -> None:
    names = ("ended", "marked", "waits", "forgotten", "probe-killed")
    for name in names:
        (project.jobs / name).mkdir(parents=True)
        Job("1", name, project.jobs / name).note()
    says({"ended": 1})(project.jobs / "ended", "x")
    Job("1", "marked", project.jobs / "marked").mark_over()
    for path in (project.jobs / "forgotten" / "job.json", project.jobs / "forgotten"):
        os.utime(path, (1, 1))
    builds = Builds(project)
    with builds.alone():
        builds.collect(builds.garbage(10))
    assert {path.name for path in project.jobs.iterdir()} == {"waits", "probe-killed"}
