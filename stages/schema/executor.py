"""Group `executor`: where steps run. No stage sees any of it, and no artifact depends on it."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, field

from stages.schema.base import Scalar, Struct

Cores = Annotated[int, Meta(ge=1)]
Gib = Annotated[float, Meta(gt=0)]
Gpus = Annotated[int, Meta(ge=0)]
Minutes = Annotated[int, Meta(ge=1)]


class Local(Struct, frozen=True, tag="local", tag_field="kind"):
    """Steps run on this machine."""


class StageOnSlurm(Struct, frozen=True):
    """What the jobs of one stage get instead; null: what all get."""

    partition: Annotated[str | None, Meta(description="partition")] = None
    cores: Annotated[Cores | None, Meta(description="cores")] = None
    memory_gib: Annotated[Gib | None, Meta(description="memory, GiB")] = None
    gpus: Annotated[Gpus | None, Meta(description="GPUs")] = None
    minutes: Annotated[Minutes | None, Meta(description="time limit, minutes")] = None
    options: Annotated[dict[str, Scalar], Meta(description="more options of sbatch")] = field(
        default_factory=dict
    )


class Slurm(Struct, frozen=True, tag="slurm", tag_field="kind"):
    """Each step is a job of SLURM."""

    partition: Annotated[str | None, Meta(description="partition; null: SLURM's default")]
    account: Annotated[str | None, Meta(description="account; null: the user's own")]
    qos: Annotated[str | None, Meta(description="quality of service; null: the user's own")]
    cores: Annotated[Cores, Meta(description="most cores that a job asks for")]
    memory_gib: Annotated[
        Gib, Meta(description="least memory of a job, GiB; more if its stage takes more")
    ]
    gpus: Annotated[Gpus, Meta(description="GPUs for jobs of stages that can use one")]
    minutes: Annotated[Minutes, Meta(description="time limit of a job, minutes")]
    options: Annotated[
        dict[str, Scalar],
        Meta(description="more options of sbatch, by their long names: {constraint: avx512}"),
    ]
    stages: Annotated[
        dict[str, StageOnSlurm],
        Meta(description="stage -> what its jobs get instead: {train: {gpus: 1, minutes: 600}}"),
    ]


class StageOnRay(Struct, frozen=True):
    """What the tasks of one stage get instead; null: what all get."""

    cores: Annotated[Cores | None, Meta(description="cores")] = None
    memory_gib: Annotated[Gib | None, Meta(description="memory, GiB")] = None
    gpus: Annotated[Gpus | None, Meta(description="GPUs")] = None
    options: Annotated[dict[str, Scalar], Meta(description="more options of a task")] = field(
        default_factory=dict
    )


class Ray(Struct, frozen=True, tag="ray", tag_field="kind"):
    """Each step is a task of Ray."""

    address: Annotated[
        str | None,
        Meta(description="of the running Ray: host:port, or auto; null: one of our own, here"),
    ]
    cores: Annotated[Cores, Meta(description="most cores that a task asks for")]
    memory_gib: Annotated[
        Gib,
        Meta(description="least memory of a task, GiB; more if its stage takes more"),
    ]
    gpus: Annotated[Gpus, Meta(description="GPUs for tasks of stages that can use one")]
    options: Annotated[
        dict[str, Scalar], Meta(description="more options of a task: {scheduling_strategy: SPREAD}")
    ]
    stages: Annotated[
        dict[str, StageOnRay],
        Meta(description="stage -> what its tasks get instead: {train: {gpus: 1}}"),
    ]
