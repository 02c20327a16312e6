"""The whole pipeline: a config becomes steps. Arguments are the edges between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgemake.step import Output, Step
from stages import (
    adopt,
    dataset,
    examine,
    gate,
    given,
    infer,
    naming,
    package,
    pipeline_proof,
    weights,
)
from stages.pipeline_build import CALIBRATION, Built, build, needs_dataset, network

if TYPE_CHECKING:
    from stages.schema import Config

TAKEN = frozenset(("store", "sweeps", *(path.stem for path in Path(__file__).parent.glob("*.py"))))
"""Folders of artifacts/ that no target's deliverables may lie in."""


@dataclass(frozen=True)
class Pipeline:
    """A planned pipeline, as far as delivering its result needs it."""

    name: str
    """The deliverable's, readable; made of everything that people vary."""
    folder: str
    """The target's name: the deliverable's folder."""
    package: Step
    verdicts: tuple[Output, ...]
    """Files that say whether the package may be delivered."""
    waits: bool
    """Whether delivery waits for the accuracy, because the user limits it."""
    appendix: tuple[Output, ...]
    """What is put beside the package: the report, the metrics, the diagnosis."""
    deliver_commands: Mapping[str, str]
    """Way of delivery -> command that puts the file {model} on the board."""
    model: str
    """The package's output that the board runs."""
    built: Built


def plan(config: Config) -> Pipeline:
    """The steps that make a config's deliverable, and those that prove it.

    Raises UserError for what cannot work, before anything is run.
    """
    known = dataset.known(config)
    examine.examine(config, known, TAKEN)
    name = naming.deliverable_name(config)
    data = dataset.plan(config) if known is not None else None
    floats = network(config, data)
    start = adopt.classes(config) or weights.classes(config)  # of files that were found good
    given.examine(config, start, known)
    tiers = given.tiers(config, start, known)
    source = data if tiers or needs_dataset(config) else None
    tries = pipeline_proof.tries(config, floats, source, tiers)
    built = pipeline_proof.best(tries) if tries else build(config, floats, source)
    lists = {name: built.images[name] for name in CALIBRATION if not name.endswith(".npy")}
    packed = package.plan(
        config,
        name,
        model=built.model,
        files={**lists, **built.files},  # images come first: bad ones show before training
        export=built.export,
        verdict=built.verdict,
    )
    measured = pipeline_proof.measure(config, tiers, floats, built, source)
    gated = pipeline_proof.judge(config, measured, built)
    return Pipeline(
        name=name,
        folder=config.target.name,
        package=packed,
        verdicts=(built.verdict, *((gated,) if gated else ())),
        waits=gate.needs_metrics(config),
        appendix=pipeline_proof.appendix(config, packed, floats, built, measured, gated, source),
        deliver_commands=package.commands(config),
        model=built.model,
        built=built,
    )


def side_by_side(
    config: Config,
    folders: Sequence[tuple[str, Path]],
    planned: Sequence[tuple[Pipeline, Mapping[str, Any]]],
) -> Step:
    """The step that compares delivered folders and planned pipelines (with their configs)."""
    from stages import compare  # for this command alone

    sides = [compare.of_folder(name, path) for name, path in folders]
    for one, values in planned:
        metrics = next((file for file in one.appendix if file.path == compare.METRICS), None)
        name = f"{one.folder}/{one.name}"
        sides.append(compare.Side(name, one.package[compare.MODEL], metrics, values))
    return compare.plan(config, sides)


def look_at(config: Config, built: Built, pictures: Sequence[Path]) -> Step:
    """The step that runs the int8 file on pictures and draws what it finds."""
    return infer.plan(config, built.runs, built.head, built.export, pictures)
