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
    from concurrent.futures import ThreadPoolExecutor  # slow to load, and rarely needed

    records = sorted(environment.glob("lib/python*/site-packages/*.dist-info/RECORD"))
    with ThreadPoolExecutor() as pool:  # hashing lets other threads run
        damaged = pool.map(_is_damaged, records)
        return [
            r.parent.name.partition("-")[0] for r, bad in zip(records, damaged, strict=True) if bad
        ]


def intact_files(environment: Path, wanted: set[Path]) -> set[Path]:
    """Those of `wanted` that some RECORD lists and that still have the recorded bytes."""
    return {
        path
        for record in environment.glob("lib/python*/site-packages/*.dist-info/RECORD")
        for path, digest in _entries(record)
        if path in wanted and _intact(path, digest)
    }


def _is_damaged(record: Path) -> bool:
    return any(not _intact(path, digest) for path, digest in _entries(record))


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
