"""`executor=slurm` on a real SLURM of one node: every step is a job, and none is lost unseen."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import Lab
from on_jobs import jobs, until, with_executors
from slurm.cluster import NODE, PARTITION, Cluster, running

ASK = ("executor=slurm", "executor.cores=1", "executor.memory_gib=0.5")
INSIDE = {"SLURM_MEM_PER_CPU": "100", "SLURM_MEM_PER_NODE": "200", "SBATCH_TIMELIMIT": "9-0"}
"""What an allocation says of itself, in which a coordinator may run."""
SLEEP = "sleep.choose=30"


@pytest.fixture(scope="session")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A SLURM of our own; where it cannot be, the tests fail and say why."""
    with running(tmp_path_factory.mktemp("slurm")) as cluster:
        yield cluster


@pytest.fixture
def lab(slurm: Cluster, tmp_path: Path) -> Iterator[Lab]:
    """A fresh project on the cluster, whose queue is empty before and after."""
    lab = with_executors(tmp_path / "toy")
    lab.environment |= slurm.environment
    yield lab
    slurm.say("scancel", "--user=root")
    assert until(lambda: not slurm.jobs(), 10)


def on_the_node(lab: Lab, process: subprocess.Popen[str], count: int = 1) -> list[str]:
    """Wait until `count` steps of `choose` do their work; the ids of their jobs."""
    lab.wait_for("choose", process)
    signs = "artifacts/.scratch/choose-*/out/chosen.txt"
    assert until(lambda: len(list(lab.root.glob(signs))) == count, 20)
    return jobs(lab, "choose")


def test_every_step_is_a_job(lab: Lab, slurm: Cluster) -> None:
    said = lab.doit(*ASK, "more=[9]", "-n", "4", environment=INSIDE)
    assert said.code == 0, said.text
    assert said.text.count(f"runs on {NODE} (SLURM job") == 5
    stages = sorted(line["stage"] for line in lab.executions())
    assert stages == ["choose", "choose", "pack", "pack", "source"]
    lab.check_sound()
    assert until(lambda: not slurm.jobs(), 5)
    ends = slurm.say("squeue", "-h", "--states=all", "--sort=-V", "-o", "%j %T").splitlines()[:6]
    assert all(end.endswith("COMPLETED") for end in ends), "and SLURM knows that it did"
    assert not list(lab.root.glob("artifacts/.jobs/*")), "nothing is left of jobs that went well"
    databases = {path.parent.name for path in lab.root.rglob("*.sqlite3*")}
    assert databases == {NODE, os.uname().nodename}, "no machine opens another's database"
    assert lab.build("more=[9]") == [], "what jobs built is current for builds here too"


def test_the_points_of_a_sweep_share_their_jobs(lab: Lab, slurm: Cluster) -> None:
    lab.behave("choose", "if params.count == 9: raise ValueError('nine')")
    said = lab.doit("-m", *ASK, "-n", "4", "count=8,9,10", "limit=900,1000")
    assert said.code == 1, said.text
    stages = sorted(line["stage"] for line in lab.executions())
    assert stages == ["choose"] * 2 + ["pack"] * 4 + ["source"]
    assert "sweep of 6 points: 4 delivered, 2 failed" in said.text
    assert not slurm.jobs()


def test_with_nothing_to_do_slurm_is_not_asked(built: Lab, tmp_path: Path) -> None:
    lab = with_executors(tmp_path / "again")
    built.root.joinpath("artifacts").rename(lab.root / "artifacts")
    assert lab.build("executor=slurm", environment={"PATH": "/nowhere"}) == []


def test_a_failing_stage_says_what_it_says_here(lab: Lab) -> None:
    lab.behave("choose", "raise ValueError('no words')")
    said = lab.doit(*ASK)
    assert said.code == 1
    assert "FAILED choose: ValueError: no words" in said.text
    assert "ValueError: no words" in lab.doit("log", "choose", *ASK).text


@pytest.mark.parametrize("when", ["it runs", "it waits"])
def test_ctrl_c_cancels_the_jobs(lab: Lab, slurm: Cluster, when: str) -> None:
    if when == "it waits":
        slurm.say("scontrol", "update", f"PartitionName={PARTITION}", "State=DOWN")
    process = lab.start(*ASK, SLEEP)
    try:
        if when == "it runs":
            on_the_node(lab, process)
        assert until(lambda: len(slurm.jobs()) == 1, 20)
        os.killpg(process.pid, signal.SIGINT)
        text, _ = process.communicate(timeout=10)
    finally:
        slurm.say("scontrol", "update", f"PartitionName={PARTITION}", "State=UP")
    assert process.returncode == 130, text
    assert "Traceback" not in text
    assert until(lambda: not slurm.jobs(), 5)
    assert not lab.wait_until_alone(2)
    lab.check_sound()


def test_a_cancelled_job_is_told_with_its_log(lab: Lab, slurm: Cluster) -> None:
    process = lab.start(*ASK, SLEEP)
    (number,) = on_the_node(lab, process)
    slurm.say("scancel", number)
    text, _ = process.communicate(timeout=30)
    assert process.returncode == 1, text
    assert f"FAILED choose: its SLURM job {number} on {NODE} was cancelled, not by this" in text
    assert "| starts at 0" in text, "the end of the stage's log"
    assert "CANCELLED AT" in text, "the end of the job's"
    assert not lab.wait_until_alone(2)
    assert lab.build(*ASK) == ["choose", "pack"], "and the same command goes on from there"


