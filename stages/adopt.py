"""The user's own float ONNX file, checked and brought to the form in which `export` leaves one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgemake.step import Step, UserFile
from edgemake.work import StageError, Work

if TYPE_CHECKING:
    from onnx import ModelProto

    from stages.schema import Config
    from vision.network_identity import Classes
    from vision.onnx_given import Given

SAMPLES = 4
"""Images that the network is run on."""


@dataclass(frozen=True)
class Params:
    """What the file must agree with."""

    task: str
    imgsz: int
    """Side of the square input, pixels."""


def plan(config: Config) -> Step:
    """Raises UserError when `model.onnx` is no file, or a network that cannot be used."""
    path = Path(str(config.model.onnx)).expanduser().absolute()
    params = Params(config.model.task, config.model.imgsz)
    _check(config, path, params)
    return Step(
        stage="adopt",
        params=params,
        inputs={"model.onnx": UserFile(path)},
        outputs=("model.onnx", "export.json"),
        toolchain=config.lock("images"),
        label=path.stem,
    )


def _check(config: Config, path: Path, params: Params) -> None:
    """The stage's own look at the file, before a toolchain is installed."""
    from edgemake.errors import UserError

    key = f"model.onnx={config.model.onnx}"
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise UserError(f"{key}: {path} {what}; give a float ONNX file exported by ultralytics")
    if path.suffix == ".pt":
        raise UserError(f"{key}: this is a checkpoint; say model.weights={config.model.onnx}")
    try:
        _given(path, params)
    except (OSError, ValueError) as fault:
        raise UserError(f"{key}: {fault}") from fault
    if config.model.activation != "silu":
        raise UserError(
            f"model.activation={config.model.activation} changes nothing in {key}; leave it out"
        )


def classes(config: Config) -> Classes | None:
    """Of the user's ONNX file; None without one. The file is one that `plan` took."""
    if config.model.onnx is None:
        return None
    from vision.network_identity import Classes
    from vision.onnx_given import names_of
    from vision.onnx_wire import describe

    return Classes.of(names_of(describe(Path(config.model.onnx).expanduser())))


def _given(path: Path, params: Params) -> Given:
    """What the file says of itself. Raises ValueError for one that cannot be used, OSError."""
    from vision.onnx_given import given, refusal
    from vision.onnx_wire import NotOnnx, describe

    try:
        found = describe(path)
    except NotOnnx as fault:
        raise ValueError(f"{fault}; give a float ONNX file exported by ultralytics") from fault
    if refused := refusal(found, params.task, params.imgsz):
        raise ValueError(str(refused))
    return given(found)


def run(params: Params, work: Work) -> None:
    """Writes model.onnx and export.json, as `export` does, without the names of its operators.

    Raises StageError for a file that cannot be used, or that gives no boxes and scores.
    """
    import onnx

    from vision.onnx_form import canonicalise, metadata

    file = work.inputs["model.onnx"]
    work.progress(0, 2, "reading the file")
    try:
        said = _given(file, params)
        model = _load(file)
        names = dict(enumerate(said.names))
        canonicalise(model, metadata(names, said.stride, params.task, params.imgsz, said.kpt_shape))
    except (ValueError, onnx.checker.ValidationError) as fault:
        raise StageError(f"model.onnx: {fault}") from fault
    target = work.out / "model.onnx"
    target.write_bytes(model.SerializeToString(deterministic=True))
    work.progress(1, 2, "running it")
    _run(target, params, said)
    report: dict[str, Any] = {
        "schema": 1,
        "names": said.names,
        "stride": said.stride,
        "imgsz": params.imgsz,
        "task": params.task,
        "kpt_shape": said.kpt_shape,
        "opset": next(entry.version for entry in model.opset_import if not entry.domain),
        "simplified": None,
        "max_difference": None,
        "box_difference_px": None,
        "score_difference": None,
        "keypoint_difference_px": None,
        "compared_images": 0,
    }
    (work.out / "export.json").write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")


def _load(file: Path) -> ModelProto:
    """Raises ValueError for bytes that are no ONNX model."""
    import onnx

    try:
        return onnx.load(file)
    except Exception as fault:  # protobuf's own, without stubs
        raise ValueError(f"onnx cannot read it ({fault})") from fault


def _run(file: Path, params: Params, said: Given) -> None:
    """Raises StageError unless the network gives finite boxes and scores in 0..1."""
    import numpy as np

    from vision.onnx_given import other_shape
    from vision.onnx_wire import Value
    from vision.run_onnx import run_onnx
    from vision.samples import samples

    try:
        outputs = [each for (each,) in run_onnx(file, samples(SAMPLES, params.imgsz))]
    except Exception as fault:  # onnxruntime's have no base of their own
        raise StageError(f"model.onnx: onnxruntime cannot run it ({fault})") from fault
    for output in outputs:
        shape = Value("output", "float32", output.shape)
        if refused := other_shape(shape, said):
            raise StageError(f"model.onnx: {refused}")
        scores = output[0, 4 : 4 + len(said.names)]
        if not (np.isfinite(output).all() and scores.min() >= 0 and scores.max() <= 1):
            raise StageError(
                f"model.onnx: its scores are {scores.min():.3g}..{scores.max():.3g}, not 0..1, or "
                "some outputs are no numbers; give a YOLOv8 network as ultralytics exports it"
            )
