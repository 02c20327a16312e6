"""provenance.json of a deliverable: what everything in it was made from, for whoever gets it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgemake.errors import UserError
from edgemake.store import RECORD

PROVENANCE = "provenance.json"
_PRIVATE = ("files", "why")
"""What of a step's record tells about the maker's folders, and has no place in what is shared."""


def shareable(record: Mapping[str, Any]) -> dict[str, Any]:
    """A step's record without what is the maker's alone."""
    return {key: value for key, value in record.items() if key not in _PRIVATE}


def without_places(value: Any) -> Any:
    """A config value with absolute paths reduced to their last part."""
    if isinstance(value, Mapping):
        return {key: without_places(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_places(item) for item in value]
    return Path(value).name if isinstance(value, str) and value.startswith("/") else value


def artifacts_behind(project_artifacts: Path) -> set[str]:
    """Digests of all artifacts that the provenance of a deliverable names, rejected ones too.

    Raises UserError when one cannot be read: what it names must not be taken for garbage.
    """
    found: set[str] = set()
    for path in project_artifacts.glob(f"*/*/{PROVENANCE}"):
        if path.parent.parent.name.startswith(".") or (path.parent / RECORD).exists():
            continue
        try:
            steps = json.loads(path.read_bytes())["steps"]
            found |= {record["digest"] for record in steps.values()}
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            raise UserError(
                f"{path} cannot be read, so what its folder was made from is not known; "
                "build it again or delete the folder, then collect garbage"
            ) from None
    return found
