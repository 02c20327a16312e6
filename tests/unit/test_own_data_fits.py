"""A user's data.yaml that the board or the model cannot take is refused before any work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from stage_configs import config

from edgemake.errors import UserError
from stages import dataset
from stages.examine import examine


def own(folder: Path, classes: int, shape: str | None, *overrides: str) -> Any:
    """A config with a data set of so many classes, and keypoints if there is a `shape`."""
    for split in ("train", "val"):
        (folder / "images" / split).mkdir(parents=True)
    keypoints = f"kpt_shape: {shape}\n" if shape else ""
    file = folder / "data.yaml"
    file.write_text(f"train: images/train\nval: images/val\nnc: {classes}\n{keypoints}")
    return config("dataset=custom", f'dataset.path="{file}"', *overrides)


@pytest.mark.parametrize(
    ("classes", "shape", "overrides", "words"),
    [
        (64, None, [], "dataset=custom has 64 classes: Seeed Grove Vision AI V2 would misread"),
        (64, None, ["train=ultralytics"], "a class tensor of 64 channels"),
        (2, "[17, 3]", ["model=yolov8n_pose"], "for pose (seven_raw), Seeed Grove Vision AI V2 t"),
        (1, "[17, 3]", [], "dataset=custom is labelled for pose; choose a pose model"),
        (1, None, ["model=yolov8n_pose"], "dataset=custom is labelled for detect; choose a detect"),
        (1, "[17, 2]", ["model=yolov8n_pose"], "kpt_shape [17, 2]"),
        (1, "[5, 3]", ["model=yolov8n_pose", "target=grove_v2_himax"], "reads 17 keypoints"),
    ],
)
def test_refused(
    tmp_path: Path, classes: int, shape: str | None, overrides: list[str], words: str
) -> None:
    chosen = own(tmp_path / "mine", classes, shape, *overrides)
    with pytest.raises(UserError) as refused:
        examine(chosen, dataset.known(chosen), set())
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("classes", "shape", "overrides"),
    [
        (4, None, ["target.output=decoded"]),
        (63, None, []),
        (65, None, []),
        (64, None, ["target=spacemit_k1"]),
        (1, "[17, 3]", ["model=yolov8n_pose"]),
        (1, "[5, 3]", ["model=yolov8n_pose"]),
        (2, "[17, 3]", ["model=yolov8n_pose", "target=spacemit_k1"]),
    ],
)
def test_taken(tmp_path: Path, classes: int, shape: str | None, overrides: list[str]) -> None:
    chosen = own(tmp_path / "mine", classes, shape, *overrides)
    examine(chosen, dataset.known(chosen), set())
