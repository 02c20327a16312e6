"""Compiles an int8 file for the NPU, through the stage's own code. Runs in toolchain `vela`.

Arguments: the file, a folder to fill, JSON of `target.vela`. Prints vela.json and the shapes of
the compiled file's outputs, in its order.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from edgemake.work import Work
from stages import compile
from vision.tflite_file import read_model


def main(model: str, target: str, settings: str) -> dict[str, Any]:
    vela, out = json.loads(settings), Path(target)
    (out / "scratch").mkdir(parents=True)
    params = compile.Params(
        accelerator=vela["accelerator"],
        system_config=vela["system_config"],
        memory_mode=vela["memory_mode"],
        optimise=vela["optimise"],
        core_clock=vela["ini"]["core_clock"],
        system=vela["ini"]["system"],
        memory=vela["ini"]["memory"],
    )
    compile.run(params, Work({"model.tflite": Path(model)}, out, out / "scratch", 1))
    report: dict[str, Any] = json.loads((out / "vela.json").read_text())
    made = read_model(out / "model_vela.tflite")
    return {**report, "outputs": [list(tensor.shape) for tensor in made.outputs]}


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
