"""What a step needs of the machine that it runs on, and what that machine has."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgemake.errors import UserError

MIB = 2**20
CORES = "EDGEMAKE_CORES"
"""Environment variable: how many cores edgemake takes this machine to have."""
GPUS = "CUDA_VISIBLE_DEVICES"
"""Environment variable: the GPUs that CUDA programs may use; also how schedulers give one out."""
THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "OPENCV_FOR_THREADS_NUM",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)
"""Environment variables by which numeric libraries are told how many threads to start."""
_CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Needs:
    """What a stage needs. It says how to run a step, never what comes out: part of no key."""

    least: int = 1
    """Cores without which it does not start."""
    most: int = 1
    """Cores that it can use; 0: all there are."""
    memory: int = 256 * MIB
    """Bytes, at its peak."""
    gpu: str = ""
    """'any' of those that are there, if any is; an index; or '': none."""
    beside_gpu: int = 0
    """Cores that it can use when it has a GPU; 0: as many as without."""
    patience: float = 0.0
    """Seconds that it would rather wait than start with fewer cores than it can use: for steps of
    many minutes, which take all cores that they can use also on `-n N`."""
    brief: bool = False
    """It is over in a moment: where its build holds no core, it does not wait for one."""


@dataclass(frozen=True)
class Machine:
    """What steps share."""

    cores: int
    memory: int
    """Bytes."""
    gpus: tuple[str, ...]
    """As CUDA names them: indices, or identifiers."""

    def gpus_for(self, wanted: str) -> tuple[str, ...]:
        """The GPUs of which a step that wants `wanted` takes one; none where it is to do without,
        or asks for one that is not there (its own tools say that better)."""
        if not wanted.isdigit():
            return self.gpus if wanted else ()
        return self.gpus[int(wanted) :][:1]

    def most_cores(self, needs: Needs, workers: int, *, gpu: bool) -> int:
        """Cores that one of `workers` steps of a build may take."""
        most = min(needs.most or self.cores, self.cores)
        if gpu and needs.beside_gpu:
            most = min(needs.beside_gpu, most)
        elif not needs.patience:
            most = min(most, self.cores // max(1, workers))
        return max(1, most, min(needs.least, self.cores))


def here(environment: Mapping[str, str] = os.environ) -> Machine:
    """This machine, or the part of it that this process may use. Raises UserError."""
    return Machine(_cores(environment), _memory(), _gpus(environment))


def _cores(environment: Mapping[str, str]) -> int:
    given = environment.get(CORES)
    if given is not None:
        if not given.isdigit() or int(given) < 1:
            raise UserError(f"{CORES}={given}: give a whole number of cores, 1 or more")
        return int(given)
    mine, quota = len(os.sched_getaffinity(0)), _limit("cpu.max")
    return max(1, min(mine, math.ceil(quota))) if quota else mine


def _memory() -> int:
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min(there, int(_limit("memory.max") or there))


def _limit(name: str) -> float | None:
    """What a container may use at most (https://docs.kernel.org/admin-guide/cgroup-v2.html):
    bytes, or, where a period follows the quota, cores. None without a limit."""
    try:
        quota, *period = (_CGROUP / name).read_text().split()
        return int(quota) / int(period[0]) if period else int(quota)
    except (OSError, ValueError):
        return None


def _gpus(environment: Mapping[str, str]) -> tuple[str, ...]:
    given = environment.get(GPUS)
    if given is None:
        found = [name.removeprefix("nvidia") for name in os.listdir("/dev") if "nvidia" in name]
        return tuple(sorted(filter(str.isdigit, found), key=int))
    found = []
    for name in map(str.strip, given.split(",")):
        if not name or name == "-1":  # CUDA itself stops reading here
            break
        found.append(name)
    return tuple(found)


def environment_of(
    machine: Machine,
    needs: Needs,
    cores: int,
    held: Sequence[str],
    ours: Mapping[str, str] = os.environ,
) -> dict[str, str]:
    """What tells a stage's libraries how many threads to start and which GPUs to see.

    A step sees the GPU that it has `held`. An index counts among all that the machine has; where
    we know of no GPU, a step that wants one looks for itself, unless a user or a scheduler gave us
    none (in our own environment, `ours`).
    """
    seen = ",".join(machine.gpus if needs.gpu.isdigit() else held)
    hide = {} if needs.gpu and not seen and GPUS not in ours else {GPUS: seen}
    return {**dict.fromkeys(THREADS, str(cores)), **hide}
