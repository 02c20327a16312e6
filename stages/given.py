"""Refuses, before any work, a network of the user's that does not fit the board or the images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from edgemake.errors import UserError

if TYPE_CHECKING:
    from stages.schema import Config

SHOWN = 4
"""Class names that a message lists."""
Names = tuple[str, ...]
TIERS = {"tflite": ("onnx", "cut_onnx", "litert", "tflm"), "onnx": ("onnx", "cut_onnx", "q_onnx")}
"""Kind of target -> what a model for it can be run as, float first, the board's last."""


class Known(Protocol):
    """What is known of a network or a data set before anything runs."""

    @property
    def classes(self) -> int: ...
    @property
    def names(self) -> Names | None: ...


class Labelled(Known, Protocol):
    """What is known of a data set before anything runs."""

    @property
    def task(self) -> str: ...


def examine(config: Config, network: Known | None, data: Known | None) -> None:
    """`network`: of model.weights or model.onnx; None: not known. Raises UserError.

    Only for networks that are taken as they are: a training gives them the data set's classes.
    """
    if network is None or config.train.kind != "none":
        return
    model = config.model
    what = f"model.weights={model.weights}" if model.weights else f"model.onnx={model.onnx}"
    _board(config, network.classes, what)
    source = config.quant.calibration.source
    if data is not None and source in ("train", "val") and not _same(network, data):
        raise UserError(
            f"{what} knows {_shown(network)}, but would be calibrated (quant.calibration.source="
            f"{source}) with dataset={config.dataset.name}, which shows {_shown(data)}; give its "
            "own data set, or dataset=none quant.calibration.source=FOLDER with images like those "
            "it will see"
        )


def tiers(config: Config, network: Known | None, data: Labelled | None) -> tuple[str, ...]:
    """What the model is run as on the validation split; empty where nothing can be measured.

    `network`, `data`: as in `examine`. Raises UserError for a tier that does not apply, and for
    classes that differ where evaluate.tiers asks for an evaluation.
    """
    start = () if config.model.onnx is not None else ("pytorch",)
    possible = (*start, *TIERS[config.target.kind])
    asked = config.evaluate.tiers
    for tier in asked or ():
        if tier not in possible:
            raise UserError(
                f"evaluate.tiers: {tier} does not apply to {config.target.title} here; choose "
                f"from {', '.join(possible)}"
            )
    why = _unmeasurable(config, network, data)
    if why is None:
        return tuple(tier for tier in possible if asked is None or tier in asked)
    if asked:
        raise UserError(f"evaluate.tiers={asked}: {why}")
    return ()


def _unmeasurable(config: Config, network: Known | None, data: Labelled | None) -> str | None:
    """Why there is nothing to hold the model's answers against; None when there is."""
    name, task = config.dataset.name, config.model.task
    if data is None:
        return f"dataset={name} has no labels; give the model's own data set"
    if data.task != task:
        return f"dataset={name} is labelled for {data.task}, the model's task is {task}"
    if config.train.kind != "none" or network is None or _same(network, data):
        return None
    return (
        f"the model knows {_shown(network)}, dataset={name} shows {_shown(data)}: no metric means "
        "anything; give the model's own data set"
    )


def _board(config: Config, count: int, what: str) -> None:
    output, title = config.output, config.target.title
    if reason := output.forbidden_class_counts.get(count):
        raise UserError(
            f"{what} has {count} classes: {title} would misread it ({reason}); train it with one "
            "class more or less"
        )
    if count > output.max_classes:
        raise UserError(
            f"{what} has {count} classes: for {config.model.task} ({output.form}), {title} takes "
            f"at most {output.max_classes}; train it with fewer"
        )


def _same(network: Known, data: Known) -> bool:
    """Whether both know the same classes, as far as these are known."""
    if network.names is None or data.names is None:
        return network.classes == data.classes
    return network.names == data.names


def _shown(known: Known) -> str:
    if known.names is None or known.classes > SHOWN:
        return f"{known.classes} classes" + (f" ({known.names[0]}, …)" if known.names else "")
    return ", ".join(known.names)
