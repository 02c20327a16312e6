"""Float ONNX and calibration images to an int8 ONNX file, with SpacemiT's xslim or xquant."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgemake.errors import UserError
from edgemake.step import Input, Step, UserFile, UserFiles
from edgemake.work import StageError, Work

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from onnx import ModelProto

    from stages.schema import Config

NETWORK, LISTED, RESULTS, CONFIG = "model.onnx", "calibration.txt", "out", "xslim.json"
"""Files in the tool's folder."""
PREFIX = "model.q"
IR_VERSION = 9
"""xslim's own choice: the newer of this and the float network's. xquant writes the newest."""


@dataclass(frozen=True)
class Params:
    """Settings of the tool."""

    tool: str
    method: str
    precision_level: int
    finetune_level: int
    analysis: bool
    truncate: bool
    opset: int | None
    """None: the tool has no say in it."""


def plan(config: Config, head: Step, calibration: Step) -> Step:
    """`head`: the step that left head.onnx and head.json; `calibration`: calibration.npy.

    Raises UserError for a number of images that the tools do not take, for an opset that the
    board does not, and for a wheel that is not the vendor's.
    """
    quant: Any = config.quant
    opset = getattr(quant, "opset", None)
    _demand_images(config, calibration)
    _demand_opset(config, opset)
    inputs: dict[str, Input] = {
        "head.onnx": head["head.onnx"],
        "head.json": head["head.json"],
        "calibration.npy": calibration["calibration.npy"],
    }
    if quant.kind == "xquant":
        inputs["xquant.whl"] = _wheel(config)
    return Step(
        stage="quantize_onnx",
        params=Params(
            tool=quant.kind,
            method=quant.method,
            precision_level=quant.precision_level,
            finetune_level=quant.finetune_level,
            analysis=quant.analysis,
            truncate=quant.truncate,
            opset=opset,
        ),
        inputs=inputs,
        outputs=("model.q.onnx", "quantize.json", "xslim.json"),
        toolchain=config.lock(quant.kind),
        label=f"{quant.kind} {config.output.form}",
    )


def _demand_images(config: Config, calibration: Step) -> None:
    """Raises UserError when it is known already that there are too few images, or too many."""
    from vision.xslim_config import FEWEST, MOST

    kind, wanted = config.quant.kind, config.quant.calibration
    if not FEWEST <= wanted.count <= MOST:
        raise UserError(
            f"quant.calibration.count={wanted.count}: {kind} takes {FEWEST} to {MOST} images"
        )
    chosen = calibration.inputs.get("images")
    if isinstance(chosen, UserFiles) and len(chosen.paths) < FEWEST:
        raise UserError(
            f"quant.calibration.source={wanted.source} holds {_images(len(chosen.paths))}, and "
            f"{kind} takes {FEWEST} or more; add some that are like what the camera sees"
        )


def _images(count: int) -> str:
    return "1 image" if count == 1 else f"{count} images"


def _demand_opset(config: Config, opset: int | None) -> None:
    """Raises UserError for an opset that the board does not take, or that is below the export's:
    ONNX converts upwards, seldom downwards."""
    target: Any = config.target
    most, exported = target.contract.max_opset, config.export.opset
    if opset is None:
        if exported > most:
            raise UserError(f"export.opset={exported}: {_takes(target)}, and xquant keeps it")
        return
    if opset > most:
        raise UserError(f"quant.opset={opset}: {_takes(target)}")
    if config.model.onnx is not None:
        _demand_given(config.model.onnx, opset)
    elif opset < exported:
        raise UserError(
            f"export.opset={exported} is above quant.opset={opset}, and networks cannot be brought "
            f"down; set export.opset={opset} or less, or raise quant.opset"
        )


def _demand_given(file: str, opset: int) -> None:
    """Raises UserError when the user's ONNX file is of a newer opset than the result may be."""
    from vision.onnx_wire import describe

    found = describe(Path(file).expanduser()).opset
    if found > opset:
        raise UserError(
            f"model.onnx={file} has opset {found}, above quant.opset={opset}, and networks cannot "
            f"be brought down; export it again with opset {opset} or less, or raise quant.opset"
        )


def _takes(target: Any) -> str:
    return f"{target.title} ({target.contract.firmware}) takes at most {target.contract.max_opset}"


def _wheel(config: Config) -> UserFile:
    """The vendor's wheel. Raises UserError when there is none, or it is something else."""
    from vision.xslim_wheel import WHERE, read_wheel

    given = config.toolchain.xquant.wheel
    if given is None:
        raise UserError(f"quant=xquant needs toolchain.xquant.wheel=xquant-….whl. {WHERE}")
    path = Path(given).expanduser().absolute()
    try:
        read_wheel(path)
    except ValueError as fault:
        raise UserError(f"toolchain.xquant.wheel={given}: {path} {fault}") from None
    return UserFile(path)


