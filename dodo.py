"""The program on one screen: overrides -> config -> steps -> doit tasks.

doit finds this file; `edgemake.doit_plugin.Loader` (named in pyproject.toml) calls `plan` with
every Hydra override of the command line and makes doit tasks of the deliveries it returns.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from edgemake.config import load
from edgemake.delivery import Delivery, Measures, Tracker
from edgemake.plan import Errand, Plan
from edgemake.project import Project
from edgemake.provenance import without_places
from stages import figures, pipeline, report_facts, resources, track
from stages.schema import Config, Training

PROJECT = Project(Path(__file__).resolve().parent)
SCHEMA = Config


def plan(overrides: Sequence[str], *, keep: bool = True) -> Plan:
    """What the command line asks for. Raises UserError; with `keep`, caches the config."""
    pictures = [word for word in overrides if word.startswith(("image=", "out="))]
    keys = [word for word in overrides if word not in pictures]
    config = load(PROJECT, keys, Config, keep=keep)
    planned = pipeline.plan(config)
    asked = errand(config, planned, pictures) if pictures else None
    return replace(as_planned(config, planned), errand=asked)


def plan_points(points: Sequence[Sequence[str]], *, keep: bool = True) -> Plan:
    """What the points of a sweep ask for, as one plan: `doit -m`, and launchers.

    A point is the overrides of one build, as `plan` takes them; it may not sweep itself. The plan
    has a delivery for each point, in their order (`Delivery.point` tells them apart); a point that
    cannot be planned is in `Plan.refused` instead, with what `plan` would have raised.
    """
    from edgemake.sweep import plan_each  # for sweeps alone

    return plan_each(PROJECT, points, Config, plan_one, keep=keep)


def plan_one(config: Config) -> Plan:
    """What one config of a sweep asks for. Raises UserError."""
    from stages.pipeline_sweep import Conclusion  # for sweeps alone

    conclusion = Conclusion(config, PROJECT.artifacts)
    return replace(as_planned(config, pipeline.plan(config)), conclusion=conclusion)


def as_planned(config: Config, planned: pipeline.Pipeline) -> Plan:
    """A config's delivery, and how to run what it needs."""
    return Plan(
        [delivery(config, planned)],
        how_to_run(config),
        toolchain_dir(config),
        needs=resources.needs(config),
        executor=msgspec.to_builtins(config.executor),
    )


def toolchain_dir(config: Config) -> Path:
    """Where toolchains are installed."""
    return PROJECT.root / Path(config.toolchain.dir).expanduser()


def delivery(config: Config, planned: pipeline.Pipeline) -> Delivery:
    """What one config delivers."""
    return Delivery(
        folder=planned.folder,
        name=planned.name,
        package=planned.package,
        verdicts=planned.verdicts,
        appendix=planned.appendix,
        waits=planned.waits,
        complete=report_facts.complete,
        track=tracker(config),
        config=told_of(config),
        summary=figures.rows,
        commands=planned.deliver_commands,
        model=planned.model,
        measures=partial(measured, config, planned),
    )


def told_of(config: Config) -> dict[str, Any]:
    """What others are told of a config: where it was built is nothing that they could use."""
    values: dict[str, Any] = msgspec.to_builtins(config)
    return {key: value for key, value in values.items() if key != "executor"}


def measured(config: Config, planned: pipeline.Pipeline) -> Measures:
    """The figures of what one config delivers."""
    from stages import measures  # for searches alone

    return measures.of(config, planned.appendix)


def tracker(config: Config) -> Tracker | None:
    """Where the figures of a deliverable are logged, if anywhere. Raises UserError."""
    uri, experiment = config.track.mlflow, config.track.experiment
    if uri is None:
        return None
    track.check(uri)
    return Tracker(f"{uri} {experiment}", lambda folder: track.log(uri, experiment, folder))


def errand(config: Config, planned: pipeline.Pipeline, words: Sequence[str]) -> Errand:
    """What `doit infer` runs, and does with the result."""
    from stages import results  # for this command alone

    wanted = results.wanted(words)
    step = pipeline.look_at(config, planned.built, wanted.pictures)
    ran = planned.built.name_of(planned.built.runs)
    return Errand(step, partial(results.hand_out, wanted, ran, planned.model))


def compare(entries: Sequence[str], overrides: Sequence[str], *, keep: bool = True) -> Plan:
    """What `doit compare` asks for: `entries` that were delivered, and targets to build."""
    from stages import compare_table, comparisons  # for this command alone

    wanted = comparisons.wanted(PROJECT.root, entries, overrides)
    configs = [load(PROJECT, line, Config, keep=keep) for line in wanted.targets]
    planned = [(config, pipeline.plan(config)) for config in configs]
    tools = configs[0] if configs else load(PROJECT, wanted.tools, Config, keep=keep)
    told = [(one, without_places(told_of(config))) for config, one in planned]
    step = pipeline.side_by_side(tools, wanted.folders, told)
    return Plan(
        [delivery(config, one) for config, one in planned],
        how_to_run(tools),
        toolchain_dir(tools),
        Errand(step, partial(compare_table.hand_out, wanted.page)),
        needs=resources.needs(tools),
        executor=msgspec.to_builtins(tools.executor),
    )


def check_model(words: Sequence[str], overrides: Sequence[str], *, keep: bool = True) -> Plan:
    """What `doit check-model` asks for: `words` name the file."""
    from stages import foreign, foreign_table, pipeline_check  # for this command alone

    file, config = foreign.file_word(words), load(PROJECT, overrides, Config, keep=keep)
    step = pipeline_check.check_file(config, file)
    board = config.target.title, config.target.contract.firmware
    tell = partial(foreign_table.tell, file, board, figures.cost)
    needs = resources.needs(config)
    return Plan([], {}, toolchain_dir(config), Errand(step, tell), needs=needs)


def how_to_run(config: Config) -> Mapping[str, str]:
    """Settings of the machine, not of the result: stages see them, no digest holds them."""
    if not isinstance(config.train, Training):
        return {}
    train = config.train
    return {"EDGEMAKE_DEVICE": str(train.device), "EDGEMAKE_WORKERS": str(train.workers)}


if __name__ == "__main__":  # Hydra's own way: python dodo.py --multirun …
    from edgemake.hydra_app import main
    from stages import measures

    sys.exit(main(PROJECT, measures.every()))
