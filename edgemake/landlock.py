"""Landlock: the kernel refuses every file access and TCP connection that a stage did not declare.

Needs no privileges. Interface: https://docs.kernel.org/userspace-api/landlock.html
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_PR_SET_NO_NEW_PRIVS = 38
_RULE_PATH_BENEATH = 1
_O_PATH = 0o10000000

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_TRUNCATE, _IOCTL_DEV = 1 << 14, 1 << 15
_READ = _EXECUTE | _READ_FILE | _READ_DIR
_FILE_RIGHTS = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
_RIGHTS_OF_ABI = {1: 13, 2: 14, 3: 15, 4: 15}
"""Number of file-system access rights that an ABI version knows; 5 and later: 16."""


def version() -> int:
    """The kernel's Landlock ABI version; 0 where there is none."""
    return max(0, _syscall(_CREATE_RULESET, None, 0, 1))


def restrict(read: Iterable[str], write: Iterable[str], *, network: bool) -> str:
    """Confine this process and its children for good: `read` and `write` are all it may touch.

    Returns what is enforced, in words for the record. Paths that do not exist are left out.
    """
    abi = version()
    if abi == 0:
        return "not enforced: the kernel has no Landlock"
    handled = (1 << _RIGHTS_OF_ABI.get(abi, 16)) - 1
    tcp = 0b11 if abi >= 4 and not network else 0
    attributes = struct.pack("QQ", handled, tcp)[: 16 if abi >= 4 else 8]
    ruleset = _syscall(_CREATE_RULESET, attributes, len(attributes), 0)
    if ruleset < 0:
        return "not enforced: Landlock is switched off"
    for paths, rights in ((read, _READ), (write, handled)):
        for path in paths:
            _allow(ruleset, path, rights & handled)
    ctypes.CDLL(None).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    failed = _syscall(_RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)
    return f"Landlock ABI {abi}" if failed == 0 else "not enforced: Landlock refused"


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        descriptor = os.open(path, _O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not os.path.isdir(path):
            rights &= _FILE_RIGHTS
        rule = struct.pack("=Qi", rights, descriptor)
        _syscall(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, rule, 0)
    finally:
        os.close(descriptor)


def _syscall(number: int, *arguments: int | bytes | None) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    return int(libc.syscall(ctypes.c_long(number), *arguments))
