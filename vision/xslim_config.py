"""The JSON that xslim and xquant read: one tool under two names, one generator for both.

Every key that xslim 2.1.2 or xquant 1.2.1 .. 2.0.4 misreads in silence when it is missing or
misspelt is written out: without `data_list_path` they calibrate on zeros, without `mean_value`
and `std_value` on pixels 0..255, without `color_format` on BGR; all of that ends in exit
status 0 and a network that finds nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

MEAN, STD = (0, 0, 0), (255, 255, 255)
"""The network takes pixel / 255: (pixel - MEAN) / STD, channel by channel."""
FEWEST, MOST = 10, 1000
"""Images that `calibration_step` may ask for: the tools' own bounds."""
INPUT_KEYS = ("input_parameters", "input_parametres")
"""xslim reads the first, xquant up to 2.0.4 the second (sic); each ignores the other."""


@dataclass(frozen=True)
class Settings:
    """What the config group `quant` chooses."""

    method: str
    precision_level: int
    finetune_level: int
    analysis: bool
    opset: int | None
    """Of the int8 file. None: the tool keeps the network's, as every xquant does."""


@dataclass(frozen=True)
class Places:
    """Files, relative to the folder that the tool runs in."""

    network: str
    images: str
    """List of calibration images, one a line, relative to the list."""
    out: str
    """Folder of the results."""
    prefix: str
    """The result is <out>/<prefix>.onnx."""


def xslim_config(
    settings: Settings, places: Places, *, images: int, cuts: Sequence[str]
) -> dict[str, Any]:
    """The tool's config as JSON values.

    `images` is the length of the list: each is one calibration step, whatever the batch. `cuts`
    are the tensors behind which the network stays float; none: all of it becomes int8. Raises
    ValueError for a number of images that the tools do not take.
    """
    if not FEWEST <= images <= MOST:
        raise ValueError(f"{images} calibration images; xslim takes {FEWEST} to {MOST}")
    entry = {
        "file_type": "img",
        "color_format": "rgb",
        "mean_value": list(MEAN),
        "std_value": list(STD),
        "data_list_path": places.images,
    }
    model: dict[str, Any] = {
        "onnx_model": places.network,
        "working_dir": places.out,
        "output_prefix": places.prefix,
        "skip_onnxsim": False,
    }
    if settings.opset is not None:
        model["opset"] = settings.opset
    return {
        "model_parameters": model,
        "calibration_parameters": {
            "calibration_step": images,
            "calibration_device": "cpu",  # equal bytes with and without a GPU
            "calibration_type": settings.method,
            **{key: [dict(entry)] for key in INPUT_KEYS},
        },
        "quantization_parameters": {
            "precision_level": settings.precision_level,
            "finetune_level": settings.finetune_level,
            "analysis_enable": settings.analysis,
            "truncate_var_names": list(cuts),
        },
    }
