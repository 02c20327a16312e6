"""The program on one screen: overrides -> config -> steps -> doit tasks.

doit finds this file; `edgemake.doit_plugin.Loader` (named in pyproject.toml) calls `plan` with
every Hydra override of the command line and makes doit tasks of the deliveries it returns.
"""

from collections.abc import Sequence
from pathlib import Path

from edgemake.build import Plan
from edgemake.config import load
from edgemake.project import Project
from stages import pipeline
from stages.schema import Config

PROJECT = Project(Path(__file__).resolve().parent)


def plan(overrides: Sequence[str], *, keep: bool = True) -> Plan:
    """What the command line asks for. Raises UserError; with `keep`, caches the config."""
    config = load(PROJECT, overrides, Config, keep=keep)
    return pipeline.plan(config, PROJECT.root)
