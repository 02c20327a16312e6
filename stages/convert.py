"""ONNX head to a TensorFlow SavedModel, with onnx2tf. Depends on no calibration."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgemake.step import Input, Step
from edgemake.work import StageError, Work

if TYPE_CHECKING:
    from stages.schema import Config

SAMPLE_FILE = "calibration_image_sample_data_20x128x128x3_float32.npy"
"""onnx2tf 1.29 downloads this file of images unless it lies in the working directory."""
SAMPLE_COUNT, SAMPLE_SIDE = 20, 128
SIGNATURE = "serving_default"
TOLERANCE = 2e-3
"""Largest difference from the ONNX head allowed, relative to a tensor's largest magnitude."""
DROPPED = ("fingerprint.pb",)
"""Parts of a SavedModel that nothing reads."""


@dataclass(frozen=True)
class Params:
    """Nothing of the config: the head says it all."""


def plan(config: Config, head: Input) -> Step:
    """`head`: an ONNX network with NCHW float32 input and rank-3 outputs."""
    return Step(
        stage="convert",
        params=Params(),
        inputs={"head.onnx": head},
        outputs=("saved_model",),
        toolchain=config.lock("tensorflow"),
        label=f"{config.output.form} {config.model.imgsz}",
    )


def run(params: Params, work: Work) -> None:
    """Writes saved_model/ (NHWC input 0..1, outputs in the head's order).

    Raises StageError when it computes something else than the ONNX head.
    """
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"  # equal bytes with and without a GPU
    work.progress(0, 4, "starting TensorFlow")
    import numpy as np
    import onnx2tf

    from vision.samples import samples

    head = work.scratch / "head.onnx"  # onnx2tf writes operator names and shapes into the file
    shutil.copyfile(work.inputs["head.onnx"], head)
    np.save(SAMPLE_FILE, samples(SAMPLE_COUNT, SAMPLE_SIDE))
    work.progress(1, 4, "converting")
    network = onnx2tf.convert(
        input_onnx_file_path=str(head),
        output_folder_path=str(work.scratch / "onnx2tf"),
        output_signaturedefs=True,  # TensorFlow forbids the slashes in ONNX's names
        not_use_onnxsim=True,  # export has simplified already; onnx2tf would call a program
        disable_model_save=True,  # it would also write two TFLite files, in most of its time
        verbosity="info",  # "debug" describes every operator, in half of its time
    )
    work.progress(2, 4, "saving")
    target = work.out / "saved_model"
    _save(network, target)
    work.progress(3, 4, "comparing with ONNX")
    _compare(work.inputs["head.onnx"], target)


def _save(network: Any, target: Path) -> None:
    """Writes a Keras network as a SavedModel whose only function takes and gives tensors."""
    import tensorflow as tf
    import tf_keras

    archive = tf_keras.export.ExportArchive()
    archive.add_endpoint(
        name=SIGNATURE,
        fn=lambda *inputs: network(inputs),
        input_signature=[tf.TensorSpec(t.shape, t.dtype, name="images") for t in network.inputs],
    )
    archive.write_out(str(target))
    for name in DROPPED:
        (target / name).unlink(missing_ok=True)


def _compare(head: Path, saved_model: Path) -> None:
    """Raises StageError unless both forms agree on a sample, output by output."""
    import tensorflow as tf

    from vision.run_onnx import run_onnx
    from vision.samples import samples

    function = tf.saved_model.load(str(saved_model)).signatures[SIGNATURE]
    side = function.structured_input_signature[1]["images"].shape[1]
    image = samples(1, side)
    found = function(images=tf.constant(image))
    for i, wanted in enumerate(next(run_onnx(head, image))):
        value = found[f"output_{i}"].numpy()
        if value.shape != wanted.shape:
            raise StageError(f"onnx2tf made output {i} of shape {value.shape}, not {wanted.shape}")
        off = float(abs(value - wanted).max() / abs(wanted).max())
        print(f"output_{i}: off by {off:.2g} of its largest value")
        if not off <= TOLERANCE:
            raise StageError(
                f"onnx2tf's network differs from head.onnx: output {i} is off by {off:.2g} of its "
                f"largest value (allowed {TOLERANCE}); see the log, or try another "
                "model.architecture"
            )
