"""Prints how many frames of which size a video has. Runs in toolchain `tflite-micro`."""

import json
import sys
from pathlib import Path

from vision.pictures import reading

with reading(Path(sys.argv[1])) as video:
    sizes = [frame.shape[1::-1] for frame in video]
print(json.dumps({"frames": len(sizes), "sizes": sorted(set(sizes)), "fps": video.fps}))
