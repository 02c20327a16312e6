"""The photographs that generated images are made over, and who made them.

All lie inside the wheels of scikit-learn and scikit-image; nothing is downloaded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True)
class Source:
    """One work that images are made of."""

    name: str
    splits: str
    """Where it is used. A photo belongs to one split; of the digits, each split has its own."""
    author: str
    licence: str
    source: str
    shipped_in: str


PHOTOS = (
    Source(
        "china.jpg",
        "train",
        "danielbuechele",
        "CC BY 2.0",
        "https://www.flickr.com/photos/danielbuechele/6061409035",
        "scikit-learn",
    ),
    Source("chelsea", "train", "Stefan van der Walt", "CC0", "scikit-image", "scikit-image"),
    Source(
        "coffee",
        "train",
        "Rachel Michetti, Pikolo Espresso Bar",
        "CC0",
        "scikit-image",
        "scikit-image",
    ),
    Source(
        "hubble_deep_field",
        "train",
        "NASA",
        "public domain",
        "http://hubblesite.org/newscenter/archive/releases/2012/37/image/a",
        "scikit-image",
    ),
    Source("camera", "train", "Lav Varshney", "CC0", "scikit-image", "scikit-image"),
    Source(
        "brick",
        "train",
        "CC0Textures",
        "CC0",
        "https://cc0textures.com/view.php?tex=Bricks25",
        "scikit-image",
    ),
    Source(
        "gravel",
        "train",
        "CC0Textures",
        "CC0",
        "https://cc0textures.com/view.php?tex=Gravel04",
        "scikit-image",
    ),
    Source(
        "flower.jpg",
        "val",
        "vultilion",
        "CC BY 2.0",
        "https://www.flickr.com/photos/vultilion/6056698931",
        "scikit-learn",
    ),
    Source(
        "rocket",
        "val",
        "SpaceX",
        "public domain",
        "https://www.flickr.com/photos/spacexphotos/16511594820",
        "scikit-image",
    ),
    Source(
        "grass",
        "val",
        "linolafett",
        "CC0",
        "https://www.deviantart.com/linolafett/art/Grass-01-434853879",
        "scikit-image",
    ),
    Source(
        "coins",
        "val",
        "Brooklyn Museum",
        "no known copyright restrictions",
        "https://www.brooklynmuseum.org/opencollection/archives/image/51611",
        "scikit-image",
    ),
)
"""Every photo belongs to one split."""
WITHOUT_PEOPLE = tuple(photo for photo in PHOTOS if photo.name != "camera")
"""Photos that show nobody: labels of people would miss the cameraman."""


def load_photo(photo: Source) -> Image:
    """The whole photo in RGB."""
    from PIL import Image

    if photo.shipped_in == "scikit-learn":
        from sklearn.datasets import load_sample_image

        return Image.fromarray(load_sample_image(photo.name)).convert("RGB")
    from skimage import data

    return Image.fromarray(getattr(data, photo.name)()).convert("RGB")
