"""What every section of the config is made of."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

Scalar = bool | int | float | str | None


class Struct(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of every section: immutable, no unknown keys."""

    @property
    def kind(self) -> str:
        """Which of several forms of the section this is: its `kind:` in the YAML."""
        return str(self.__struct_config__.tag)


Name = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$",
        description="short name (letters, digits, `_.-`), part of the deliverable's name",
    ),
]

Imgsz = Annotated[
    int, Meta(ge=32, le=1280, multiple_of=32, description="square image size, a multiple of 32")
]
Part = Annotated[float, Meta(ge=0.05, le=0.9)]
