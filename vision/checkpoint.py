"""ultralytics checkpoints: reading them with clear refusals, writing them reproducibly."""

from __future__ import annotations

import os
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from vision.network_identity import (
    ACTIVATIONS,
    END_TO_END,
    TASKS,
    Identity,
    Mismatch,
    architecture_of,
    mismatch,
    other_activation,
)

Model = Any
"""A torch module of ultralytics, which ships no types."""

RUN_TIME_ATTRIBUTES = ("pt_path", "args", "criterion")
"""What ultralytics hangs on a model beside the network itself: paths, dates, training state."""
HEADS = {"detect": "Detect", "pose": "Pose"}
"""Task -> last module of a model YAML."""


class CheckpointError(ValueError):
    """The file cannot serve as the checkpoint that was asked for; the message says why.

    `remedy` says what to do about it, where that is known.
    """

    def __init__(self, reason: str, remedy: str = "") -> None:
        super().__init__(reason)
        self.remedy = remedy

    @classmethod
    def of(cls, found: Mismatch) -> CheckpointError:
        """Of a network that is another one than was asked for."""
        return cls(found.reason, found.remedy)


def prepare_ultralytics(scratch: Path, cores: int, online: bool = False) -> None:
    """Settings that ultralytics reads from the environment; call before its first import.

    Its settings, fonts and caches go to `scratch`; unless `online`, it probes no network. It
    installs nothing, and torch gets `cores` threads (the import would otherwise settle on one).
    """
    home = scratch / "ultralytics"
    home.mkdir(parents=True, exist_ok=True)
    os.environ["YOLO_CONFIG_DIR"] = str(home)
    os.environ["MPLCONFIGDIR"] = str(home / "matplotlib")
    os.environ["YOLO_OFFLINE"] = "false" if online else "true"
    os.environ["YOLO_AUTOINSTALL"] = "false"
    os.environ["OMP_NUM_THREADS"] = str(cores)
    # Threads that spin while they wait make torch ten times slower once anything else wants a core.
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
    os.environ["GITHUB_ACTIONS"] = "true"  # its progress bars then write one plain line at the end
    _hide_repositories()
    import torch

    torch.set_num_threads(cores)


class _NoRepository:
    """What ultralytics' GitRepo says outside of any repository."""

    root = gitdir = head = branch = commit = message = origin = None
    is_repo = False

    def __init__(self, path: Path | None = None) -> None:
        pass


def _hide_repositories() -> None:
    """ultralytics notes the repository that it lies in, which is ours when the toolchain does:
    no input of any stage, so reading it is refused, and nothing that a result may depend on."""
    git = ModuleType("ultralytics.utils.git")
    git.GitRepo = _NoRepository  # type: ignore[attr-defined]
    sys.modules[git.__name__] = git


def plain(fault: Exception) -> str:
    """What ultralytics says about a fault, without its emblems and in one line."""
    text = " ".join(str(fault).split())
    return "".join(sign for sign in text if sign.isascii()).strip().rstrip(".") or repr(fault)


def check_architecture(architecture: str, task: str) -> None:
    """Raises CheckpointError unless ultralytics ships a model YAML of that name for the task."""
    content = description(architecture)
    head = content["head"][-1][2]
    if head != HEADS[task]:
        raise CheckpointError(
            f"model.architecture={architecture} ends in {head}; task {task} needs {HEADS[task]}"
        )
    if content.get("end2end"):
        raise CheckpointError(
            f"model.architecture={architecture} picks its boxes itself ({', '.join(END_TO_END)}), "
            "and no board decodes that; take a YOLOv8 architecture"
        )


def description(architecture: str, activation: str = "silu") -> dict[str, Any]:
    """The content of ultralytics' model YAML, with the activation of its convolutions.

    `activation`: a key of ACTIVATIONS. A YAML that says nothing means SiLU.
    Raises CheckpointError for a YAML that ultralytics does not ship.
    """
    from ultralytics.nn.tasks import yaml_model_load

    try:
        content: dict[str, Any] = yaml_model_load(architecture)
    except FileNotFoundError:
        raise CheckpointError(
            f"model.architecture={architecture} is no model YAML of ultralytics; for instance "
            "yolov8n.yaml"
        ) from None
    if activation != "silu" or "activation" in content:
        content["activation"] = f"torch.nn.{ACTIVATIONS[activation]}()"
    return content


