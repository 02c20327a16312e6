"""`executor=slurm`: jobs of SLURM, submitted by submitit. Only this module imports submitit."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from edgemake import executor_node
from edgemake.errors import UserError, did_you_mean
from edgemake.executor import Allocation, State, Unreachable

_PROGRAMS = ("sbatch", "srun", "squeue", "scancel", "sinfo")
_ANSWER_SECONDS = 60
_GOING = {
    *("PENDING", "RUNNING", "COMPLETING", "CONFIGURING", "SUSPENDED", "STOPPED", "RESIZING"),
    *("REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "SIGNALING", "SPECIAL_EXIT", "STAGE_OUT"),
    *("RESV_DEL_HOLD",),
}
"""States after which a job may still do something; https://slurm.schedmd.com/squeue.html."""
_ENDS = {
    "CANCELLED": "was cancelled, not by this build",
    "TIMEOUT": "reached its time limit; give it more with executor.minutes=…",
    "DEADLINE": "reached its deadline",
    "OUT_OF_MEMORY": "used more memory than it had asked for; ask for more",
    "NODE_FAIL": "was lost with its node",
    "BOOT_FAIL": "was lost with its node, which did not boot",
    "PREEMPTED": "was preempted by another job",
    "COMPLETED": "ended without a word",
    "FAILED": "failed",
}
_THEIRS = ("SLURM_", "SRUN_", "SBATCH_", "SQUEUE_", "SINFO_", "SCANCEL_")
_THE_USERS = {
    *("SLURM_CONF", "SLURM_CONF_SERVER", "SLURM_JWT"),
    *("SBATCH_PARTITION", "SBATCH_ACCOUNT", "SBATCH_QOS", "SBATCH_RESERVATION"),
    *("SBATCH_CONSTRAINT", "SBATCH_WCKEY"),
}
"""Environment variables that say where SLURM is and what the user wants of every job."""


class Slurm:
    """The SLURM that this machine's commands talk to."""

    name = "SLURM"
    gives_tokens = False

    def check(self, wanted: Mapping[str, Allocation]) -> None:
        """Whether SLURM and submitit are there, and would take the jobs. Raises UserError."""
        if missing := [program for program in _PROGRAMS if shutil.which(program) is None]:
            raise UserError(
                f"executor=slurm: there is no {missing[0]} on this machine. Start edgemake where "
                "SLURM's commands are (a login node), or use executor=local"
            )
        try:
            import submitit  # noqa: F401
        except ImportError:
            raise UserError("executor=slurm needs submitit: pip install -e '.[slurm]'") from None
        try:
            lines = _said(["sinfo", "--noheader", "--format=%P %l"]).splitlines()
        except Unreachable as error:
            raise UserError(f"executor=slurm: {error}") from None
        limits = dict(line.split() for line in lines)
        for stage, allocation in wanted.items():
            _check_partition(limits, stage, allocation)
            _check_job(stage, allocation)

    def submit(self, folder: Path, work: str, name: str, wanted: Allocation) -> str:
        """Submit a job. Raises UserError with sbatch's words."""
        from submitit import SlurmExecutor
        from submitit.core.utils import FailedJobError, FailedSubmissionError

        class Ours(SlurmExecutor):
            def _make_submission_command(self, submission_file_path: Path) -> list[str]:
                hidden = (f"--unset={name}" for name in _hidden(wanted))
                return ["env", *hidden, *super()._make_submission_command(submission_file_path)]

        executor = Ours(folder)
        more: dict[str, Any] = {
            # submitit asks for a signal long before the time limit, to save a state of its own.
            # Ours saves none: let it be one that does nothing.
            "signal": "CONT@1",
            **_options(wanted),
        }
        if wanted.gpus:
            more["gpus"] = wanted.gpus
        executor.update_parameters(
            job_name=name,
            cpus_per_task=wanted.cores,
            time=wanted.minutes,
            additional_parameters={**more, "mem": _megabytes(wanted)},
        )
        try:
            return str(executor.submit(executor_node.run_alone, work, str(folder), name).job_id)
        except (FailedJobError, FailedSubmissionError, OSError) as error:
            raise UserError(f"SLURM refuses the job {name}: {_complaint(error)}") from None

    def states(self, ids: Sequence[str]) -> Mapping[str, State]:
        """What squeue knows of the jobs: those that wait, run, or ended some minutes ago."""
        if not ids:
            return {}
        command = ["squeue", "--noheader", "--states=all", "--jobs", ",".join(ids)]
        try:
            lines = _said([*command, "--format=%i|%T|%N|%r|%j"]).splitlines()
        except Unreachable as error:
            if "Invalid job id" in str(error):
                return {}
            raise
        return dict(map(_state, lines))

    def cancel(self, ids: Sequence[str]) -> None:
        """Cancel the jobs."""
        _said(["scancel", "--quiet", *ids])

    def cancel_named(self, name: str) -> None:
        """Cancel the job of this name, if there is one."""
        _said(["scancel", "--quiet", f"--name={name}"])

    def close(self) -> None:
        """Nothing is held open."""


