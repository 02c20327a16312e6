"""Runs stage predict on given inputs, outside the engine.

Arguments: params (JSON), inputs (JSON: name -> path), an empty folder, cores. Prints what it
refused, or else the digests of its outputs.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from edgemake.work import StageError, Work
from stages import predict


def main(params: str, inputs: str, folder: str, cores: str) -> dict[str, Any]:
    out, scratch = Path(folder) / "out", Path(folder) / "scratch"
    for place in (out, scratch):
        place.mkdir(parents=True)
    given = {name: Path(path) for name, path in json.loads(inputs).items()}
    try:
        predict.run(predict.Params(**json.loads(params)), Work(given, out, scratch, int(cores)))
    except StageError as refused:
        return {"refused": str(refused)}
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in out.iterdir()}


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
