"""`python -m edgemake.run_step`: one process that runs one step, here or on another machine.

It takes the lock of the action digest, looks in the store again, digests the inputs, runs the
stage in a process group of its own, digests again, validates and publishes. Reads one JSON line
on stdin (a `Spec`) and lives only as long as that pipe is open; writes JSON lines on stdout.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
from collections.abc import Mapping
from typing import Any

from edgemake.errors import StepFailed, UserError
from edgemake.runner import Runner
from edgemake.spec import Spec


def emit(message: Mapping[str, Any]) -> None:
    """One JSON line for the coordinator; a coordinator that is gone is noticed elsewhere."""
    with contextlib.suppress(OSError):
        os.write(1, (json.dumps(message) + "\n").encode())


def main() -> int:
    """Run the step that the first line of stdin describes."""
    wanted = sys.stdin.buffer.readline()
    if not wanted:  # started ahead, and no step came
        return 0
    runner = Runner(Spec(**json.loads(wanted)), emit)

    def stop(*_: object) -> None:
        runner.stage.kill()
        os._exit(130)

    def watch() -> None:  # the pipe closes when the coordinator ends, in whatever way
        while os.read(0, 4096):
            pass
        stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=watch, daemon=True).start()
    try:
        emit({"done": True, **runner.run()})
        return 0
    except (StepFailed, UserError) as error:
        message = str(error)
    except OSError as error:
        message = f"{error.strerror}: {error.filename}. Nothing that was built is lost"
    runner.fail(message)
    emit({"failed": message})
    return 1


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)  # the watching thread must not hold up the end
