"""Runs xslim or xquant: always with the same bytes as result, telling how far it has come."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from vision.xslim_output import plain, progress_of, reason, warning_of

LAUNCH = """
import random, runpy, sys
del sys.argv[0]
random.seed(0)
import torch
torch.manual_seed(0)
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""
"""`python -m TOOL …` with seeds: the tools draw images and blocks at random, and set none."""
ENVIRONMENT = {
    "PYTHONHASHSEED": "0",  # they iterate over sets of names: another seed, other bytes
    "OMP_NUM_THREADS": "1",  # other threads, other sums, other bytes; and two are no faster
    "MKL_NUM_THREADS": "1",
    "CUDA_VISIBLE_DEVICES": "-1",  # equal bytes with and without a GPU
}
KEPT = 400
"""Lines of the tool's words that are kept to find out why it failed."""


def run_tool(
    arguments: Sequence[str], packages: str, folder: Path, progress: Callable[[int, int, str], None]
) -> list[str]:
    """Runs `python -m` with the arguments in `folder`, and prints what it says.

    `packages` is a folder to import from besides the toolchain's, or "". `progress` is told
    percent, 100 and the phase. Returns the warnings. Raises ValueError, saying why, when the tool
    fails.
    """
    last, warnings = deque[str](maxlen=KEPT), list[str]()
    with subprocess.Popen(
        [sys.executable, "-c", LAUNCH, *arguments],
        cwd=folder,
        env={**os.environ, **ENVIRONMENT, "PYTHONPATH": packages},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as process:
        assert process.stdout is not None
        for line in map(plain, process.stdout):  # a bar's carriage return ends a line too
            last.append(line)
            if (step := progress_of(line)) is not None:
                progress(step[0], 100, step[1])
                continue
            print(line, flush=True)
            if (warning := warning_of(line)) is not None:
                warnings.append(warning)
    if process.returncode < 0:
        raise ValueError(
            f"was killed (signal {-process.returncode}), most often for lack of memory; close "
            "other programs, or lower model.imgsz"
        )
    if process.returncode:
        raise ValueError(f"failed: {reason(last)}")
    return warnings
