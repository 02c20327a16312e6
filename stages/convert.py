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
    from vision.decode import Floats

SAMPLE_FILE = "calibration_image_sample_data_20x128x128x3_float32.npy"
"""onnx2tf 1.29 downloads this file of images unless it lies in the working directory."""
SAMPLE_COUNT, SAMPLE_SIDE = 20, 128
SIGNATURE = "serving_default"
TOLERANCE = 2e-3
"""Largest difference from the ONNX head allowed, relative to a tensor's largest magnitude."""
SMALLEST = 1e-30
"""Stands for the largest value of an output that is all zeros."""
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
    """Writes saved_model/ (NHWC input 0..1; outputs, and their axes, in the head's order).

    Raises StageError when it computes something else than the ONNX head.
    """
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"  # equal bytes with and without a GPU
    work.progress(0, 4, "starting TensorFlow")
    import numpy as np
    import onnx2tf

    from vision.run_onnx import run_onnx
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
    side = int(network.inputs[0].shape[1])
    image = samples(1, side)
    [wanted] = run_onnx(work.inputs["head.onnx"], image)
    target = work.out / "saved_model"
    _save(network, _turned(network, image, wanted), target)
    work.progress(3, 4, "comparing with ONNX")
    _compare(target, image, wanted)


def _turned(network: Any, image: Floats, wanted: list[Floats]) -> list[bool]:
    """For each output, whether onnx2tf left its last two axes changed over.

    Between two axes of equal length it takes the wrong one for the channels, for instance in
    `[1, 84, 84]`: 80 classes at 64 pixels.
    """
    found = [value.numpy() for value in _outputs(network, (image,))]
    if len(found) != len(wanted):
        raise StageError(f"onnx2tf made {len(found)} outputs of {len(wanted)}")
    return [
        value.ndim == 3 and _off(value, true) > TOLERANCE >= _off(value.transpose(0, 2, 1), true)
        for value, true in zip(found, wanted, strict=True)
    ]


def _outputs(network: Any, inputs: tuple[Any, ...]) -> list[Any]:
    """A Keras network's outputs, as a list also when there is one."""
    outputs = network(inputs)
    return list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]


def _off(found: Floats, wanted: Floats) -> float:
    """Largest difference, as part of the largest value; infinite for another shape."""
    if found.shape != wanted.shape:
        return float("inf")
    return float(abs(found - wanted).max() / max(float(abs(wanted).max()), SMALLEST))


def _save(network: Any, turned: list[bool], target: Path) -> None:
    """Writes a Keras network as a SavedModel whose only function takes and gives tensors.

    `turned` says which outputs have their last two axes to be changed back.
    """
    import tensorflow as tf
    import tf_keras

    def call(*inputs: Any) -> list[Any]:
        outputs = zip(_outputs(network, inputs), turned, strict=True)
        return [tf.transpose(value, [0, 2, 1]) if turn else value for value, turn in outputs]

    archive = tf_keras.export.ExportArchive()
    archive.add_endpoint(
        name=SIGNATURE,
        fn=call,
        input_signature=[tf.TensorSpec(t.shape, t.dtype, name="images") for t in network.inputs],
    )
    archive.write_out(str(target))
    for name in DROPPED:
        (target / name).unlink(missing_ok=True)


def _compare(saved_model: Path, image: Floats, wanted: list[Floats]) -> None:
    """Raises StageError unless both forms agree on an image, output by output."""
    import tensorflow as tf

    function = tf.saved_model.load(str(saved_model)).signatures[SIGNATURE]
    found = function(images=tf.constant(image))
    for i, true in enumerate(wanted):
        value = found[f"output_{i}"].numpy()
        if value.shape != true.shape:
            raise StageError(f"onnx2tf made output {i} of shape {value.shape}, not {true.shape}")
        off = _off(value, true)
        print(f"output_{i}: off by {off:.2g} of its largest value")
        if not off <= TOLERANCE:
            raise StageError(
                f"onnx2tf's network differs from head.onnx: output {i} is off by {off:.2g} of its "
                f"largest value (allowed {TOLERANCE}); see the log, or try another "
                "model.architecture"
            )
