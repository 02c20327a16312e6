"""Generates a small data set as its stage does. Runs in toolchain `images`.

Arguments: kind, settings as JSON, an empty folder. Prints the SHA-256 of its manifest, which holds
those of all its files.
"""

import hashlib
import json
import sys
from pathlib import Path

from edgemake.work import Work
from stages import dataset

kind, settings, out = sys.argv[1], json.loads(sys.argv[2]), Path(sys.argv[3])
dataset.run(dataset.Params(kind, settings), Work({}, out=out, scratch=out, cores=1))
print(json.dumps(hashlib.sha256((out / "manifest.json").read_bytes()).hexdigest()))
