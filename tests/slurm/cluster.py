"""A real SLURM for the tests: munged, slurmctld and a slurmd, private to whoever starts it.

The node is as much another machine as one computer allows: slurmd runs in mount, PID and UTS
namespaces of its own, so it has its own host name, can see a folder differently (read-only, say),
and can be lost with everything that runs on it. Needs root and Debian's packages.

By hand: `python tests/slurm/cluster.py` starts one, says how to use it, and ends it with Ctrl-C.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

PACKAGES = ("slurmctld", "slurmd", "slurm-client", "munge")
PROGRAMS = ("slurmctld", "slurmd", "sbatch", "munged", "mungekey", "unshare", "nsenter")
NODE = "edgemake-node"
PARTITION = "bench"
CORES, MEMORY_MB = 4, 4000
CONFIG = """\
ClusterName=edgemake
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={munge}/socket
CredType=cred/munge
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
KillWait=5
MinJobAge=60
ReturnToService=2
SlurmdParameters=config_overrides
SlurmdTimeout=6
SchedulerParameters=sched_interval=1,batch_sched_delay=1,bf_interval=1
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
NodeName={node} NodeAddr=127.0.0.1 CPUs={cores} RealMemory={memory}
PartitionName={partition} Nodes={node} Default=YES MaxTime=2-0 State=UP
"""


class ClusterError(Exception):
    """The cluster does not start; the message says why, and what would help."""


class Cluster:
    """One SLURM of one node. `environment` makes SLURM's commands talk to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {"SLURM_CONF": str(folder / "slurm.conf")}
        self._daemons: list[subprocess.Popen[bytes]] = []
        self._node: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start everything and wait until the node takes jobs. Raises ClusterError."""
        munge = self.folder / "munge"
        for folder in (munge, self.folder / "state", self.folder / "spool"):
            folder.mkdir(parents=True)
        text = CONFIG.format(
            host=socket.gethostname(), folder=self.folder, munge=munge, ports=_free_ports(2),
            node=NODE, cores=CORES, memory=MEMORY_MB, partition=PARTITION,
        )  # fmt: skip
        (self.folder / "slurm.conf").write_text(text)
        _run("mungekey", "--create", f"--keyfile={munge}/key")
        self._daemon(
            "munged", "--foreground", "--force", f"--key-file={munge}/key",
            *(f"--{name}={munge}/{end}" for name, end in _MUNGE_FILES.items()),
        )  # fmt: skip
        self._wait("munge's socket", (munge / "socket").exists)
        self._daemon("slurmctld", "-D", "-f", self.environment["SLURM_CONF"])
        self.start_node()

    def start_node(self) -> None:
        """Start the node, for the first time or after `lose_node`."""
        self._node = self._daemon(
            *("unshare", "--mount", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc"),
            *("sh", "-c", f"hostname {NODE} && exec slurmd -D -f $SLURM_CONF"),
        )
        self.say("scontrol", "update", f"NodeName={NODE}", "State=RESUME")
        self._wait("the node", lambda: not self.say("sinfo", "-h", "-o", "%T").startswith(_NOT_YET))

    def lose_node(self) -> None:
        """The node is gone, with everything on it, without a word; the controller knows it."""
        assert self._node is not None
        self._node.kill()  # unshare, which takes the namespace with it
        self._node.wait()
        self._daemons.remove(self._node)
        self.say("scontrol", "update", f"NodeName={NODE}", "State=DOWN", "Reason=lost")

    @contextlib.contextmanager
    def read_only(self, folder: Path) -> Iterator[None]:
        """Meanwhile the node, and it alone, cannot write to the folder."""
        self._on_node("mount", "--bind", str(folder), str(folder))
        self._on_node("mount", "-o", "remount,bind,ro", str(folder))
        try:
            yield
        finally:
            self._on_node("umount", str(folder))

    @contextlib.contextmanager
    def unseen(self, folder: Path) -> Iterator[None]:
        """Meanwhile the node sees an empty folder in its place: it is on no shared file system."""
        self._on_node("mount", "-t", "tmpfs", "none", str(folder))
        try:
            yield
        finally:
            self._on_node("umount", str(folder))

    def say(self, *command: str) -> str:
        """What one of SLURM's commands prints; of one that fails, its complaint."""
        done = subprocess.run(
            command,
            env={**os.environ, **self.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.stdout.strip()

    def jobs(self) -> list[str]:
        """Ids of the jobs that wait or run."""
        return self.say("squeue", "-h", "-o", "%A").split()

    def stop(self) -> None:
        """End the cluster and everything on it."""
        self.say("scancel", "--user=root")
        for daemon in reversed(self._daemons):
            daemon.kill()
            daemon.wait()

    def _on_node(self, *command: str) -> None:
        assert self._node is not None
        (inner,) = (
            Path(f"/proc/{self._node.pid}/task/{self._node.pid}/children").read_text().split()
        )
        _run("nsenter", f"--target={inner}", "--mount", *command)

    def _daemon(self, *command: str) -> subprocess.Popen[bytes]:
        with open(self.folder / "daemons.log", "ab") as log:
            started = subprocess.Popen(
                command,
                cwd=self.folder,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._daemons.append(started)
        return started

    def _wait(self, what: str, there: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 30
        while not there():
            ended = [d.args for d in self._daemons if d.poll() is not None]
            if ended or time.monotonic() > deadline:
                logs = sorted(self.folder.glob("*.log"))
                ends = "\n".join(log.read_text(errors="replace")[-1500:] for log in logs)
                raise ClusterError(f"{what} does not come up; {ended or 'nothing'} ended:\n{ends}")
            time.sleep(0.05)


_NOT_YET = ("down", "unknown", "sinfo")
"""What sinfo says of a node that takes no jobs; or it complains that no controller answers."""
_MUNGE_FILES = {
    "socket": "socket",
    "pid-file": "pid",
    "log-file": "munged.log",
    "seed-file": "seed",
}


def installed() -> None:
    """Have SLURM's programs, from the distribution. Raises ClusterError when that cannot be."""
    if os.geteuid() != 0:
        raise ClusterError("a SLURM of our own needs root; run the tests as root")
    if _missing():
        update, get = ["apt-get", "update", "-q"], ["apt-get", "install", "-y", "-q"]
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (update, [*get, "--no-install-recommends", *PACKAGES]):
            if shutil.which(command[0]) is None:
                break
            subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False)
    if missing := _missing():
        raise ClusterError(
            f"SLURM cannot be installed here: {', '.join(missing)} are not there after "
            f"`apt-get install {' '.join(PACKAGES)}`; install them by hand"
        )


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Cluster]:
    """A cluster of one node while the block lasts. Raises ClusterError."""
    installed()
    cluster = Cluster(folder)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


def _missing() -> list[str]:
    return [program for program in PROGRAMS if shutil.which(program) is None]


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ClusterError(f"{' '.join(command)}: {done.stderr.strip()}")


def main() -> int:
    """A cluster for whoever wants to try one; 1 when it does not start."""
    try:
        with tempfile.TemporaryDirectory() as place, running(Path(place) / "slurm") as cluster:
            sys.stdout.write(f"export SLURM_CONF={cluster.environment['SLURM_CONF']}\n")
            sys.stdout.write(f"# one node, partition {PARTITION}, {CORES} cores; Ctrl-C ends it\n")
            sys.stdout.flush()
            ends = {signal.SIGINT, signal.SIGTERM}
            signal.pthread_sigmask(signal.SIG_BLOCK, ends)
            signal.sigwait(ends)
    except ClusterError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
