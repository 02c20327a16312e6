"""Recognises the vendor's xquant wheel, and what is often taken for it. Standard library only.

SpacemiT's quantizer was called xquant from 1.0.1 to 2.0.4 and has been called xslim since 2.0.5;
the public package index has an `xquant` too, which is something else (0.5.2 tests trading
strategies).
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path

WHERE = (
    "SpacemiT hands it out through its own package registry, which the READMEs of "
    "github.com/spacemit-com/spacemit-demo (examples/CV) name; the public package index's xquant "
    "is another program. Or take quant=xslim, the same tool under its new name"
)
"""Where the wheel comes from, for people."""
NEEDED = ("xquant/__main__.py", "xquant/xquant_setting.py")
"""Modules that every version of the vendor's wheel has, and that we call or write for."""


@dataclass(frozen=True)
class Wheel:
    """The vendor's wheel."""

    version: str


def read_wheel(path: Path) -> Wheel:
    """What the wheel's metadata say. Raises ValueError, saying why, if it is not the vendor's."""
    if path.is_dir():
        raise ValueError(f"is a folder; give the wheel, xquant-….whl. {WHERE}")
    if not path.exists():
        raise ValueError(f"does not exist. {WHERE}")
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            name, version, summary = _metadata(archive)
    except (zipfile.BadZipFile, KeyError, OSError) as fault:
        raise ValueError(f"is no wheel ({fault or type(fault).__name__}). {WHERE}") from None
    if name == "xslim":
        raise ValueError("is xslim, which needs no wheel: take quant=xslim")
    if name != "xquant":
        raise ValueError(f"is the wheel of {name} {version}, not of xquant. {WHERE}")
    missing = [needed for needed in NEEDED if needed not in names]
    if version.startswith("0.") or missing:
        said = f" ({summary})" if summary else ""
        raise ValueError(f"is the public package index's xquant {version}{said}. {WHERE}")
    return Wheel(version)


def _metadata(archive: zipfile.ZipFile) -> tuple[str, str, str]:
    """Name, version and summary. Raises KeyError when there are no metadata."""
    found = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
    if not found:
        raise KeyError("no METADATA")
    said = HeaderParser().parsestr(archive.read(found[0]).decode("utf-8", "replace"))
    return (said["Name"] or "?").lower(), said["Version"] or "?", said["Summary"] or ""