def check_file(path: Path) -> None:
    """Raises CheckpointError for a file that torch did not write; needs no torch to see that."""
    try:
        with path.open("rb") as stream:
            archive = zipfile.is_zipfile(stream)
    except OSError as fault:
        raise CheckpointError(f"{path} cannot be read ({fault.strerror})") from fault
    if not archive:
        raise CheckpointError(
            f"not a PyTorch checkpoint ({path.stat().st_size:,} bytes, no zip as torch writes)"
        )


def load(path: Path, task: str, architecture: str, activation: str | None = None) -> Model:
    """The float32 network of a checkpoint, in evaluation mode.

    Raises CheckpointError when the file is no ultralytics checkpoint, was trained for another
    task, or holds another network than `architecture` (an ultralytics model YAML) with
    `activation` (a key of ACTIVATIONS; None: any).
    """
    model = _read(path)
    identity = identify(model)
    if found := mismatch(identity, task, architecture):
        raise CheckpointError.of(found)
    expected = _new_like(model, task, architecture)
    if difference := _differs(model, expected):
        raise CheckpointError(f"not a checkpoint of {architecture}: {difference}")
    if activation is not None and (found := other_activation(identity.activations, activation)):
        raise CheckpointError.of(found)
    return model


def identify(model: Model) -> Identity:
    """What a loaded network says of itself."""
    names = class_names(model)
    content = getattr(model, "yaml", None)
    return Identity(
        task=TASKS.get(type(model).__name__, type(model).__name__),
        architecture=architecture_of(content) if isinstance(content, dict) else "",
        activations=_activations(model),
        names=tuple(names[index] for index in sorted(names)),
    )


def class_names(model: Model) -> dict[int, str]:
    """Index -> name; older networks hold a list, and some none."""
    names = getattr(model, "names", None) or {}
    pairs = names.items() if isinstance(names, Mapping) else enumerate(names)
    return {int(index): str(name) for index, name in pairs}


def _activations(model: Model) -> frozenset[str]:
    """Classes of torch.nn that end its convolutions."""
    modules = (getattr(module, "act", None) for module in model.modules())
    return frozenset(type(act).__name__ for act in modules if act is not None) - {"Identity"}


def _read(path: Path) -> Model:
    # ultralytics tries to download or to convert what it cannot read, so look at the file first.
    check_file(path)
    link = Path.cwd() / "checkpoint.pt"  # its loader accepts the suffix .pt only
    link.unlink(missing_ok=True)
    link.symlink_to(path.resolve())
    from ultralytics.nn.tasks import load_checkpoint

    try:
        model, _ = load_checkpoint(link)
    except Exception as fault:  # unpickling foreign bytes can raise anything
        raise CheckpointError(
            f"not a checkpoint that this ultralytics can load ({plain(fault)})"
        ) from fault
    finally:
        link.unlink()
    return model


def _new_like(model: Model, task: str, architecture: str) -> Model:
    """A new network of the same class count and, for pose, the same keypoints."""
    from ultralytics.nn.tasks import DetectionModel, PoseModel

    count = len(class_names(model))
    content = description(architecture)
    if task == "pose":
        shape = tuple(getattr(model, "kpt_shape", None) or content["kpt_shape"])
        return PoseModel(content, nc=count, data_kpt_shape=shape, verbose=False)
    return DetectionModel(content, nc=count, verbose=False)


def _differs(model: Model, new: Model) -> str:
    """How the network differs from a new one; empty when it does not."""
    expected, found = new.state_dict(), model.state_dict()
    for name, tensor in expected.items():
        if name not in found:
            return f"it has no {name}"
        if found[name].shape != tensor.shape:
            return f"{name} is {list(found[name].shape)}, expected {list(tensor.shape)}"
    extra = sorted(set(found) - set(expected))
    return f"it also has {extra[0]}" if extra else ""


def save(model: Model, train_args: Mapping[str, Any], folder: Path) -> Path:
    """Writes `best.pt` into `folder`: the network alone, so equal weights give equal bytes.

    The file is an ultralytics checkpoint (float16, as ultralytics itself writes) without dates,
    paths, optimizer and git data.
    """
    import io

    import torch
    import ultralytics

    model = model.half().cpu()
    for name in RUN_TIME_ATTRIBUTES:
        if hasattr(model, name):
            delattr(model, name)
    for parameter in model.parameters():
        parameter.requires_grad = False
    model.args = dict(train_args)
    content = {
        "epoch": -1,
        "model": model,
        "ema": None,
        "train_args": dict(train_args),
        "version": ultralytics.__version__,
        "license": "AGPL-3.0 (https://ultralytics.com/license)",
    }
    stream = io.BytesIO()  # given a path, torch writes its name into the file
    torch.save(content, stream)
    target = folder / "best.pt"
    target.write_bytes(stream.getvalue())
    return target
