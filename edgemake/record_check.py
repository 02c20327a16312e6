"""Are the files of an environment those that its packages' RECORD files list?

RECORD: https://packaging.python.org/en/latest/specifications/recording-installed-packages/
"""

from __future__ import annotations

import base64
import csv
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path


def damaged_packages(environment: Path) -> list[str]:
    """Names of the packages with a file that is missing or has other bytes than recorded."""
    found = []
    for record in sorted(environment.glob("lib/python*/site-packages/*.dist-info/RECORD")):
        if any(not _intact(path, digest) for path, digest in _entries(record)):
            found.append(record.parent.name.partition("-")[0])
    return found


def intact_files(environment: Path, wanted: set[Path]) -> set[Path]:
    """Those of `wanted` that some RECORD lists and that still have the recorded bytes."""
    return {
        path
        for record in environment.glob("lib/python*/site-packages/*.dist-info/RECORD")
        for path, digest in _entries(record)
        if path in wanted and _intact(path, digest)
    }


def _entries(record: Path) -> Iterator[tuple[Path, str]]:
    site = record.parent.parent
    with open(record, newline="") as stream:
        for path, digest, _ in csv.reader(stream):
            # Byte code is compiled here; numpy 1.26's wheel ships and lists a piece of its own.
            if digest.startswith("sha256=") and not path.endswith(".pyc"):
                yield Path(os.path.normpath(site / path)), digest.removeprefix("sha256=")


def _intact(path: Path, expected: str) -> bool:
    try:
        with open(path, "rb") as stream:
            found = hashlib.file_digest(stream, "sha256").digest()
    except OSError:
        return False
    return base64.urlsafe_b64encode(found).rstrip(b"=").decode() == expected.rstrip("=")
