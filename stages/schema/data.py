"""Group `dataset`: what is trained on, validated on, and calibrated with."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from stages.schema.base import Name, Part, Struct
from stages.schema.model import Task


class Digits(Struct, frozen=True, tag="digits", tag_field="kind"):
    """Dataset `digits`: handwritten digits on photos, generated offline."""

    name: Name
    train_images: Annotated[
        int, Meta(ge=10, le=100_000, description="images in the training split")
    ]
    val_images: Annotated[
        int, Meta(ge=10, le=100_000, description="images in the validation split")
    ]
    imgsz: Annotated[int, Meta(ge=64, le=1280, description="side of a generated image, pixels")]
    seed: Annotated[int, Meta(ge=0, description="seed of the composition")]
    digits: Annotated[int, Meta(ge=1, le=50, description="largest number of digits in an image")]
    smallest: Annotated[Part, Meta(description="smallest height of a digit, part of the side")]
    largest: Annotated[Part, Meta(description="largest height of a digit, part of the side")]
    contrast: Annotated[
        int, Meta(ge=10, le=120, description="smallest difference of luminance to the background")
    ]


class Figures(Struct, frozen=True, tag="figures", tag_field="kind"):
    """Dataset `figures`: articulated people with COCO's 17 keypoints, generated offline."""

    name: Name
    train_images: Annotated[
        int, Meta(ge=10, le=100_000, description="images in the training split")
    ]
    val_images: Annotated[
        int, Meta(ge=10, le=100_000, description="images in the validation split")
    ]
    imgsz: Annotated[int, Meta(ge=64, le=1280, description="side of a generated image, pixels")]
    seed: Annotated[int, Meta(ge=0, description="seed of the composition")]
    people: Annotated[int, Meta(ge=1, le=20, description="largest number of people in an image")]
    smallest: Annotated[
        Part, Meta(description="smallest standing height of a person, part of the side")
    ]
    largest: Annotated[
        Part, Meta(description="largest standing height of a person, part of the side")
    ]


class Fetched(Struct, frozen=True, tag="fetched", tag_field="kind"):
    """Dataset that ultralytics downloads by its name (needs a network)."""

    name: Name
    yaml: Annotated[str, Meta(description="ultralytics data set YAML, for instance coco8.yaml")]
    task: Annotated[Task, Meta(description="what its labels are for")]
    classes: Annotated[int, Meta(ge=1, description="how many classes it has")]


class Custom(Struct, frozen=True, tag="custom", tag_field="kind"):
    """Dataset `custom`: the user's own, in ultralytics layout."""

    name: Name
    path: Annotated[str | None, Meta(description="the data.yaml; relative to the current folder")]


class NoDataset(Struct, frozen=True, tag="none", tag_field="kind"):
    """Dataset `none`: nothing to train on; calibration takes a list or a folder of images."""

    name: Name
