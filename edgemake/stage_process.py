"""The process a stage runs in, under its toolchain's Python: confine, import, run, report.

Reads one JSON object on stdin. Reports on the descriptor of `work.PROGRESS_FD`. Standard
library only; this module is part of every stage's source digest, so it is kept small. It loads
only what it needs: every import here is paid for by every step (`benchmarks/overhead.py`).
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import importlib
import json
import os
import signal
import sys
import traceback
from collections.abc import Mapping, Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType

from edgemake import landlock
from edgemake.work import PROGRESS_FD, StageError, Work

_SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/sbin", "/etc", "/opt", "/proc", "/sys", "/run")
_PR_SET_PDEATHSIG = 1


class _NoByteCode(SourceFileLoader):
    """Compiles the source itself: Python's byte code cache goes by size and time, and would run
    the old code after an edit that keeps both."""

    def path_stats(self, path: str) -> dict[str, float]:
        raise OSError


class _Declared:
    """Finds the project's modules that the step's digest covers, and lets no other be found."""

    def __init__(self, modules: Mapping[str, str]) -> None:
        self._modules = modules
        self._packages = {name.partition(".")[0] for name in modules}

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module's place; None for what is not the project's."""
        if name in self._modules:
            file = self._modules[name]
            return spec_from_file_location(name, file, loader=_NoByteCode(name, file))
        if name.partition(".")[0] in self._packages:
            raise ModuleNotFoundError(f"{name} is imported in a way the step's digest cannot see")
        return None


def main() -> int:
    """Run the stage that stdin names. 0: done; 1: the stage failed, and the report says how."""
    spec = json.load(sys.stdin)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # never outlive the runner
    if os.getppid() != spec["runner"]:
        return 1
    sys.meta_path.insert(0, _Declared(spec["modules"]))
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
        _report({"error": _explain(error)})
        with contextlib.suppress(OSError):  # the log is on the disk that may be full
            traceback.print_exc()
        return 1
    _report({"modules": _project_modules(spec["modules"])})
    return 0


def _explain(error: BaseException) -> str:
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "the disk is full; free some space and run the same command again"
    if isinstance(error, PermissionError) and error.filename:
        return f"access to {error.filename} was refused: a stage sees only its declared inputs"
    if isinstance(error, MemoryError):
        return "out of memory"
    return f"{type(error).__name__}: {error}"


def _project_modules(modules: Mapping[str, str]) -> list[str]:
    mine = {name.partition(".")[0] for name in modules}
    return sorted(
        name
        for name, module in sys.modules.items()
        if name.partition(".")[0] in mine and getattr(module, "__file__", None)
    )


def _report(message: Mapping[str, object]) -> None:
    os.write(int(os.environ[PROGRESS_FD]), (json.dumps(message) + "\n").encode())


if __name__ == "__main__":
    sys.exit(main())
