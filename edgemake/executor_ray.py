"""`executor=ray`: tasks of Ray, one of our own or one that runs. Only this module imports Ray."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from edgemake import executor_node
from edgemake.errors import UserError
from edgemake.executor import Allocation, State
from edgemake.resources import here

_OBJECT_STORE_BYTES = 80 * 2**20
"""The least that Ray takes: what tasks tell us goes by files."""
_WORK = {"run": executor_node.run, "probe": executor_node.probe}


class Ray:
    """A Ray; tasks of a driver that is gone are ended by Ray itself."""

    name = "Ray"

    def __init__(self, address: str | None) -> None:
        """`address`: of the one that runs; None: start one on this machine, for this build."""
        self._address = address
        self.gives_tokens = address is None  # another Ray on this machine knows nothing of ours
        self._tasks: dict[str, Any] = {}
        self._begun = False

    def check(self, wanted: Mapping[str, Allocation]) -> None:
        """Connect, or start one, and see that it can run the tasks. Raises UserError."""
        self._begin()
        import ray

        nodes: list[Mapping[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
        for stage, allocation in wanted.items():
            _check_task(nodes, stage, allocation)

    def _begin(self) -> None:
        """Connect, or start one, unless that is done."""
        if self._begun:
            return
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would call home
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        try:
            import ray
        except ImportError:
            raise UserError("executor=ray needs Ray: pip install -e '.[ray]'") from None
        where = f"the Ray at {self._address}" if self._address else "a Ray of our own"
        if self._address not in (None, "auto"):
            _check_answers(str(self._address))
        own: dict[str, Any] = {}
        if not self._address:
            own = {
                "num_cpus": here().cores,
                "object_store_memory": _OBJECT_STORE_BYTES,
                "include_dashboard": False,
            }
        try:
            with _our_signals():
                ray.init(
                    address=self._address or "local",
                    log_to_driver=False,
                    logging_level=logging.ERROR,
                    **own,
                )
        except (ConnectionError, RuntimeError, ValueError, OSError) as error:
            raise UserError(f"executor=ray: {where} cannot be used: {_in_short(error)}") from None
        self._begun = True

    def submit(self, folder: Path, work: str, name: str, wanted: Allocation) -> str:
        """Submit a task. Raises UserError for options that Ray does not know."""
        import ray

        options = {"max_retries": 0, **wanted.options}
        try:
            task = ray.remote(_WORK[work]).options(
                name=name,
                num_cpus=wanted.cores,
                num_gpus=wanted.gpus,
                memory=wanted.memory_bytes,
                **options,
            )
            reference = task.remote(str(folder), name)
        except (ValueError, TypeError) as error:
            raise UserError(f"Ray refuses the task {name}: {_in_short(error)}") from None
        job = str(reference.hex())
        self._tasks[job] = reference
        return job

    def states(self, ids: Sequence[str]) -> Mapping[str, State]:
        """Whether the tasks of this driver have ended, and how."""
        import ray

        known = {job: self._tasks[job] for job in ids if job in self._tasks}
        if not known:
            return {}
        ready, _ = ray.wait(list(known.values()), num_returns=len(known), timeout=0)
        ended = {str(reference.hex()) for reference in ready}
        return {
            job: _end(reference) if job in ended else State("", False)
            for job, reference in known.items()
        }

    def cancel(self, ids: Sequence[str]) -> None:
        """Kill the tasks' workers, and with them what they run."""
        import ray

        for job in ids:
            if job in self._tasks:
                ray.cancel(self._tasks[job], force=True)

    def cancel_named(self, name: str) -> None:
        """Nothing: what was not submitted by this driver has ended with its own."""

    def close(self) -> None:
        """Leave Ray, and end one of our own."""
        if self._begun:
            import ray

            ray.shutdown()


def _check_answers(address: str) -> None:
    """Whether anybody listens there: Ray itself would try for half a minute. Raises UserError."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except (OSError, ValueError) as error:
        raise UserError(
            f"executor=ray: nobody answers at executor.address={address} ({error}). Give the "
            "host:port that `ray start --head` printed, or null for a Ray of our own"
        ) from None


def _check_task(nodes: Sequence[Mapping[str, Any]], stage: str, wanted: Allocation) -> None:
    """Whether one of the nodes is large enough; else the task would wait for ever."""
    asked = {"CPU": wanted.cores, "GPU": wanted.gpus, "memory": wanted.memory_bytes}
    largest: dict[str, float] = dict.fromkeys(asked, 0)
    for node in nodes:
        has = {key: float(node["Resources"].get(key, 0)) for key in asked}
        if node["Alive"] and all(has[key] >= value for key, value in asked.items()):
            return
        largest = {key: max(largest[key], has[key]) for key in asked}
    raise UserError(
        f"executor=ray: no node has what a task of {stage} asks for, {_amounts(asked)}; the "
        f"largest have {_amounts(largest)}. Ask for less with executor.cores, executor.memory_gib "
        "or executor.gpus"
    )


def _amounts(resources: Mapping[str, float]) -> str:
    gib = resources["memory"] / 2**30
    return f"{resources['CPU']:g} cores, {gib:.1f} GiB and {resources['GPU']:g} GPUs"


def _end(reference: Any) -> State:
    """How a task ended that did not say so itself."""
    import ray
    from ray import exceptions

    try:
        ray.get(reference)
    except exceptions.TaskCancelledError:
        return _ended("was cancelled, not by this build")
    except exceptions.OutOfMemoryError as error:
        return _ended(f"was ended by Ray, whose node ran out of memory: {_in_short(error)}")
    except (exceptions.WorkerCrashedError, exceptions.NodeDiedError) as error:
        return _ended(f"was lost: its worker or its node died ({_in_short(error)})")
    except exceptions.RayError as error:
        return _ended(f"failed: {_in_short(error)}", by_itself=True)
    return _ended("ended without a word", by_itself=True)


def _ended(why: str, *, by_itself: bool = False) -> State:
    return State("ENDED", True, why=why, by_itself=by_itself)


def _in_short(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines)[:600]


@contextlib.contextmanager
def _our_signals() -> Iterator[None]:
    """Ray takes SIGTERM for itself while it starts, and leaves the process when it comes; the build
    has its own use for it. (Blocked, it would be so in Ray's processes as well.)"""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    except SystemExit:
        signal.signal(signal.SIGTERM, before)
        signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
