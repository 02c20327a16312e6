"""Prints a .npy file's type, shape and range. Runs in toolchain `images`."""

import json
import sys

import numpy as np

values = np.load(sys.argv[1])
print(
    json.dumps(
        {
            "dtype": values.dtype.name,
            "shape": values.shape,
            "range": [int(values.min()), int(values.max())],
        }
    )
)
