"""The first half of the pipeline: from the config to the board's file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
    export,
    head,
    quantize,
    quantize_onnx,
    train,
    weights,
)

if TYPE_CHECKING:
    from stages.schema import Config

INFER_ON_BOARD = Path(__file__).resolve().parents[1] / "vision/board/infer_onnx.py"
"""A program of one file, delivered beside ONNX models: it runs them on the board or a PC."""


CALIBRATION = ("calibration.json", "calibration.npy", "calibration.txt")
"""What is handed on of the images that set the int8 ranges."""


@dataclass(frozen=True)
class Network:
    """The float network that all else is made of."""

    training: Step | None
    """Leaves best.pt, results.csv and train.json."""
    checkpoint: Input | None
    """PyTorch's form; None when the user gave an ONNX file."""
    model: Step
    """Leaves model.onnx and export.json."""
    cut: Step
    """Leaves head.onnx and head.json."""


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
    images: Step
    """Leaves CALIBRATION: what set the int8 ranges."""
    told: Mapping[str, Output]
    """What the tools say of their work: cost.json (arena, latency), quantize.json."""
    verdict: Output

    def name_of(self, file: Output) -> str:
        """The name under which one of `files` is delivered."""
        return next(name for name, given in self.files.items() if given == file)


def network(config: Config, source: Step | None) -> Network:
    """The user's ONNX file, or an export; cut where the target wants it."""
    training, checkpoint = None, weights.edge(config)
    if trains(config):
        assert source is not None
        training = train.plan(config, source, checkpoint)
        checkpoint = training["best.pt"]
    if config.model.onnx is not None:
        model = adopt.plan(config)
    elif checkpoint is not None:
        model = export.plan(config, checkpoint)
    else:
        raise UserError(
            "model.weights=null with train=none: there is nothing to export; give model.weights a "
            "checkpoint (a path, or a release such as yolov8n.pt), give model.onnx a float ONNX "
            "file, or leave train=none out"
        )
    return Network(training, checkpoint, model, head.plan(config, model["model.onnx"]))


def build(config: Config, network: Network, source: Step | None) -> Built:
    """The int8 file, as the target's tools make it, and the board's verdict on it."""
    images = calibration.plan(config, source)
    return BUILDERS[config.target.kind](config, network, images)


def _tflite(config: Config, network: Network, images: Step) -> Built:
    """Boards that run int8 TFLite files, compiled for an NPU where there is one."""
    cut, export = network.cut, network.model["export.json"]
    floats = convert.plan(config, cut["head.onnx"])
    int8 = quantize.plan(config, floats["saved_model"], images["calibration.npy"], cut["head.json"])
    runs = int8["model_int8.tflite"]
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
    told = {"cost.json": cost, "quantize.json": int8["quantize.json"]}
    verdict = checked["verdict.json"]
    return Built(model, files, runs, export, cut["head.json"], images, told, verdict)


def _onnx(config: Config, network: Network, images: Step) -> Built:
    """Boards that run int8 ONNX files."""
    cut, export = network.cut, network.model["export.json"]
    int8 = quantize_onnx.plan(config, cut, images)
    runs = int8["model.q.onnx"]
    checked = check_onnx.plan(config, runs, cut, export, images["calibration.npy"])
    model = f"{config.model.name}.q.onnx"
    files: dict[str, Input] = {
        model: runs,
        "quantize.json": int8["quantize.json"],
        "xslim.json": int8["xslim.json"],
        "infer.py": UserFile(INFER_ON_BOARD),
    }
    told = {"quantize.json": int8["quantize.json"]}
    verdict = checked["verdict.json"]
    return Built(model, files, runs, export, cut["head.json"], images, told, verdict)


BUILDERS: Mapping[str, Callable[[Any, Network, Step], Built]] = {"tflite": _tflite, "onnx": _onnx}
"""Kind of target -> what makes its file of the cut network."""


def trains(config: Config) -> bool:
    """Whether a training step is planned."""
    return config.train.kind != "none"


def needs_dataset(config: Config) -> bool:
    """Whether any step reads the data set."""
    return trains(config) or config.quant.calibration.source in calibration.SPLITS
