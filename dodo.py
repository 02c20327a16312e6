"""The program on one screen: overrides -> config -> steps -> doit tasks.

doit finds this file; `edgemake.doit_plugin.Loader` (named in pyproject.toml) calls `plan` with
every Hydra override of the command line and makes doit tasks of the deliveries it returns.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from edgemake.build import Plan
from edgemake.config import load
from edgemake.deliver import Delivery
from edgemake.project import Project
from stages import figures, pipeline
from stages.schema import Config, Training

PROJECT = Project(Path(__file__).resolve().parent)
SCHEMA = Config


def plan(overrides: Sequence[str], *, keep: bool = True) -> Plan:
    """What the command line asks for. Raises UserError; with `keep`, caches the config."""
    config = load(PROJECT, overrides, Config, keep=keep)
    toolchains = PROJECT.root / Path(config.toolchain.dir).expanduser()
    return Plan([delivery(config)], how_to_run(config), toolchains)


def delivery(config: Config) -> Delivery:
    """What one config delivers."""
    planned = pipeline.plan(config)
    return Delivery(
        folder=planned.folder,
        name=planned.name,
        package=planned.package,
        verdicts=planned.verdicts,
        config=msgspec.to_builtins(config),
        summary=figures.rows,
        commands=planned.deliver_commands,
        model=planned.model,
    )


def how_to_run(config: Config) -> Mapping[str, str]:
    """Settings of the machine, not of the result: stages see them, no digest holds them."""
    if not isinstance(config.train, Training):
        return {}
    train = config.train
    return {"EDGEMAKE_DEVICE": str(train.device), "EDGEMAKE_WORKERS": str(train.workers)}
