"""What the benchmarks ran on, and with which versions."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
from importlib.metadata import version
from pathlib import Path

GIB = 2**30
OURS = ("edgemake", "doit", "hydra-core")
PEERS = ("dvc", "snakemake")


def machine() -> dict[str, str]:
    """Name -> value, for people."""
    found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB
    return {
        "CPU": f"{found[1] if found else platform.machine()}, {len(os.sched_getaffinity(0))} cores",
        "memory": f"{memory:.1f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
    }


def load() -> float:
    """How many processes wanted a core in the last minute."""
    return os.getloadavg()[0]


def versions(peers: Path | None) -> str:
    """Package versions; `peers` is the environment that the peers are installed in."""
    found = {name: version(name) for name in OURS}
    if peers is not None:
        code = "import json, sys\nfrom importlib.metadata import version\n"
        code += "print(json.dumps({n: version(n) for n in sys.argv[1:]}))"
        python = str(peers / "bin/python")
        done = subprocess.run([python, "-c", code, *PEERS], stdout=subprocess.PIPE, check=True)
        found |= json.loads(done.stdout)
    return ", ".join(f"{name} {number}" for name, number in found.items())
