"""Composed configs for tests of stages."""

from __future__ import annotations

from pathlib import Path

from edgemake.compose import composed
from edgemake.config import validated
from stages.schema import Config

CONF = Path(__file__).resolve().parents[2] / "conf"


def config(*overrides: str) -> Config:
    """The config of `doit target=grove_v2` with `overrides`."""
    return validated(composed(CONF, ["target=grove_v2", *overrides]), Config)
