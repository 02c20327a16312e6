"""What a stage gets to do its work. Standard library only: it runs in every toolchain."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PROGRESS_FD = "EDGEMAKE_PROGRESS_FD"
"""Environment variable with the file descriptor on which progress goes to the runner."""


class StageError(Exception):
    """The stage cannot do its work for a reason the user can mend. Shown without a traceback."""


@dataclass(frozen=True)
class Work:
    """Where a stage reads and writes. Everything else is out of its reach."""

    inputs: Mapping[str, Path]
    """Input name -> file or folder, read-only."""
    out: Path
    """Empty folder; every declared output must lie here when `run` returns."""
    scratch: Path
    """Private working folder; survives a kill if the step is resumable."""
    cores: int
    """How many threads the stage may use."""
    resumed: bool = False
    """Whether `scratch` holds what an earlier, killed run of the same action left."""

    def progress(self, done: float, total: float, text: str = "") -> None:
        """Tell the person who waits: `done` of `total` (any unit), and a few words."""
        descriptor = os.environ.get(PROGRESS_FD)
        if descriptor is not None:
            line = json.dumps({"done": done, "total": total, "text": text}) + "\n"
            os.write(int(descriptor), line.encode())
