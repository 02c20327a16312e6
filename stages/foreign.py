"""What `doit check-model` is given: a model file of any origin, looked at before anything runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgemake.errors import UserError, did_you_mean
from vision.contract import Line
from vision.recognise import Form, Geometry, Named, looks_like, recognise, trap

if TYPE_CHECKING:
    from stages.schema import Config
    from stages.schema.target import Output
    from vision.onnx_wire import Description
    from vision.tflite_file import ModelFile

CHECKPOINTS = (".pt", ".pth")
TOLD = 8
"""First bytes that tell the kind of a file."""


@dataclass(frozen=True)
class Foreign:
    """A file and what it turned out to be."""

    path: Path
    output: Output | None
    """The board's form that its outputs fit."""
    seen: Mapping[str, Any]
    """`kind`, `imgsz`, `form`, `task`, `output`, `classes`, `keypoints`, `compiled`, `int8`; of an
    ONNX file `outputs`, as head.json describes them."""
    lines: list[dict[str, Any]]
    """What is said of it already: its kind, or the form of its outputs."""


def look(config: Config, path: Path) -> Foreign:
    """Reads the file's own description. Raises UserError for what is no whole model file."""
    if _begins(path)[4:8] == b"TFL3":
        return _tflite(config, path)
    return _onnx(config, path)


def _begins(path: Path) -> bytes:
    """The first bytes. Raises UserError for what cannot be read."""
    if path.is_dir():
        raise UserError(f"{path} is a folder; give one model file, .tflite or .onnx")
    try:
        with path.open("rb") as file:
            start = file.read(TOLD)
    except FileNotFoundError:
        near = (p.name for p in path.parent.glob("*") if p.suffix == path.suffix != "")
        raise UserError(f"{path}: no such file{did_you_mean(path.name, near)}") from None
    except OSError as fault:
        raise UserError(f"{path} cannot be read: {fault.strerror}") from None
    if not start:
        raise UserError(f"{path} is empty; build or download it again")
    return start


def _tflite(config: Config, path: Path) -> Foreign:
    from vision.flat import Torn
    from vision.tensor_roles import side
    from vision.tflite_file import read_model

    try:
        model = read_model(path)
    except Torn as fault:
        raise UserError(
            f"{path} is no whole TFLite file: {fault}; build or download it again"
        ) from None
    if config.target.kind != "tflite":
        return _other_kind(config, path, "tflite", "a TFLite file")
    shapes = [tensor.shape for tensor in model.outputs]
    scales = [scale for tensor in model.outputs for scale in tensor.scales]
    form = recognise("tflite", shapes, side(model), geometry(config))
    facts = {"imgsz": side(model), "compiled": bool(model.payloads), "int8": _is_int8(model)}
    return _recognised(config, path, "tflite", shapes, scales, form, facts)


def _is_int8(model: ModelFile) -> bool:
    """Whether vela can be expected to make something of it."""
    return bool(model.inputs) and model.inputs[0].dtype in ("int8", "uint8")


def _onnx(config: Config, path: Path) -> Foreign:
    from vision.onnx_wire import NotOnnx, describe

    try:
        found = describe(path)
    except NotOnnx as fault:
        raise UserError(_no_model(config, path, str(fault))) from None
    if found.external:
        raise UserError(
            f"{path}: its weights lie in another file ({sorted(found.external)[0]}); save it as "
            "one: onnx.save(onnx.load('my.onnx'), 'one.onnx')"
        )
    if config.target.kind != "onnx":
        return _other_kind(config, path, "onnx", "an ONNX file")
    shapes = [tuple(n if isinstance(n, int) else 0 for n in v.shape) for v in found.outputs]
    entry = found.inputs[0].shape if len(found.inputs) == 1 else ()
    side = entry[2] if len(entry) == 4 and isinstance(entry[2], int) else 0
    form = recognise("onnx", shapes, side, geometry(config), _named(found))
    outputs = _described([v.name for v in found.outputs], shapes, form, geometry(config))
    facts = {"imgsz": side, "compiled": False, "outputs": outputs}
    return _recognised(config, path, "onnx", shapes, [], form, facts)


def _no_model(config: Config, path: Path, fault: str) -> str:
    if path.suffix in CHECKPOINTS or "PyTorch" in fault:
        return (
            f"{path} is a PyTorch checkpoint, no file that a board runs; build one from it: doit "
            f"target={config.target.name} train=none dataset=none model.weights={path} "
            "quant.calibration.source=FOLDER"
        )
    return f"{path} is no .tflite or .onnx model: {fault}; build or download it again"


def _named(found: Description) -> Named:
    """What the metadata says, as far as it can be made sense of."""
    from vision.onnx_given import given

    try:
        told = given(found)
    except (ValueError, KeyError):
        return Named()
    points = told.kpt_shape
    return Named(told.task, len(told.names), (points[0], points[1]) if points else None)


