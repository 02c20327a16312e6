"""`python install.py COMMAND …`: run an installer that ends when whoever started it ends.

Started with a pipe as stdin, in a process group of its own. The pipe closes when the coordinator
is gone, in whatever way, and then nothing may go on writing where the next build installs. Needs
the standard library alone, so that no search path has to be set, which the installer would see.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading

_PR_SET_PDEATHSIG = 1


def main(command: list[str]) -> int:
    """The exit status of the command, whose messages all go to stdout."""
    os.dup2(1, 2)
    process = subprocess.Popen(  # there is one thread only yet, so a function may run in between
        command,
        stdin=subprocess.DEVNULL,
        preexec_fn=_end_with_parent,  # noqa: PLW1509
    )
    threading.Thread(target=_watch, daemon=True).start()
    return process.wait()


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _watch() -> None:
    while os.read(0, 4096):
        pass
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
