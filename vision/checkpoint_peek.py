"""What a checkpoint holds, read without torch and without running anything it contains.

A checkpoint is a zip with a pickle in it. A pickle names classes and functions to be called; here
every name means an inert object that takes whatever it is given, so the pickle can be read as
data. Standard library only: it is done while planning, before a toolchain of gigabytes is there.
"""

from __future__ import annotations

import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vision.network_identity import TASKS, Identity, architecture_of

LARGEST = 64 << 20
"""Bytes of a pickle that are read: those of ultralytics' networks are below 1 MB."""
REAL = {
    "collections.OrderedDict": OrderedDict,
    "builtins.set": set,
    "__builtin__.set": set,
}
"""What a pickle may really make: containers, so that their content can be found."""
ACTIVATION = "torch.nn.modules.activation."
NO_ACTIVATIONS = frozenset(("MultiheadAttention", "Sigmoid", "Softmax"))
"""Classes of that module that end no convolution."""


class Inert:
    """Stands for an object of a checkpoint: takes what unpickling does to it, does nothing."""

    state: Any = None
    origin = ""
    """Dotted name of what it stands for."""

    def __new__(cls, *_: Any, **__: Any) -> Inert:
        return super().__new__(cls)

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def __call__(self, *_: Any, **__: Any) -> Inert:
        return self

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    def append(self, item: Any) -> None:
        pass

    def extend(self, items: Any) -> None:
        pass

    def get(self, key: str) -> Any:
        """An attribute as the pickle sets it."""
        return self.state.get(key) if isinstance(self.state, Mapping) else None


class _Reader(pickle.Unpickler):
    def __init__(self, stream: Any) -> None:
        super().__init__(stream)
        self.seen = set[str]()

    def find_class(self, module: str, name: str) -> Any:
        dotted = f"{module}.{name}"
        self.seen.add(dotted)
        return REAL.get(dotted) or type(name, (Inert,), {"origin": dotted})

    def persistent_load(self, pid: Any) -> Any:  # the tensors' bytes, files of their own
        return Inert()


class NotPlain(ValueError):
    """The file is a checkpoint, but of another kind than ultralytics'; the message says which."""


def peek(path: Path) -> Identity | None:
    """What the checkpoint says of its network; None where only torch can tell.

    Raises NotPlain for checkpoints of other programs and other forms.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return _of_archive(archive)
    except (zipfile.BadZipFile, OSError):
        return None


def _of_archive(archive: zipfile.ZipFile) -> Identity | None:
    pickles = [info for info in archive.infolist() if info.filename.endswith("/data.pkl")]
    if any(info.filename.endswith("/constants.pkl") for info in archive.infolist()):
        raise NotPlain("a TorchScript file, not the checkpoint that it was exported from")
    if len(pickles) != 1 or pickles[0].file_size > LARGEST:
        return None
    with archive.open(pickles[0]) as stream:
        reader = _Reader(stream)
        try:
            content = reader.load()
        except Exception:  # foreign bytes can raise anything; torch will say what they are
            return None
    return _identity(content, reader.seen)


def _identity(content: Any, seen: set[str]) -> Identity | None:
    if any(name.startswith("models.yolo.") for name in seen):
        raise NotPlain("a checkpoint of the YOLOv5 program, which ultralytics 8 cannot load")
    if not isinstance(content, Mapping):
        return None
    model = content.get("ema") or content.get("model")
    if not isinstance(model, Inert):
        if isinstance(model, Mapping) or "torch._utils._rebuild_tensor_v2" in seen:
            raise NotPlain(
                "it holds tensors without their network (a state_dict), not what ultralytics' "
                "training leaves (best.pt)"
            )
        return None
    module, _, kind = model.origin.rpartition(".")
    if module != "ultralytics.nn.tasks":
        raise NotPlain(f"a network of class {model.origin}, not one of ultralytics")
    description, names = model.get("yaml"), model.get("names")
    return Identity(
        task=TASKS.get(kind, kind),
        architecture=architecture_of(description) if isinstance(description, Mapping) else "",
        activations=frozenset(
            name.removeprefix(ACTIVATION) for name in seen if name.startswith(ACTIVATION)
        )
        - NO_ACTIVATIONS,
        names=tuple(map(str, names.values())) if isinstance(names, Mapping) else (),
    )
