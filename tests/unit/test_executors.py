"""What a job asks its cluster for."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edgemake import executors
from edgemake.errors import UserError
from edgemake.executor import Allocation
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


def test_a_stage_that_there_is_not(tmp_path: Path) -> None:
    section = msgspec.to_builtins(SLURM) | {"stages": {"trian": {}}}
    with pytest.raises(UserError, match="no stage 'trian'; did you mean 'train'"):
        executors.make(section, Project(ENGINE_ROOT))
