"""What a job asks its cluster for."""

from __future__ import annotations

import os
import signal
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edgemake import executor_slurm, executors
from edgemake.errors import UserError
from edgemake.executor import Allocation
from edgemake.executor_jobs import Jobs
from edgemake.executor_ray import Ray, _our_signals
from edgemake.project import ENGINE_ROOT, Project
from edgemake.resources import MIB, Needs
from stages.schema.executor import Slurm

SLURM = Slurm(
    partition=None, account=None, qos=None, cores=4, memory_gib=1.0, gpus=1, minutes=60,
    options={"constraint": "a"}, stages={},
)  # fmt: skip
TRAINING = Needs(most=0, memory=2048 * MIB, gpu="any", beside_gpu=3)


def asked(needs: Needs, stage: str = "train", **changes: Any) -> Allocation:
    section = msgspec.to_builtins(msgspec.structs.replace(SLURM, **changes))
    return executors.allocation(section, stage, asdict(needs))


def test_training_gets_the_gpu_and_the_cores_to_feed_it() -> None:
    found = asked(TRAINING)
    assert (found.gpus, found.cores) == (1, 3)
    assert found.memory_bytes > 2048 * MIB, "more than its stage's peak"


def test_without_gpus_training_has_all_cores_that_a_job_may_have() -> None:
    found = asked(TRAINING, gpus=0)
    assert (found.gpus, found.cores) == (0, 4)


def test_what_uses_no_gpu_asks_for_none() -> None:
    found = asked(Needs(memory=100 * MIB), "quantize")
    assert (found.gpus, found.cores, found.memory_bytes) == (0, 1, 1024 * MIB)


def test_a_stage_that_needs_more_cores_than_jobs_get_asks_for_what_it_needs() -> None:
    assert asked(Needs(least=6, most=8)).cores == 6


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ({"cores": 8}, {"cores": 8}),
        ({"memory_gib": 0.5}, {"memory_bytes": 512 * MIB}),
        ({"gpus": 2}, {"gpus": 2}),
        ({"gpus": 0}, {"gpus": 0, "cores": 4}),
        ({"minutes": 600}, {"minutes": 600}),
        ({"partition": "long"}, {"options": {"constraint": "a", "partition": "long"}}),
        ({"options": {"constraint": "b"}}, {"options": {"constraint": "b"}}),
    ],
    ids=str,
)
def test_what_is_said_of_a_stage_wins(own: dict[str, Any], expected: dict[str, Any]) -> None:
    found = asdict(asked(TRAINING, stages={"train": own, "export": {"cores": 1}}))
    assert {key: found[key] for key in expected} == expected


def section(kind: str, **changes: Any) -> dict[str, Any]:
    """The config's section, as it comes from a file of `conf/executor`."""
    plain = {**msgspec.to_builtins(SLURM), "address": None, "options": {}}
    return {**plain, "kind": kind, **changes}


@pytest.mark.parametrize(
    ("kind", "changes", "message"),
    [
        ("slurm", {"options": {"time": 5}}, "options.time: .* use executor.minutes"),
        ("slurm", {"options": {"mem-per-cpu": 5}}, "use executor.memory_gib"),
        ("slurm", {"options": {"cpus_per_task": 5}}, "use executor.cores"),
        ("slurm", {"options": {"account": "a"}}, "use executor.account"),
        ("slurm", {"options": {"nodes": 2}}, "a step is one process on one node"),
        ("slurm", {"options": {"job-name": "x"}}, "says that itself"),
        (
            "slurm",
            {"stages": {"train": {"options": {"partition": "x"}}}},
            "executor.stages.train.options.partition: .* use executor.stages.train.partition",
        ),
        ("ray", {"options": {"num_cpus": 2}}, "use executor.cores"),
        ("ray", {"options": {"name": "x"}}, "says that itself"),
    ],
)
def test_options_that_edgemake_says_itself(
    kind: str, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        executors.make(section(kind, **changes), Project(ENGINE_ROOT))


def test_other_options_of_a_stage_win() -> None:
    stages = {"train": {"options": {"account": "theirs"}}}
    executors.make(section("slurm", stages=stages), Project(ENGINE_ROOT))
    assert asked(TRAINING, account="ours", stages=stages).options["account"] == "theirs"


def test_options_as_sbatch_takes_them() -> None:
    options = {"mail_type": "END", "exclusive": False, "no_kill": True, "nice": 0, "comment": None}
    wanted = Allocation(1, 2**30, 0, 60, options)
    assert executor_slurm._options(wanted) == {"mail-type": "END", "no-kill": True, "nice": 0}


def test_what_an_allocation_says_is_hidden_from_sbatch(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("SLURM_", "SBATCH_")):
            monkeypatch.delenv(name)
    theirs = {"SLURM_MEM_PER_NODE", "SLURM_JOB_ID", "SRUN_DEBUG", "SBATCH_TIMELIMIT"}
    users = {"SLURM_CONF", "SBATCH_ACCOUNT", "SBATCH_PARTITION", "HOME"}
    for name in (*theirs, *users):
        monkeypatch.setenv(name, "x")
    assert set(executor_slurm._hidden(None)) == theirs
    wanted = Allocation(1, 2**30, 0, 60, {"partition": "mine"})
    assert set(executor_slurm._hidden(wanted)) == {*theirs, "SBATCH_PARTITION"}


def test_the_users_own_default_partition_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    limits, wanted = {"short*": "10:00", "long": "1-0"}, Allocation(1, 2**30, 0, 60)
    monkeypatch.delenv("SBATCH_PARTITION", raising=False)
    with pytest.raises(UserError, match="partition short allows 10"):
        executor_slurm._check_partition(limits, "train", wanted)
    monkeypatch.setenv("SBATCH_PARTITION", "long")
    executor_slurm._check_partition(limits, "train", wanted)


def test_a_ray_of_our_own_is_asked_for_no_more_cores_than_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("EDGEMAKE_CORES", "2")
    needs = asdict(Needs(most=0))
    own = executors.make(section("ray"), Project(ENGINE_ROOT))
    other = executors.make(section("ray", address="h:1"), Project(ENGINE_ROOT))
    assert isinstance(own, Jobs)
    assert isinstance(other, Jobs)
    assert (own._allocate("pack", needs).cores, other._allocate("pack", needs).cores) == (2, 4)
    assert (Ray(None).gives_tokens, Ray("h:1").gives_tokens) == (True, False)


def test_a_signal_while_ray_starts_is_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    class OurEnd(Exception):
        pass

    def ours(*_: object) -> None:
        raise OurEnd

    def rays(number: int, _: object) -> None:
        sys.exit(number)

    before = signal.signal(signal.SIGTERM, ours)
    try:
        with pytest.raises(OurEnd), _our_signals():
            signal.signal(signal.SIGTERM, rays)
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(1)
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_stage_that_there_is_not(tmp_path: Path) -> None:
    section = msgspec.to_builtins(SLURM) | {"stages": {"trian": {}}}
    with pytest.raises(UserError, match="no stage 'trian'; did you mean 'train'"):
        executors.make(section, Project(ENGINE_ROOT))
