"""Makes pictures to look at from one of the data set's. Runs in toolchain `tflite-micro`.

Arguments: an empty folder, then pictures. Writes wide.png (the first, 3 times as wide and twice as
high), grey.png (nothing on it), torn.jpg (its first half), clip.avi (each picture for two frames).
"""

import json
import sys
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

folder, paths = Path(sys.argv[1]), sys.argv[2:]
pictures = [Image.open(path).convert("RGB") for path in paths]
first = pictures[0]
wide = first.resize((3 * first.width, 2 * first.height), Image.Resampling.NEAREST)
wide.save(folder / "wide.png")
Image.new("RGB", (320, 240), (120, 120, 120)).save(folder / "grey.png")
data = Path(paths[0]).read_bytes()
(folder / "torn.jpg").write_bytes(data[: len(data) // 2])
writer = cv2.VideoWriter(str(folder / "clip.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 5.0, first.size)
for picture in pictures:
    for _ in range(2):
        writer.write(np.asarray(picture)[..., ::-1].copy())
writer.release()
print(json.dumps({"size": first.size, "frames": 2 * len(pictures)}))
