"""One colour picture in every form that people have, read as the network gets it. Toolchain
`images`. Argument: an empty folder. Prints form -> what became of it.
"""

import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from vision.preprocess import load

SIDE = 96
folder = Path(sys.argv[1])
y, x = np.mgrid[0:120, 0:160]
pixels = np.stack([x, 2 * y, 255 - x], axis=-1).astype(np.uint8)
picture = Image.fromarray(pixels)
grey = np.asarray(picture.convert("L"))
clear = Image.fromarray(np.full(grey.shape, 40, np.uint8))
turned = Image.Exif()
turned[0x0112] = 6  # Orientation: the camera was turned by 90 degrees

FORMS = {
    "rgb.png": (picture, {}),
    "rgb.jpg": (picture, {"quality": 98}),
    "cmyk.jpg": (picture.convert("CMYK"), {"quality": 98}),
    "alpha.png": (Image.merge("RGBA", (*picture.split(), clear)), {}),
    "palette.png": (picture.quantize(256), {}),
    "turned.jpg": (picture.transpose(Image.Transpose.ROTATE_90), {"exif": turned, "quality": 98}),
    "grey.png": (Image.fromarray(grey), {}),
    "grey alpha.png": (Image.merge("LA", (Image.fromarray(grey), clear)), {}),
    "grey 16.png": (Image.fromarray(grey.astype(np.uint16) * 257), {}),
    "grey 16.tif": (Image.fromarray(grey.astype(np.uint16) * 257), {}),
}
found = {}
for name, (form, options) in FORMS.items():
    form.save(folder / name, **options)
    got = load(folder / name, SIDE, "stretch").astype(int)
    first = "grey.png" if name.startswith("grey") else "rgb.png"
    wanted = load(folder / first, SIDE, "stretch").astype(int)
    found[name] = {"shape": got.shape, "off": float(np.abs(got - wanted).mean())}
boxed = load(folder / "rgb.png", SIDE, "letterbox")
found["letterbox"] = {
    "bars": sorted({int(v) for v in np.unique(boxed[[0, 11, 84, 95]])}),
    "inner": int(np.ptp(boxed[12:84], axis=(0, 1)).min()),
}
print(json.dumps(found))
