"""Put a finished folder in the place of another in one step, with what people added to that."""

from __future__ import annotations

import errno
import filecmp
import os
import shutil
from collections.abc import Collection
from pathlib import Path

from edgemake.errors import UserError
from edgemake.store import discard

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


def replace_folder(new: Path, final: Path) -> None:
    """`final` becomes `new`, whole: whoever looks sees the old folder or the new one.

    Uses Linux' renameat2(RENAME_EXCHANGE); on file systems without it there is an instant
    in which `final` is missing, never one in which it is mixed.
    """
    if not os.path.lexists(final):
        new.rename(final)
        return
    if _exchange(new, final):
        discard(new)
        return
    old = final.with_name(f".old-{final.name}")
    discard(old)
    final.rename(old)
    new.rename(final)
    discard(old)


def carry_over(old: Path, new: Path, ours: Collection[str]) -> None:
    """Give `new` every file of `old` but `ours` (paths with '/'): those that people put there.

    Raises UserError for one whose place in `new` is taken by something else.
    """
    for base, folders, names in os.walk(old):
        links = [name for name in folders if os.path.islink(os.path.join(base, name))]
        for path in (Path(base, name) for name in [*names, *links]):
            target = new / path.relative_to(old)
            if path.relative_to(old).as_posix() in ours or _same(path, target):
                continue
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                if os.path.lexists(target):
                    raise FileExistsError
            except (FileExistsError, NotADirectoryError):
                raise UserError(
                    f"{path} is in the way of what is delivered; move it away"
                ) from None
            try:
                os.link(path, target, follow_symlinks=False)
            except OSError:  # some file systems have no hard links
                shutil.copy2(path, target, follow_symlinks=False)


def _same(one: Path, other: Path) -> bool:
    return one.is_file() and other.is_file() and filecmp.cmp(one, other, shallow=False)


def _exchange(one: Path, other: Path) -> bool:
    import ctypes  # seldom needed

    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "renameat2"):
        return False
    names = os.fsencode(one), os.fsencode(other)
    failed = libc.renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE)
    if failed and ctypes.get_errno() not in (errno.EINVAL, errno.ENOSYS):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(other))
    return not failed
