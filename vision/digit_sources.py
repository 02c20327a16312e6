"""Where the generated digits data set takes its digits and its photos from, and who made them.

All lie inside the wheels of scikit-learn and scikit-image; nothing is downloaded.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from vision.digits import CLASSES, Sources, masks_of

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


DIGITS = Source(
    "digits",
    "train and val",
    "E. Alpaydin, C. Kaynak",
    "CC BY 4.0",
    "UCI: Optical Recognition of Handwritten Digits, https://doi.org/10.24432/C50P49",
    "scikit-learn",
)
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


def credit() -> list[dict[str, str]]:
    """Every work used, for the manifest."""
    return [asdict(work) for work in (DIGITS, *PHOTOS)]


def load(val_share: float, seed: int) -> dict[str, Sources]:
    """Split -> its digits and photos: `val_share` of the digits of every class go to val."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    parts = divide(digits.images, digits.target, val_share, seed)
    return {
        split: Sources(
            masks_of(digits.images[chosen], digits.target[chosen]),
            [_photo(photo) for photo in PHOTOS if photo.splits == split],
        )
        for split, chosen in parts.items()
    }


def _photo(photo: Source) -> Image:
    from PIL import Image

    if photo.shipped_in == "scikit-learn":
        from sklearn.datasets import load_sample_image

        return Image.fromarray(load_sample_image(photo.name)).convert("RGB")
    from skimage import data

    return Image.fromarray(getattr(data, photo.name)()).convert("RGB")


def divide(images: Any, labels: Any, val_share: float, seed: int) -> dict[str, list[int]]:
    """Split -> indices of its digits `images` `[n, 8, 8]`; equal images count once."""
    import numpy as np

    _, unique = np.unique(images.reshape(len(images), -1), axis=0, return_index=True)
    rng = np.random.default_rng(seed)
    parts: dict[str, list[int]] = {"train": [], "val": []}
    for digit in range(CLASSES):
        members = np.sort(unique[labels[unique] == digit])
        members = members[rng.permutation(len(members))]
        cut = round(len(members) * val_share)
        parts["val"] += members[:cut].tolist()
        parts["train"] += members[cut:].tolist()
    return parts
