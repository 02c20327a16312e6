"""`python -m edgemake.run_step`: the process that runs steps, here or on another machine.

For each it takes the lock of the action digest, looks in the store again, digests the inputs, runs
the stage in a process group of its own, digests again, validates and publishes. Reads JSON lines
on stdin (a `Spec` each, the next when the last has ended) and lives only as long as that pipe is
open; writes JSON lines on stdout, the last of a step being {"ended": exit status}.

Each step runs in a fork of this process, so that none inherits anything of another, while loading
the modules, half of what a step costs beside its own work, is paid for once.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import sys
import threading
from collections.abc import Mapping
from typing import Any

from edgemake.errors import StepFailed, UserError
from edgemake.runner import Runner, in_words
from edgemake.spec import Spec

_PR_SET_PDEATHSIG = 1
_STOPPED = 130
"""Exit status of a step that was ended from outside."""


def emit(message: Mapping[str, Any]) -> None:
    """One JSON line for the coordinator; a coordinator that is gone is noticed elsewhere."""
    with contextlib.suppress(OSError):
        os.write(1, (json.dumps(message) + "\n").encode())


def main() -> int:
    """Run the steps that stdin describes, one after the other; the exit status of the last."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    status, parent = 0, os.getpid()
    for wanted in sys.stdin.buffer:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # meant for the step's process, which ends
        child = os.fork()
        if child == 0:
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() == parent:
                os._exit(run(Spec(**json.loads(wanted))))
            os._exit(_STOPPED)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if status == _STOPPED:
            break
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        emit({"ended": status})
    return status


def run(spec: Spec) -> int:
    """Run one step, in a process of its own. 0: done; 1: it failed, and the reason was told."""
    runner = Runner(spec, emit)

    def stop(*_: object) -> None:
        runner.stage.kill()
        os._exit(_STOPPED)

    def watch() -> None:  # the pipe closes when the coordinator ends, in whatever way
        while os.read(0, 4096):
            pass
        stop()

    signal.signal(signal.SIGTERM, stop)
    threading.Thread(target=watch, daemon=True).start()
    try:
        emit({"done": True, **runner.run()})
        return 0
    except (StepFailed, UserError) as error:
        message = str(error)
    except OSError as error:
        message = in_words(error)
    emit({"failed": message})
    return 1


if __name__ == "__main__":
    sys.exit(main())
