"""Where the browser comes from: it is no Python package, and pages must be seen in a real one."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
PACKAGES = ("chromium-headless-shell", "fonts-dejavu-core")
"""Of Debian: the browser without windows, and letters."""


class NoBrowser(AssertionError):
    """There is none, and none can be installed: a test that needs one has shown nothing."""


@functools.cache
def chromium() -> str:
    """The path of a Chromium; installs Debian's, once, where it is missing and that is allowed.

    Raises NoBrowser in words.
    """
    if (found := _found()) is not None:
        return found
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise NoBrowser(
            "no Chromium on PATH, and only root on Debian can install it here; run "
            f"`sudo apt-get install {' '.join(PACKAGES)}`"
        )
    _apt("update")
    _apt("install", "-y", "--no-install-recommends", *PACKAGES)
    if (found := _found()) is None:
        raise NoBrowser(f"apt-get installed {PACKAGES[0]}, but none of {NAMES} is on PATH")
    return found


def _found() -> str | None:
    return next((path for path in map(shutil.which, NAMES) if path is not None), None)


def _apt(*arguments: str) -> None:
    command = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=120", *arguments]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        raise NoBrowser(f"{' '.join(command)} failed:\n{(done.stdout + done.stderr)[-2000:]}")