def _described(
    names: Sequence[str], shapes: Sequence[tuple[int, ...]], form: Form | None, board: Geometry
) -> list[dict[str, Any]]:
    """The outputs as head.json would have them; role and stride are None for no form.

    Where shapes leave it open (a class and a sum of one channel), the usual order decides.
    """
    found: list[dict[str, Any]] = [
        {"name": name, "role": None, "stride": None, "shape": list(shape)}
        for name, shape in zip(names, shapes, strict=True)
    ]
    if form is not None and form.name == "branch":
        finest = max(shape[2] for shape in shapes) * board.strides[0]
        roles = {"box": board.box_channels, "class": form.classes, "score_sum": 1}
        left = {stride: dict(roles) for stride in board.strides}
        for entry, shape in zip(found, shapes, strict=True):
            stride = finest // shape[2]
            role = next(r for r, channels in left[stride].items() if channels == shape[1])
            del left[stride][role]
            entry |= {"role": role, "stride": stride}
    elif form is not None:
        points = list(form.keypoints) if form.keypoints else None
        found[0] |= {"role": "decoded", "classes": form.classes, "keypoints": points}
    return found


def geometry(config: Config) -> Geometry:
    """What the board decodes."""
    contract = config.target.contract
    return Geometry(tuple(contract.strides), contract.box_channels, contract.keypoint_values)


def _other_kind(config: Config, path: Path, kind: str, what: str) -> Foreign:
    """A file for boards of another kind: one line says all."""
    target = config.target
    found = Line(
        rule="kind of file",
        result="fail",
        found=what,
        demanded="an int8 TFLite file" if target.kind == "tflite" else "an int8 ONNX file",
        remedy="build one: doit "
        f"target={target.name} train=none dataset=none quant.calibration.source=FOLDER "
        + (
            "model.onnx=FILE, if FILE is ultralytics' float export"
            if kind == "onnx"
            else "with the float network, model.onnx=… or model.weights=…"
        ),
        source=f"target.kind; {target.contract.firmware}",
    )
    seen = {"kind": kind, "imgsz": 0, "form": None, "compiled": False}
    return Foreign(path, None, seen, [asdict(found)])


def _recognised(
    config: Config,
    path: Path,
    kind: str,
    shapes: list[tuple[int, ...]],
    scales: list[float],
    form: Form | None,
    facts: Mapping[str, Any],
) -> Foreign:
    """The line on the form, and which of the board's forms it is."""
    outputs = _outputs(config)
    fits = [key for key, output in outputs.items() if form and _is(form, key[0], output)]
    chosen = outputs[fits[0]] if fits else None
    caught = trap(form, scales, chosen.max_scale) if form and chosen else ""
    words = caught or (
        form.words() if form else looks_like(shapes, facts["imgsz"], geometry(config))
    )
    found = Line(
        rule="form",
        result="pass" if chosen and not caught else "fail",
        found=words,
        demanded=" or ".join(f"{o.form} ({task}, {name})" for (task, name), o in outputs.items()),
        remedy="" if chosen and not caught else _remedy(config, form),
        source=f"target.outputs; {config.target.contract.firmware}",
    )
    known = chosen is not None and form is not None
    seen = {
        "kind": kind,
        **facts,
        "form": form.name if known and form else None,
        "task": form.task if known and form else None,
        "output": fits[0][1] if fits else None,
        "classes": form.classes if known and form else None,
        "keypoints": list(form.keypoints) if known and form and form.keypoints else None,
    }
    return Foreign(path, chosen, seen, [asdict(found)])


def _is(form: Form, task: str, output: Output) -> bool:
    return (form.name, form.task) == (output.form, task)


def _outputs(config: Config) -> dict[tuple[str, str], Output]:
    """(task, name) -> a form that the board takes, as far as target.output leaves a choice.

    Raises UserError for a target.output that the board does not know.
    """
    target, every = config.target, _every(config)
    if target.output is None:
        return every
    chosen = {key: output for key, output in every.items() if key[1] == target.output}
    if not chosen:
        names = {name for _, name in every}
        raise UserError(
            f"target.output={target.output}: {target.title} takes {' or '.join(sorted(names))}"
            f"{did_you_mean(target.output, names)}"
        )
    return chosen


def _every(config: Config) -> dict[tuple[str, str], Output]:
    return {
        (str(task), name): output
        for task, outputs in config.target.outputs.items()
        for name, output in outputs.items()
    }


def _remedy(config: Config, form: Form | None) -> str:
    """The board's name for the form, if it only was not chosen; else how to get another."""
    names = [n for (task, n), o in _every(config).items() if form and _is(form, task, o)]
    if names and names[0] != config.target.output and config.target.output is not None:
        return f"this is target.output={names[0]}"
    return (
        "give the network another end: doit "
        f"target={config.target.name} train=none dataset=none quant.calibration.source=FOLDER "
        "model.onnx=FILE, where FILE is ultralytics' float export"
    )


def file_word(words: Sequence[str]) -> Path:
    """The FILE of the command line. Raises UserError unless there is exactly one."""
    if not words:
        raise UserError("doit check-model needs a file: doit check-model FILE target=grove_v2")
    if len(words) > 1:
        raise UserError(
            f"doit check-model takes one file, not {len(words)}: {', '.join(words)}; check them "
            "one by one"
        )
    return Path(words[0]).expanduser()