def run(params: Params, work: Work) -> None:
    """Writes model.q.onnx, quantize.json and xslim.json (the config that the tool was given).

    Raises StageError when there are too few images or the tool fails. What its error analysis
    says goes to the log.
    """
    import numpy as np

    work.progress(0, 100, "writing the calibration images")
    head = json.loads(work.inputs["head.json"].read_text(encoding="utf-8"))
    images = np.load(work.inputs["calibration.npy"], mmap_mode="r")
    folder = work.scratch / params.tool
    folder.mkdir(parents=True)
    _write_images(images, folder)
    shutil.copyfile(work.inputs["head.onnx"], folder / NETWORK)
    cuts = list(head["cuts"]) if params.truncate else []
    text = _write_config(params, cuts, len(images), folder)
    packages, version = _packages(params, work)
    warnings = _run_tool(params.tool, packages, folder, work)
    model = _canonical(folder / RESULTS / f"{PREFIX}.onnx", work.inputs["head.onnx"], params.tool)
    (work.out / "model.q.onnx").write_bytes(model.SerializeToString(deterministic=True))
    (work.out / "xslim.json").write_text(text, encoding="utf-8")
    report = _report(params, version, cuts, len(images), model)
    report["warnings"] = [warning.replace(f"{work.scratch}/", "") for warning in warnings]
    _write_json(work.out / "quantize.json", report)


def _write_images(images: NDArray[np.uint8], folder: Path) -> None:
    """Lossless pictures of the input's size, which the tool's own scaling leaves alone."""
    from PIL import Image

    (folder / "images").mkdir()
    names = [f"images/{i:06d}.png" for i in range(len(images))]
    for name, pixels in zip(names, images, strict=True):
        Image.fromarray(pixels).save(folder / name, compress_level=1)
    (folder / LISTED).write_text("".join(f"{name}\n" for name in names))


def _write_config(params: Params, cuts: list[str], images: int, folder: Path) -> str:
    """Writes the tool's config and returns its text. Raises StageError for too few images."""
    from vision.xslim_config import Places, Settings, xslim_config

    settings = Settings(
        method=params.method,
        precision_level=params.precision_level,
        finetune_level=params.finetune_level,
        analysis=params.analysis,
        opset=params.opset,
    )
    places = Places(network=NETWORK, images=LISTED, out=RESULTS, prefix=PREFIX)
    try:
        config = xslim_config(settings, places, images=images, cuts=cuts)
    except ValueError as fault:
        raise StageError(
            f"quant.calibration: {fault}; raise quant.calibration.count, or choose a "
            "quant.calibration.source that holds more"
        ) from None
    _write_json(folder / CONFIG, config)
    return (folder / CONFIG).read_text(encoding="utf-8")


def _write_json(target: Path, value: Any) -> None:
    target.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _packages(params: Params, work: Work) -> tuple[str, str]:
    """The folder the tool is imported from besides its toolchain, or "", and its version."""
    from importlib.metadata import version
    from zipfile import ZipFile

    from vision.xslim_wheel import read_wheel

    if params.tool != "xquant":
        return "", version(params.tool)
    wheel, place = work.inputs["xquant.whl"], work.scratch / "wheel"
    with ZipFile(wheel) as archive:
        archive.extractall(place)
    return str(place), read_wheel(wheel).version


def _run_tool(tool: str, packages: str, folder: Path, work: Work) -> list[str]:
    """Runs the tool in `folder` and returns its warnings. Raises StageError when it fails."""
    from vision.xslim_tool import run_tool

    work.progress(0, 100, f"starting {tool}")
    try:
        warnings = run_tool((tool, "--config", CONFIG), packages, folder, work.progress)
    except ValueError as fault:
        raise StageError(f"{tool} {fault}") from None
    if not (folder / RESULTS / f"{PREFIX}.onnx").is_file():
        raise StageError(f"{tool} ended as if all were well, but left no int8 file; see the log")
    analysis = folder / RESULTS / f"{PREFIX}_report.md"
    if analysis.is_file():
        print(analysis.read_text(encoding="utf-8"))
    return warnings


def _canonical(found: Path, float_network: Path, tool: str) -> ModelProto:
    """The tool's network with the names, metadata and output shapes of the float one.

    xquant drops the metadata of a truncated network and writes an IR version that older boards
    refuse, though nothing in the file needs it. Raises StageError when outputs are missing.
    """
    import onnx

    model, network = onnx.load(found), onnx.load(float_network)
    have, want = ([output.name for output in m.graph.output] for m in (model, network))
    if have != want:
        raise StageError(f"{tool} made the outputs {have} of {want}; report this")
    del model.metadata_props[:], model.graph.output[:]
    model.metadata_props.extend(network.metadata_props)
    model.graph.output.extend(network.graph.output)
    model.ir_version = min(model.ir_version, max(IR_VERSION, network.ir_version))
    return model


def _report(
    params: Params, version: str, cuts: list[str], images: int, model: ModelProto
) -> dict[str, Any]:
    """quantize.json but for the warnings: what was done, and what is int8 now."""
    from vision.onnx_facts import facts_of

    facts = facts_of(model)
    return {
        "schema": 1,
        "tool": params.tool,
        "version": version,
        "method": params.method,
        "images": images,
        "opset": facts.opset,
        "ir_version": facts.ir_version,
        "cuts": cuts,
        "int8": dict(facts.int8),
        "float": [{"type": kind, "name": name} for kind, name in facts.floats],
    }
