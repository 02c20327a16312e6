"""The process a stage runs in, under its toolchain's Python: confine, import, run, report.

Reads one JSON object on stdin. Reports on the descriptor of `work.PROGRESS_FD`. Standard
library only; this module is part of every stage's source digest, so it is kept small.
"""

from __future__ import annotations

import errno
import importlib
import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

from edgemake import landlock
from edgemake.work import PROGRESS_FD, StageError, Work

_SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/sbin", "/etc", "/opt", "/proc", "/sys", "/run")


def main() -> int:
    """Run the stage that stdin names. 0: done; 1: the stage failed, and the report says how."""
    spec = json.load(sys.stdin)
    scratch, out = Path(spec["scratch"]), Path(spec["out"])
    sandbox = landlock.restrict(
        [*_SYSTEM, sys.prefix, sys.base_prefix, *spec["readable"]],
        ["/dev", str(scratch), str(out)],
        network=spec["network"],
    )
    _report({"sandbox": sandbox})
    try:
        module = importlib.import_module(f"stages.{spec['stage']}")
        make = getattr(module, "Params", dict)
        inputs = {name: Path(path) for name, path in spec["inputs"].items()}
        work = Work(inputs, out, scratch / "work", spec["cores"], spec["resumed"])
        module.run(make(**spec["params"]), work)
    except StageError as error:
        _report({"error": str(error)})
        return 1
    except Exception as error:
        traceback.print_exc()
        _report({"error": _explain(error)})
        return 1
    _report({"modules": _project_modules(spec["packages"])})
    return 0


def _explain(error: BaseException) -> str:
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "the disk is full; free some space and run the same command again"
    if isinstance(error, PermissionError) and error.filename:
        return f"access to {error.filename} was refused: a stage sees only its declared inputs"
    if isinstance(error, MemoryError):
        return "out of memory"
    return f"{type(error).__name__}: {error}"


def _project_modules(packages: list[str]) -> list[str]:
    mine = set(packages)
    return sorted(
        name
        for name, module in sys.modules.items()
        if name.partition(".")[0] in mine and getattr(module, "__file__", None)
    )


def _report(message: dict[str, Any]) -> None:
    os.write(int(os.environ[PROGRESS_FD]), (json.dumps(message) + "\n").encode())


if __name__ == "__main__":
    sys.exit(main())
