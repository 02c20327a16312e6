"""The whole pipeline: a config becomes steps. Arguments are the edges between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgemake.errors import UserError
from edgemake.step import Input, Output, Step, UserFile
from stages import (
    adopt,
    arena,
    calibration,
    check,
    check_onnx,
    compile,
    convert,
    dataset,
    examine,
    export,
    given,
    head,
    infer,
    naming,
    package,
    quantize,
    quantize_onnx,
    train,
    weights,
)

if TYPE_CHECKING:
    from stages.schema import Config

STAGES = (
    *(adopt, arena, calibration, check, check_onnx, compile, convert, dataset, export),
    *(head, infer, package, quantize, quantize_onnx, train, weights),
)
TAKEN = frozenset(("store", *(stage.__name__.rpartition(".")[2] for stage in STAGES)))
"""Folders of artifacts/ that no target's deliverables may lie in."""
INFER_ON_BOARD = Path(__file__).resolve().parents[1] / "vision/board/infer_onnx.py"
"""A program of one file, delivered beside ONNX models: it runs them on the board or a PC."""


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
    deliver_commands: Mapping[str, str]
    """Way of delivery -> command that puts the file {model} on the board."""
    model: str
    """The package's output that the board runs."""
    built: Built


@dataclass(frozen=True)
class Built:
    """What a target's own tools made of the network."""

    model: str
    """The name under which the board's file is delivered."""
    files: Mapping[str, Input]
    """Delivered name -> the file, the board's among them."""
    runs: Output
    """The int8 file that a PC can run: the board's, or what that was compiled from."""
    export: Output
    """export.json: class names, keypoints, input size."""
    head: Output
    """head.json: form and order of the outputs."""
    verdict: Output

    def name_of(self, file: Output) -> str:
        """The name under which one of `files` is delivered."""
        return next(name for name, given in self.files.items() if given == file)


def plan(config: Config) -> Pipeline:
    """The steps that make a config's deliverable.

    Raises UserError for what cannot work, before anything is run.
    """
    known = dataset.known(config)
    examine.examine(config, known, TAKEN)
    name = naming.deliverable_name(config)
    source = dataset.plan(config) if needs_dataset(config) else None
    network = _network(config, source)
    given.examine(config, adopt.classes(config) or weights.classes(config), known)
    cut = head.plan(config, network["model.onnx"])
    images = calibration.plan(config, source)
    built = BUILDERS[config.target.kind](config, network, cut, images)
    lists = {name: images[name] for name in ("calibration.txt", "calibration.json")}
    packed = package.plan(
        config,
        name,
        model=built.model,
        files={**lists, **built.files},  # images come first: bad ones show before training
        export=built.export,
        verdict=built.verdict,
    )
    return Pipeline(
        name=name,
        folder=config.target.name,
        package=packed,
        verdicts=(built.verdict,),
        deliver_commands=package.commands(config),
        model=built.model,
        built=built,
    )


def look_at(config: Config, built: Built, pictures: Sequence[Path]) -> Step:
    """The step that runs the int8 file on pictures and draws what it finds."""
    return infer.plan(config, built.runs, built.head, built.export, pictures)


def _network(config: Config, source: Step | None) -> Step:
    """The step that leaves model.onnx and export.json: the user's ONNX file, or an export."""
    if config.model.onnx is not None:
        return adopt.plan(config)
    return export.plan(config, _checkpoint(config, source))


def _checkpoint(config: Config, source: Step | None) -> Input:
    """What is exported: the trained checkpoint, or the given weights when there is no training."""
    start = weights.edge(config)
    if trains(config):
        assert source is not None
        return train.plan(config, source, start)["best.pt"]
    if start is None:
        raise UserError(
            "model.weights=null with train=none: there is nothing to export; give model.weights a "
            "checkpoint (a path, or a release such as yolov8n.pt), give model.onnx a float ONNX "
            "file, or leave train=none out"
        )
    return start


def _tflite(config: Config, network: Step, cut: Step, images: Step) -> Built:
    """Boards that run int8 TFLite files, compiled for an NPU where there is one."""
    floats = convert.plan(config, cut["head.onnx"])
    int8 = quantize.plan(config, floats["saved_model"], images["calibration.npy"], cut["head.json"])
    runs, export = int8["model_int8.tflite"], network["export.json"]
    files = {"model_int8.tflite": runs}
    if getattr(config.target, "vela", None) is None:
        cost = arena.plan(config, runs)["arena.json"]
        model, board = "model_int8.tflite", runs
    else:
        compiled = compile.plan(config, runs)
        cost = compiled["vela.json"]
        model, board = "model_vela.tflite", compiled["model_vela.tflite"]
        files = {model: board, **files}
    checked = check.plan(config, board, runs, cost, export)
    return Built(model, files, runs, export, cut["head.json"], checked["verdict.json"])


def _onnx(config: Config, network: Step, cut: Step, images: Step) -> Built:
    """Boards that run int8 ONNX files."""
    int8 = quantize_onnx.plan(config, cut, images)
    runs, export = int8["model.q.onnx"], network["export.json"]
    checked = check_onnx.plan(config, runs, cut, export, images["calibration.npy"])
    model = f"{config.model.name}.q.onnx"
    files: dict[str, Input] = {
        model: runs,
        "quantize.json": int8["quantize.json"],
        "xslim.json": int8["xslim.json"],
        "infer.py": UserFile(INFER_ON_BOARD),
    }
    return Built(model, files, runs, export, cut["head.json"], checked["verdict.json"])


BUILDERS: Mapping[str, Callable[[Any, Step, Step, Step], Built]] = {
    "tflite": _tflite,
    "onnx": _onnx,
}
"""Kind of target -> what makes its file of the cut network."""


def trains(config: Config) -> bool:
    """Whether a training step is planned."""
    return config.train.kind != "none"


def needs_dataset(config: Config) -> bool:
    """Whether any step reads the data set."""
    return trains(config) or config.quant.calibration.source in calibration.SPLITS
