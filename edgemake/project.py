"""Where a project's things lie on disk."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from edgemake.errors import UserError

ENGINE_ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Project:
    """A folder with `stages/`, `conf/` and `toolchains/`; all results go to `artifacts/`."""

    root: Path
    toolchain_dir: Path | None = None
    """Where toolchains are installed; None: `.toolchains` in the project."""

    @property
    def artifacts(self) -> Path:
        return self.root / "artifacts"

    @property
    def store(self) -> Path:
        """Immutable artifacts: `store/<stage>/<action digest>`."""
        return self.artifacts / "store"

    @property
    def state(self) -> Path:
        """Caches and bookkeeping; losing it costs time, never truth."""
        return self.artifacts / ".state"

    @property
    def host_state(self) -> Path:
        """Caches that hold for one machine only (inode numbers)."""
        return self.state / os.uname().nodename

    @property
    def scratch(self) -> Path:
        """Private folders of running, killed and failed steps."""
        return self.artifacts / ".scratch"

    @property
    def jobs(self) -> Path:
        """What a coordinator and its jobs on other machines tell each other."""
        return self.artifacts / ".jobs"

    @property
    def locks(self) -> Path:
        return self.artifacts / ".locks"

    @property
    def toolchains(self) -> Path:
        return self.toolchain_dir or self.root / ".toolchains"

    @property
    def lock_files(self) -> Path:
        return self.root / "toolchains"

    @property
    def source_roots(self) -> tuple[Path, ...]:
        """Where modules of the project are looked up: the project itself, then the engine."""
        roots = (self.root, ENGINE_ROOT)
        return roots if self.root != ENGINE_ROOT else roots[:1]

    def prepare(self) -> None:
        """Make the folders a build writes to. Raises UserError when that is not allowed."""
        try:
            for folder in (self.store, self.host_state, self.scratch, self.locks):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(
                f"cannot write to {error.filename}: {error.strerror}. "
                f"edgemake keeps its results in {self.artifacts}; make it writable"
            ) from None
        for folder in (self.artifacts, self.store, self.state, self.scratch, self.locks):
            if not os.access(folder, os.W_OK):
                raise UserError(f"cannot write to {folder}: it is read-only; make it writable")
