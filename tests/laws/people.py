"""Users that share folders; only root can become them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from lab import Lab

FIRST, SECOND, GROUP = 12001, 12002, 12000
only_root = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("setpriv") is None, reason="only root can become two users"
)


def user(number: int) -> tuple[str, ...]:
    """Runs a command as somebody who is in the group. Reading is free, as this Python may lie
    where others may not look; whatever is written obeys the permissions of an ordinary user."""
    reads = ("--inh-caps", "-all,+dac_read_search", "--ambient-caps", "-all,+dac_read_search")
    bound = ("--bounding-set", "-all,+dac_read_search")
    return ("setpriv", "--reuid", str(number), "--regid", str(number), "--groups", str(GROUP),
            *bound, *reads, "--")  # fmt: skip


def shared_by_two(root: Path, homes: Path) -> tuple[Lab, Lab]:
    """A project of FIRST's, whose results belong to the group, as each of the two sees it."""
    for folder in (homes, *homes.parents[:2]):
        folder.chmod(0o755)  # pytest lets nobody else in
    (root / "artifacts").mkdir(exist_ok=True)
    subprocess.run(["chown", "-R", f"{FIRST}:{GROUP}", str(root.parent)], check=True)
    subprocess.run(["chmod", "-R", "g+ws", str(root / "artifacts")], check=True)
    return _lab(root, FIRST, homes), _lab(root, SECOND, homes)


def _lab(root: Path, number: int, homes: Path) -> Lab:
    lab, home = Lab(root, user(number)), homes / f"home{number}"
    home.mkdir()
    os.chown(home, number, number)
    lab.environment |= {"HOME": str(home), "TMPDIR": str(home)}
    lab.environment["EDGEMAKE_TOKENS"] = str(home / "tokens")
    return lab
