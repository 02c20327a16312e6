"""Where a project's things lie on disk."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from edgemake.errors import UserError

ENGINE_ROOT = Path(__file__).resolve().parent.parent
_GROUPS = stat.S_ISGID | stat.S_IWGRP


def group_bits(folder: Path) -> int:
    """The bits of a folder's mode by which all in it belongs to a group (`chmod g+ws`), or 0."""
    return _GROUPS if folder.stat().st_mode & _GROUPS == _GROUPS else 0


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
        """Caches that hold for one machine only (inode numbers), and for one user: nobody opens
        a database of somebody else's."""
        host = os.uname().nodename
        return self.state / (f"{host}-{os.getuid()}" if self.shared else host)

    @property
    def shared(self) -> bool:
        """Whether the results belong to a group (`chmod g+ws artifacts`)."""
        try:
            return bool(group_bits(self.artifacts))
        except OSError:
            return False

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
        self.share()
        try:
            for folder in (self.store, self.host_state, self.scratch, self.locks):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(
                f"cannot write to {error.filename}: {error.strerror}. "
                f"edgemake keeps its results in {self.artifacts}; {self._remedy()}"
            ) from None
        for folder in (self.artifacts, self.store, self.state, self.scratch, self.locks):
            if not os.access(folder, os.W_OK):
                raise UserError(f"cannot write to {folder}: it is read-only; {self._remedy()}")

    def share(self) -> None:
        """Of results that belong to a group, all that this process makes does: members go on with
        what others began, and clear it away."""
        if self.shared:
            os.umask(os.umask(0o002) & ~0o070)

    def _remedy(self) -> str:
        """What lets this user write there."""
        owner = self.artifacts.stat().st_uid if self.artifacts.exists() else os.getuid()
        if owner == os.getuid():
            return "make it writable"
        return (
            f"it belongs to user {owner}. To build there together, let it be a group's, once: "
            f"chgrp -R GROUP {self.artifacts} && chmod -R g+ws {self.artifacts}"
        )
