"""From the config's section `executor` to whoever runs the steps."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

from edgemake.errors import UserError, did_you_mean
from edgemake.executor import Allocation, Executor
from edgemake.executor_jobs import Jobs
from edgemake.project import Project

GIB = 2**30
_PLAIN = ("partition", "account", "qos")
"""Keys of SLURM's section that are options of sbatch by the same name."""
_AROUND = 2**28
"""Bytes that a job needs beside its stage: submitit, the runner, digests."""


def make(section: Mapping[str, Any], project: Project) -> Executor:
    """The executor that a section of kind `slurm` or `ray` asks for.

    Raises UserError where it names a stage that there is not.
    """
    known = {path.stem for path in (project.root / "stages").glob("*.py")}
    for stage in section["stages"]:
        if stage not in known:
            raise UserError(
                f"executor.stages.{stage}: there is no stage {stage!r}{did_you_mean(stage, known)}"
            )
    allocate = partial(allocation, section)
    if section["kind"] == "slurm":
        from edgemake.executor_slurm import Slurm

        return Jobs(project, Slurm(), allocate)
    from edgemake.executor_ray import Ray

    return Jobs(project, Ray(section["address"]), allocate)


def allocation(section: Mapping[str, Any], stage: str, needs: Mapping[str, Any]) -> Allocation:
    """What a job of `stage` asks for: what its stage needs, within what the section allows.

    `needs` is a `resources.Needs` as plain values. What `section["stages"]` says of the stage wins.
    """
    own = {
        key: value for key, value in section["stages"].get(stage, {}).items() if value is not None
    }
    said = {**section, **own}
    gpus = int(said["gpus"]) if needs.get("gpu") or own.get("gpus") else 0
    most = needs.get("beside_gpu" if gpus and needs.get("beside_gpu") else "most", 0)
    cores = min(most or said["cores"], said["cores"])
    least_bytes = math.ceil(needs.get("memory", 0) * 1.25) + _AROUND
    options = {**section["options"], **own.get("options", {})}
    options |= {key: said[key] for key in _PLAIN if said.get(key)}
    return Allocation(
        cores=own.get("cores", max(cores, needs.get("least", 1))),
        memory_bytes=max(
            int(said["memory_gib"] * GIB), 0 if own.get("memory_gib") else least_bytes
        ),
        gpus=gpus,
        minutes=said.get("minutes", 0),
        options=options,
    )
