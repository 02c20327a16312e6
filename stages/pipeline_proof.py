"""The second half of the pipeline: what int8 and the board do to the model, measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from edgemake.errors import UserError
from edgemake.step import Input, Output, Step
from stages import evaluate, predict, search
from stages.pipeline_build import CALIBRATION, Built, Network, build

if TYPE_CHECKING:
    from stages.schema import Config


DECODED = ("pytorch", "onnx")
"""Tiers that decode their own outputs."""
TRIED = ("cut_onnx", "litert", "q_onnx")
"""Tiers that a search chooses by: TFLM is slower, and measures the chosen file once."""


def measure(
    config: Config, tiers: Sequence[str], network: Network, built: Built, source: Step | None
) -> Step | None:
    """Accuracy of every tier on the validation split; None where there is nothing to measure."""
    if source is None or not tiers:
        return None
    models: Mapping[str, Input | None] = {
        "pytorch": network.checkpoint,
        "onnx": network.model["model.onnx"],
        "cut_onnx": network.cut["head.onnx"],
    }
    predictions = {}
    for tier in tiers:
        model = models.get(tier, built.runs)
        assert model is not None
        predictions[tier] = predict.plan(
            config,
            tier,
            model=model,
            head=None if tier in DECODED else built.head,
            export=built.export,
            source=source,
        )
    return evaluate.plan(config, predictions, source, built.head)


def appendix(
    config: Config,
    packed: Step,
    network: Network,
    built: Built,
    measured: Step | None,
    source: Step | None,
) -> tuple[Output, ...]:
    """What is put beside the package."""
    return () if measured is None else (measured["metrics.json"],)


def tries(
    config: Config, network: Network, source: Step | None, tiers: Sequence[str]
) -> list[tuple[Built, search.Try]]:
    """Every way to quantize that quant.search asks for, built and measured."""
    found = []
    for values, tried in search.candidates(config):
        built = build(tried, network, source)
        measured = measure(tried, [tier for tier in tiers if tier in TRIED], network, built, source)
        if measured is None:
            raise UserError(
                "quant.search needs accuracies to choose by: a data set with labels, and "
                "evaluate.tiers left at null"
            )
        metrics = measured["metrics.json"]
        verdicts = {"verdict.json": built.verdict}
        files = {name: built.images[name] for name in CALIBRATION} | dict(built.files)
        found.append((built, search.Try(values, files, metrics, verdicts)))
    return found


def best(tries: Sequence[tuple[Built, search.Try]]) -> Built:
    """What the search leaves takes the place of what one try would have built."""
    built, _ = tries[0]
    step = search.plan([tried for _, tried in tries])
    return replace(
        built,
        files={**{name: step[name] for name in built.files}, "search.json": step["search.json"]},
        runs=step[built.name_of(built.runs)],
        images=step,
        verdict=step["verdict.json"],
    )
