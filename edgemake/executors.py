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
from edgemake.resources import here

GIB = 2**30
_PLAIN = ("partition", "account", "qos")
"""Keys of SLURM's section that are options of sbatch by the same name."""
_OURS: Mapping[str, Mapping[str, str]] = {
    "slurm": {
        **{key: key for key in _PLAIN},
        **dict.fromkeys(("cpus_per_task", "cores_per_socket", "cpus_per_gpu"), "cores"),
        **dict.fromkeys(("mem", "mem_per_cpu", "mem_per_gpu"), "memory_gib"),
        **dict.fromkeys(("time", "time_min"), "minutes"),
        **dict.fromkeys(("gpus", "gpus_per_node", "gpus_per_task", "gpus_per_socket"), "gpus"),
        **dict.fromkeys(
            "nodes ntasks ntasks_per_node ntasks_per_core ntasks_per_socket ntasks_per_gpu array "
            "output error input wrap job_name chdir signal wait parsable test_only".split(),
            "",
        ),
    },
    "ray": {
        "num_cpus": "cores", "num_gpus": "gpus", "memory": "memory_gib", "name": "",
        "num_returns": "",
    },
}  # fmt: skip
"""Options that edgemake says itself, and the key of the section that they follow; '': none."""
_AROUND = 2**28
"""Bytes that a job needs beside its stage: submitit, the runner, digests."""


def make(section: Mapping[str, Any], project: Project) -> Executor:
    """The executor that a section of kind `slurm` or `ray` asks for.

    Raises UserError where it names a stage that there is not, or options that are edgemake's own.
    """
    known = {path.stem for path in (project.root / "stages").glob("[!_]*.py")}
    for stage in section["stages"]:
        if stage not in known:
            raise UserError(
                f"executor.stages.{stage}: there is no stage {stage!r}{did_you_mean(stage, known)}"
            )
    _check_options(section)
    if section["kind"] == "slurm":
        from edgemake.executor_slurm import Slurm

        return Jobs(project, Slurm(), partial(allocation, section))
    from edgemake.executor_ray import Ray

    if section["address"] is None:  # a Ray of our own has what this machine has
        section = {**section, "cores": min(section["cores"], here().cores)}
    return Jobs(project, Ray(section["address"]), partial(allocation, section))


def _check_options(section: Mapping[str, Any]) -> None:
    """Whether the options contradict what edgemake says of a job itself. Raises UserError."""
    ours = _OURS[section["kind"]]
    places = {"executor": section["options"]}
    for stage, own in section["stages"].items():
        places[f"executor.stages.{stage}"] = own.get("options", {})
    for place, options in places.items():
        for option in options:
            key = ours.get(option.replace("-", "_"))
            if key is not None and (key not in ("account", "qos") or place == "executor"):
                what = f"use {place}.{key}" if key else "a step is one process on one node"
                raise UserError(f"{place}.options.{option}: edgemake says that itself; {what}")


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
    plain = {key: said[key] for key in _PLAIN if said.get(key)}
    options = {**section["options"], **plain, **own.get("options", {})}
    return Allocation(
        cores=own.get("cores", max(cores, needs.get("least", 1))),
        memory_bytes=max(
            int(said["memory_gib"] * GIB), 0 if own.get("memory_gib") else least_bytes
        ),
        gpus=gpus,
        minutes=said.get("minutes", 0),
        options=options,
    )
