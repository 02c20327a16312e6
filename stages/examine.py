"""Refuses, before any work, values that fit their types but not each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from edgemake.errors import UserError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection

    from stages.schema import Config

QUANTIZERS = {"tflite": ("tflite",), "onnx": ("xslim", "xquant")}
"""Kind of target -> kinds of quant that make its file."""
OPTIONS = {"tflite": "int8_per_tensor or int8_per_channel", "onnx": "xslim, xslim_accurate, xquant"}


class Known(Protocol):
    """What is known of a data set before anything runs."""

    @property
    def task(self) -> str: ...
    @property
    def classes(self) -> int: ...
    @property
    def keypoints(self) -> tuple[int, int] | None: ...


def examine(config: Config, known: Known | None, taken: Collection[str]) -> None:
    """`known`: of the data set; `taken`: names no target may have. Raises UserError."""
    _size(config)
    _names(config, taken)
    _output(config)
    _quantizer(config)
    _preprocess(config)
    _operators(config)
    _sources(config)
    if known is not None and config.train.kind != "none":
        _data(config, known)


def _size(config: Config) -> None:
    side, contract = config.model.imgsz, config.target.contract
    if side % contract.imgsz_multiple or side < contract.min_imgsz:
        raise UserError(
            f"model.imgsz={side}: {config.target.title} takes multiples of "
            f"{contract.imgsz_multiple} from {contract.min_imgsz}"
        )


def _names(config: Config, taken: Collection[str]) -> None:
    if config.target.name in taken:
        raise UserError(
            f"target.name={config.target.name}: artifacts/{config.target.name} is the build's own "
            "folder; give the board another name"
        )
    for way, command in config.target.deliver.items():
        if command is not None and "{model}" not in command:
            raise UserError(
                f"target.deliver.{way}={command!r} does not name the file; write {{model}} where "
                "its path belongs"
            )


def _output(config: Config) -> None:
    target, task = config.target, config.model.task
    known = target.outputs.get(task)
    if not known:
        raise UserError(
            f"model.task={task}: {target.title} has no decoder for it; it takes "
            f"{' and '.join(target.outputs)}"
        )
    if target.output is not None and target.output not in known:
        raise UserError(
            f"target.output={target.output}: for task {task}, {target.title} takes "
            f"{' or '.join(known)}{did_you_mean(target.output, list(known))}"
        )


def _quantizer(config: Config) -> None:
    target, quant = config.target, config.quant
    if quant.kind not in QUANTIZERS[target.kind]:
        raise UserError(
            f"quant.kind={quant.kind} makes no file for {target.title}; "
            f"take quant={OPTIONS[target.kind]}"
        )


def _operators(config: Config) -> None:
    """A board without an NPU runs what its firmware registers; better to know before training."""
    target = config.target
    if target.kind != "tflite" or getattr(target, "vela", None) is not None:
        return
    known: list[str] = getattr(target.contract, "operators", [])
    missing = [name for name in config.model.needs_operators if name not in known]
    if missing:
        raise UserError(
            f"model={config.model.name} needs {' and '.join(missing)}, which the firmware of "
            f"{target.title} does not have; choose a YOLOv8 model, or another board"
        )


def _preprocess(config: Config) -> None:
    target = config.target
    if target.kind == "onnx" and target.preprocess != "letterbox":
        raise UserError(
            f"target.preprocess={target.preprocess}: infer.py, which {target.title} is given, "
            "letterboxes; leave it at letterbox"
        )


def _sources(config: Config) -> None:
    """Training, weights, ONNX file, data set and calibration must go together."""
    model, trains = config.model, config.train.kind != "none"
    if model.onnx is not None and model.weights is not None:
        raise UserError(
            f"model.onnx={model.onnx} and model.weights={model.weights}: give one of them"
        )
    if model.onnx is not None and trains:
        raise UserError(f"model.onnx={model.onnx} cannot be trained; add train=none")
    if config.dataset.kind == "none":
        if trains:
            raise UserError(
                "dataset=none has nothing to train on; add train=none with model.weights=my.pt, or "
                "choose a data set"
            )
        source = config.quant.calibration.source
        if source in ("train", "val"):
            raise UserError(
                f"quant.calibration.source={source}: with dataset=none there are no splits; give "
                "a folder of images or a list file"
            )


def _data(config: Config, known: Known) -> None:
    """What a model must have in common with the data it is trained on."""
    task, output, title = config.model.task, config.output, config.target.title
    if known.task != task:
        raise UserError(
            f"model.task={task}, but dataset={config.dataset.name} is labelled for {known.task}; "
            f"choose a {known.task} model or a {task} data set"
        )
    name = f"dataset={config.dataset.name} has {known.classes} classes"
    if reason := output.forbidden_class_counts.get(known.classes):
        remedy = f"add or remove one{_instead(config)}"
        raise UserError(f"{name}: {title} would misread the model ({reason}); {remedy}")
    if known.classes > output.max_classes:
        most = "1 class" if output.max_classes == 1 else f"{output.max_classes} classes"
        raise UserError(
            f"{name}: for {task} ({output.form}), {title} takes at most {most}; merge classes"
        )
    if known.keypoints is not None:
        _keypoints(config, *known.keypoints)


def _instead(config: Config) -> str:
    """A hint at another form of outputs, whose shapes hold no trap."""
    others = [
        name
        for name, output in config.target.outputs[config.model.task].items()
        if not output.forbidden_class_counts
    ]
    return f", or take target.output={others[0]}" if others else ""


def _keypoints(config: Config, count: int, values: int) -> None:
    contract, title = config.target.contract, config.target.title
    name = f"dataset={config.dataset.name} has kpt_shape [{count}, {values}]"
    if values != contract.keypoint_values:
        raise UserError(
            f"{name}: {title} reads {contract.keypoint_values} values of a keypoint (x, y, "
            f"visibility); give every keypoint a visibility, 2 where nothing is hidden, and set "
            f"kpt_shape: [{count}, {contract.keypoint_values}]"
        )
    fixed: int | None = getattr(contract, "keypoints", None)
    if fixed is not None and count != fixed:
        raise UserError(
            f"{name}: the firmware of {title} reads {fixed} keypoints; label that many, or choose "
            "another board"
        )