def _check_partition(limits: Mapping[str, str], stage: str, wanted: Allocation) -> None:
    """The partition of the stage's jobs, and its time limit. `limits`: as sinfo prints them."""
    default = next((name for name in limits if name.endswith("*")), "")
    default = os.environ.get("SBATCH_PARTITION", default)
    name = str(wanted.options.get("partition", default))
    known = {partition.removesuffix("*"): limit for partition, limit in limits.items()}
    name = name.removesuffix("*")
    if name and name not in known and "," not in name:
        raise UserError(f"SLURM has no partition {name!r}{did_you_mean(name, known)}")
    limit = _minutes(known.get(name, "infinite"))
    if wanted.minutes > limit:
        raise UserError(
            f"executor=slurm: jobs of {stage} may take {wanted.minutes} minutes, and partition "
            f"{name} allows {limit:.0f}: they would wait for ever. Give less with executor.minutes "
            f"or executor.stages.{stage}.minutes, or another partition"
        )


def _check_job(stage: str, wanted: Allocation) -> None:
    """Whether SLURM would take such a job: nothing is submitted."""
    asked = {
        "nodes": 1, "cpus-per-task": wanted.cores, "mem": _megabytes(wanted),
        "time": wanted.minutes, **({"gpus": wanted.gpus} if wanted.gpus else {}),
        **_options(wanted),
    }  # fmt: skip
    options = [f"--{k}" if v is True else f"--{k}={v}" for k, v in asked.items()]
    try:
        _said(["sbatch", "--test-only", *options, "--wrap=true"], wanted)
    except Unreachable as error:
        raise UserError(
            f"SLURM would refuse the jobs of {stage} ({' '.join(options)}); {error}"
        ) from None


def _minutes(limit: str) -> float:
    """A time limit as sinfo prints it, days-hours:minutes:seconds without leading zeros."""
    if not limit[:1].isdigit():
        return float("inf")
    days, _, time = limit.rpartition("-")
    seconds = 0
    for part in time.split(":"):
        seconds = 60 * seconds + int(part)
    return 1440 * int(days or 0) + seconds / 60


def _megabytes(wanted: Allocation) -> str:
    return f"{-(-wanted.memory_bytes // 2**20)}M"


def _state(line: str) -> tuple[str, State]:
    job, word, place, reason, name = line.split("|", 4)
    if word in _GOING:
        why = f"{word.lower()} ({reason})" if reason != "None" else ""
        return job, State(word, False, word == "COMPLETING", why, place, name)
    ended = f"{_ENDS.get(word, 'ended')} (SLURM says {word})"
    return job, State(word, True, False, ended, place, name, word in ("COMPLETED", "FAILED"))


def _options(wanted: Allocation) -> dict[str, Any]:
    """More options of sbatch, by the names that it has for them; those that are off are left out,
    since its flags know no value."""
    named = {key.replace("_", "-"): value for key, value in wanted.options.items()}
    return {key: value for key, value in named.items() if value is not None and value is not False}


def _hidden(wanted: Allocation | None) -> list[str]:
    """Environment variables that SLURM's commands would take for options: what an allocation in
    which we run ourselves (salloc, srun) says of itself, and what we say in other words."""
    said = {f"SBATCH_{key.replace('-', '_').upper()}" for key in _options(wanted)} if wanted else ()
    return sorted(
        name
        for name in os.environ
        if name.startswith(_THEIRS) and (name not in _THE_USERS or name in said)
    )


def _said(command: list[str], wanted: Allocation | None = None) -> str:
    """What a command of SLURM's prints. Raises Unreachable."""
    hidden = _hidden(wanted)
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    try:
        done = subprocess.run(
            command,
            env=environment,
            capture_output=True,
            text=True,
            timeout=_ANSWER_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Unreachable(f"{command[0]} does not answer") from None
    if done.returncode != 0:
        raise Unreachable(f"{command[0]} says: {' '.join(done.stderr.split())}")
    return done.stdout


def _complaint(error: Exception) -> str:
    """What sbatch said, without submitit's frame."""
    lines = [line.strip() for line in str(error).splitlines() if "error:" in line]
    return " ".join(line.partition("error:")[2].strip() for line in lines) or str(error)