def test_a_coordinator_that_was_killed_goes_on_with_its_jobs(lab: Lab, slurm: Cluster) -> None:
    ask = (*ASK, "sleep.choose=4", "more=[9]", "-n", "2")
    process = lab.start(*ask)
    numbers = on_the_node(lab, process, 2)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert set(numbers) <= set(slurm.jobs()), "jobs go on without it"
    gc = lab.doit("gc", *ASK)
    assert "a build is going on" in gc.text, "and what they use is no garbage"
    said = lab.doit(*ask)
    assert said.code == 0, said.text
    for number in numbers:
        assert f"SLURM job {number} of an earlier build goes on" in said.text
    digests = [line["digest"] for line in lab.executions()]
    assert len(digests) == len(set(digests)) == 5, "nothing ran twice"
    lab.check_sound()


def test_two_coordinators_share_a_job_and_one_may_leave(lab: Lab, slurm: Cluster) -> None:
    first = lab.start(*ASK, "sleep.choose=3")
    on_the_node(lab, first)
    second = lab.start(*ASK, "sleep.choose=3")
    assert until(lambda: "choose" in "".join(slurm.say("squeue", "-h", "-o", "%j")), 5)
    time.sleep(2.5)  # it asks SLURM first, and then comes to the step
    os.killpg(first.pid, signal.SIGINT)
    assert first.wait(10) == 130
    text, _ = second.communicate(timeout=30)
    assert second.returncode == 0, text
    assert "another build runs this step; waiting for it" in text
    digests = [line["digest"] for line in lab.executions()]
    assert len(digests) == len(set(digests)) == 3


def test_a_lost_node_loses_no_step(lab: Lab, slurm: Cluster) -> None:
    process = lab.start(*ASK, "sleep.choose=3")
    (number,) = on_the_node(lab, process)
    slurm.lose_node()
    slurm.start_node()
    time.sleep(2)  # the node first clears away what it finds of the job
    slurm.say("scontrol", "update", f"JobId={number}", "StartTime=now")  # by itself in two minutes
    text, _ = process.communicate(timeout=60)
    assert process.returncode == 0, text
    assert text.count(f"runs on {NODE} (SLURM job {number})") == 2, "SLURM runs it again by itself"
    digests = [line["digest"] for line in lab.executions()]
    assert len(digests) == len(set(digests)) == 3
    lab.check_sound()


BAD = {
    "executor.partition=bensh": "SLURM has no partition 'bensh'; did you mean 'bench'?",
    "executor.minutes=4000": "jobs of source may take 4000 minutes, and partition bench",
    "+executor.options.mem=9G": "use executor.memory_gib",
    "executor.memory_gib=9": "SLURM would refuse the jobs of source",
    "+executor.options.constraint=vulcan": "Invalid feature specification",
    "+executor.stages.choose.partition=bensh": "SLURM has no partition 'bensh'",
}


@pytest.mark.parametrize("override", BAD)
def test_what_slurm_would_refuse_is_told_before_anything_runs(lab: Lab, override: str) -> None:
    said = lab.doit(*ASK, override)
    assert (said.code, lab.executions()) == (3, []), said.text
    assert BAD[override] in said.text
    assert "Traceback" not in said.text


def test_without_slurm(tmp_path: Path) -> None:
    lab = with_executors(tmp_path / "toy")
    said = lab.doit("executor=slurm", environment={"PATH": "/nowhere"})
    assert (said.code, lab.executions()) == (3, []), said.text
    assert "there is no sbatch on this machine" in said.text


def test_a_controller_that_does_not_answer(lab: Lab, tmp_path: Path) -> None:
    config = Path(lab.environment["SLURM_CONF"]).read_text()
    (tmp_path / "slurm.conf").write_text(config.replace("SlurmctldPort=", "SlurmctldPort=1#"))
    said = lab.doit(*ASK, environment={"SLURM_CONF": str(tmp_path / "slurm.conf")})
    assert (said.code, lab.executions()) == (3, []), said.text
    assert "executor=slurm: sinfo says:" in said.text


def test_a_store_that_the_node_cannot_write_to(lab: Lab, slurm: Cluster) -> None:
    assert lab.doit("plan").code == 0
    store = lab.root / "artifacts/store"
    store.mkdir(parents=True, exist_ok=True)
    with slurm.read_only(store):
        said = lab.doit(*ASK)
    assert (said.code, lab.executions()) == (3, []), said.text
    assert f"{store} is not writable on {NODE}: Read-only file system" in said.text
    assert lab.build(*ASK) == ["source", "choose", "pack"]


def test_a_project_that_the_node_does_not_see(lab: Lab, slurm: Cluster) -> None:
    with slurm.unseen(lab.root):
        said = lab.doit(*ASK)
    assert (said.code, lab.executions()) == (3, []), said.text
    assert "on a file system that all machines share" in said.text
    assert not slurm.jobs()
