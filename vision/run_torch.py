"""Runs an ultralytics checkpoint in PyTorch, in float32 on the CPU."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vision.checkpoint import prepare_ultralytics
from vision.loaded import Loaded

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEVELS = 255
"""A pixel's largest value: the network takes pixel / 255."""


def load_torch(model: Path, scratch: Path) -> Loaded:
    """A checkpoint that was exported before, so is known to be one, on one core.

    Its one output is `[1, 4 + nc (+ K * values), N]`, boxes and keypoints in pixels, as
    ultralytics' own validation gets it. ultralytics writes its settings below `scratch`.
    """
    folder = scratch / f"torch-{os.getpid()}"  # settings are written at import, without a lock
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"  # equal numbers with and without a GPU
    os.environ["YOLO_VERBOSE"] = "false"
    prepare_ultralytics(folder, 1)
    import torch
    import ultralytics
    from ultralytics.nn.tasks import load_checkpoint

    link = folder / "model.pt"  # its loader accepts the suffix .pt only
    link.unlink(missing_ok=True)
    link.symlink_to(model.resolve())
    loaded, _ = load_checkpoint(link)
    network = loaded.fuse(verbose=False).float().eval()

    def run(pixels: NDArray[np.uint8]) -> list[NDArray[Any]]:
        image = torch.from_numpy(pixels.transpose(2, 0, 1).copy())[None].float() / LEVELS
        with torch.inference_mode():
            found = network(image)
        return [(found[0] if isinstance(found, (tuple, list)) else found).numpy()]

    return Loaded(f"PyTorch {torch.__version__} with ultralytics {ultralytics.__version__}", run)
