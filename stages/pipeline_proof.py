"""The second half of the pipeline: what int8 and the board do to the model, measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from edgemake.errors import UserError
from edgemake.step import Input, Output, Step
from stages import (
    convert,
    diagnose,
    diagnose_onnx,
    evaluate,
    gate,
    predict,
    report,
    search,
    validation,
)
from stages.pipeline_build import CALIBRATION, Built, Network, build

if TYPE_CHECKING:
    from stages.schema import Config


DECODED = ("pytorch", "onnx")
"""Tiers that decode their own outputs."""
TRIED = ("cut_onnx", "litert", "q_onnx")
"""Tiers that a search chooses by: TFLM is slower, and measures the chosen file once."""
FINAL = ("tflm", "litert", "q_onnx")
"""Tiers that stand for the board's file, the closest first."""


@dataclass(frozen=True)
class Measured:
    """Accuracy on the validation split."""

    predictions: Mapping[str, Step]
    """Tier -> the step that ran it."""
    evaluation: Step
    """Leaves metrics.json and curves.json."""

    @property
    def metrics(self) -> Output:
        """Accuracy of every tier, and what int8 costs."""
        return self.evaluation["metrics.json"]

    def drawn(self) -> Iterator[tuple[str, Output]]:
        """What the float network and the board's file found, under the report's names."""
        last = next((tier for tier in FINAL if tier in self.predictions), "")
        for name, tier in {"reference": evaluate.REFERENCE, "final": last}.items():
            if tier in self.predictions:
                yield f"{name}.npz", self.predictions[tier]["predictions.npz"]
                yield f"{name}.json", self.predictions[tier]["predictions.json"]


def measure(
    config: Config, tiers: Sequence[str], network: Network, built: Built, source: Step | None
) -> Measured | None:
    """Every tier run on the validation split; None where there is nothing to measure."""
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
    return Measured(predictions, evaluate.plan(config, predictions, source, built.head))


def judge(config: Config, measured: Measured | None, built: Built) -> Output | None:
    """The verdict of the user's own limits; None where there are none."""
    gated = gate.plan(config, measured.metrics if measured else None, built.verdict)
    return gated["gate.json"] if gated else None


def appendix(
    config: Config,
    packed: Step,
    network: Network,
    built: Built,
    measured: Measured | None,
    gated: Output | None,
    source: Step | None,
) -> tuple[Output, ...]:
    """What is put beside the package: the report, the metrics, the diagnosis."""
    found = _diagnosis(config, network, built, source)
    parts: dict[str, Input] = {
        "export.json": built.export,
        "head.json": built.head,
        "model_int8.tflite": built.runs,
        "calibration.npy": built.images["calibration.npy"],
        "diagnosis.json": found,
        **built.told,
    }
    if config.target.kind != "tflite":
        del parts["model_int8.tflite"]
    if network.training is not None:
        parts |= {name: network.training[name] for name in ("results.csv", "train.json")}
    if gated is not None:
        parts["gate.json"] = gated
    if measured is not None and source is not None:
        parts |= {"metrics.json": measured.metrics, **dict(measured.drawn())}
        parts |= {"curves.json": measured.evaluation["curves.json"]}
        parts |= {name: source[name] for name in ("data", "manifest.json")}
    page = report.plan(config, packed.params.name, package=packed, parts=parts)
    metrics = () if measured is None else (measured.metrics,)
    return (page[report.REPORT], *metrics, found)


def _diagnosis(config: Config, network: Network, built: Built, source: Step | None) -> Output:
    """Where the int8 file departs from the float network."""
    images, cut = built.images["calibration.npy"], network.cut
    val = validation.plan(config, source)["validation.npy"] if source is not None else None
    if config.target.kind == "onnx":
        return diagnose_onnx.plan(config, cut, built.runs, images, val)["diagnosis.json"]
    floats = convert.plan(config, cut["head.onnx"])["saved_model"]
    return diagnose.plan(config, floats, built.runs, cut, images, val)["diagnosis.json"]


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
        gated = judge(tried, measured, built)
        verdicts = {"verdict.json": built.verdict} | ({"gate.json": gated} if gated else {})
        images = {name: built.images[name] for name in CALIBRATION}
        files = images | dict(built.files) | dict(built.told)
        found.append((built, search.Try(values, files, measured.metrics, verdicts)))
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
        told={name: step[name] for name in built.told},
        verdict=step["verdict.json"],
    )
