"""Where the generated digits data set takes its digits and its photos from, and who made them.

All lie inside the wheels of scikit-learn and scikit-image; nothing is downloaded.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from vision.digits import CLASSES, Sources, masks_of
from vision.photos import PHOTOS, Source, load_photo

DIGITS = Source(
    "digits",
    "train and val",
    "E. Alpaydin, C. Kaynak",
    "CC BY 4.0",
    "UCI: Optical Recognition of Handwritten Digits, https://doi.org/10.24432/C50P49",
    "scikit-learn",
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
            [load_photo(photo) for photo in PHOTOS if photo.splits == split],
        )
        for split, chosen in parts.items()
    }


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
