"""`executor=ray` on a real Ray: one that runs on this machine, and one that the build starts."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import Lab
from on_jobs import until, with_executors
from results import with_result

PLAIN = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "disabled"}
"""Nothing is sent home, and no token is left in the user's folder."""
SMALL = ("executor=ray", "executor.cores=1", "executor.memory_gib=0.1")


class Head:
    """A Ray of one node, as `ray start --head` starts it, or with another version in its books."""

    def __init__(self, version: str | None = None) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        start = "import sys, ray; from ray.scripts.scripts import main; sys.exit(main())"
        if version is not None:
            start = f"import ray; ray.__version__ = {version!r}; {start}"
        options = ["--head", f"--port={self.address.rpartition(':')[2]}", "--num-cpus=3", "--block"]
        options += ["--include-dashboard=false", "--object-store-memory=80000000"]
        self._process = subprocess.Popen(
            [sys.executable, "-c", start, "start", *options, "--disable-usage-stats"],
            env={**os.environ, **PLAIN},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        host, port = self.address.split(":")
        assert until(lambda: _listens(host, int(port)), 60), "ray start --head does not come up"

    def stop(self) -> None:
        """End it, by the group of its processes: `ray stop` would end every Ray of the machine."""
        self._process.terminate()
        self._process.wait(30)


def _listens(host: str, port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex((host, port)) == 0


def project(root: Path) -> Lab:
    """A fresh project."""
    lab = with_executors(root)
    lab.environment |= PLAIN
    return lab


@pytest.fixture(scope="session")
def head() -> Iterator[Head]:
    """A Ray that runs."""
    one = Head()
    yield one
    one.stop()


@pytest.fixture
def lab(head: Head, tmp_path: Path) -> Lab:
    """A fresh project, whose `executor=ray` would be the Ray that runs."""
    return project(tmp_path / "toy")


@pytest.fixture
def ask(head: Head) -> tuple[str, ...]:
    """The overrides that choose it."""
    return (*SMALL, f"executor.address={head.address}")


def test_every_step_is_a_task(lab: Lab, ask: tuple[str, ...]) -> None:
    said = lab.doit(*ask, "more=[9]", "-n", "3")
    assert said.code == 0, said.text
    assert said.text.count(f"runs on {os.uname().nodename} (Ray job") == 5
    stages = sorted(line["stage"] for line in lab.executions())
    assert stages == ["choose", "choose", "pack", "pack", "source"]
    lab.check_sound()
    assert not list(lab.root.glob("artifacts/.jobs/*"))
    assert lab.build("more=[9]") == []


def test_a_sweep_and_its_result_are_tasks(lab: Lab, ask: tuple[str, ...]) -> None:
    with_result(lab)
    said = lab.doit("-m", *ask, "count=8,9", "-n", "2")
    assert said.code == 0, said.text
    stages = sorted(line["stage"] for line in lab.executions())
    assert stages == ["choose", "choose", "gather", "pack", "pack", "source"]
    assert said.text.count("to see whether its nodes reach") == 1


def test_ctrl_c_cancels_the_tasks(lab: Lab, ask: tuple[str, ...]) -> None:
    process = lab.start(*ask, "sleep.choose=30")
    lab.wait_for("choose", process)
    os.killpg(process.pid, signal.SIGINT)
    text, _ = process.communicate(timeout=20)
    assert process.returncode == 130, text
    assert "Traceback" not in text
    assert until(lambda: not working(lab), 5)
    lab.check_sound()
    assert lab.build() == ["choose", "pack"]


def test_a_worker_that_dies_is_told_with_the_log(lab: Lab, ask: tuple[str, ...]) -> None:
    process = lab.start(*ask, "sleep.choose=30")
    lab.wait_for("choose", process)
    (stage,) = working(lab)
    runner = parent(stage)
    os.kill(parent(parent(runner)), signal.SIGKILL)  # Ray's worker
    text, _ = process.communicate(timeout=40)
    assert process.returncode == 1, text
    assert "FAILED choose: its Ray job" in text
    assert "was lost: its worker or its node died" in text
    assert "| starts at 0" in text
    assert until(lambda: not working(lab), 5), "and its stage ended with it"
    assert lab.build(*ask) == ["choose", "pack"]


def test_a_coordinator_that_was_killed_keeps_what_was_finished(
    lab: Lab, ask: tuple[str, ...]
) -> None:
    process = lab.start(*ask, "sleep.choose=5")
    lab.wait_for("choose", process)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    said = lab.doit(*ask, "sleep.choose=5")
    assert said.code == 0, said.text
    digests = [line["digest"] for line in lab.executions()]
    assert len(digests) == len(set(digests)) == 3
    lab.check_sound()


def test_what_ray_could_never_run_is_told_before_anything_runs(
    lab: Lab, ask: tuple[str, ...]
) -> None:
    said = lab.doit(*ask, "+executor.stages.source.cores=64")
    assert (said.code, lab.executions()) == (3, []), said.text
    assert "no node has what a task of source asks for, 64 cores" in said.text


def test_no_ray_at_the_address(tmp_path: Path) -> None:
    lab = project(tmp_path / "toy")
    said = lab.doit(*SMALL, "executor.address=127.0.0.1:1")
    assert (said.code, lab.executions()) == (3, []), said.text
    assert "nobody answers at executor.address=127.0.0.1:1" in said.text


def test_a_ray_of_another_version(tmp_path: Path) -> None:
    lab, other = project(tmp_path / "toy"), Head("2.9.9")
    try:
        said = lab.doit(*SMALL, f"executor.address={other.address}")
    finally:
        other.stop()
    assert (said.code, lab.executions()) == (3, []), said.text
    assert "Version mismatch" in said.text
    assert "2.9.9" in said.text
    assert "Traceback" not in said.text


def test_a_ray_of_our_own_ends_with_the_build(tmp_path: Path) -> None:
    lab = project(tmp_path / "toy")
    assert lab.build(*SMALL) == ["source", "choose", "pack"]
    assert not lab.wait_until_alone(10)
    process = lab.start(*SMALL, "sleep.choose=30", "count=3")
    lab.wait_for("choose", process)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert not lab.wait_until_alone(20), "Ray's processes end with the one that started them"


def working(lab: Lab) -> list[int]:
    """Processes of stages."""
    return [pid for pid in lab.processes() if "edgemake.stage_process" in lab.command(pid)]


def parent(pid: int) -> int:
    """The parent of a process."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
