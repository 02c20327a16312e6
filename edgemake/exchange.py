"""Put a finished folder in the place of another in one step."""

from __future__ import annotations

import errno
import os
from pathlib import Path

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
