"""Generated data sets: the same bytes on every machine, labels that fit the images."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from e2e.checkout import read
from e2e.test_heads import told

SMALL = {"train_images": 60, "val_images": 30, "imgsz": 96, "seed": 3}
DIGITS = {**SMALL, "digits": 4, "smallest": 0.2, "largest": 0.5, "contrast": 60}
FIGURES = {**SMALL, "people": 3, "smallest": 0.5, "largest": 0.9}
DIGITS_SHA = "3d466171eb2faad0d2ea98259aa6dfe2b2e72e5ba2201928fc280a899a930f31"
FIGURES_SHA = "4f5e55f0b4be1a5486e1ad10c1b43de2e08700c0187770557bf2adbf5feb7b37"
"""Of the manifests: other bytes mean another data set, and a new training for everybody."""


def generated(kind: str, settings: dict[str, Any], out: Path) -> str:
    out.mkdir()
    digest: str = told("images", "generated_data.py", kind, json.dumps(settings), out)
    return digest


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    out = tmp_path_factory.mktemp("generated") / "figures"
    return out, generated("figures", FIGURES, out)


def people(out: Path, split: str) -> list[list[float]]:
    """The rows of all labels of a split."""
    files = sorted((out / "data/labels" / split).iterdir())
    return [[float(v) for v in row.split()] for f in files for row in f.read_text().splitlines()]


def test_digits_have_the_bytes_they_always_had(tmp_path: Path) -> None:
    assert generated("digits", DIGITS, tmp_path / "out") == DIGITS_SHA


def test_figures_have_the_same_bytes_on_every_machine(figures: tuple[Path, str]) -> None:
    assert figures[1] == FIGURES_SHA


def test_another_seed_is_another_data_set(figures: tuple[Path, str], tmp_path: Path) -> None:
    few = {**FIGURES, "train_images": 10, "val_images": 10}
    generated("figures", few, tmp_path / "few")
    generated("figures", {**few, "seed": 4}, tmp_path / "other")
    same, other, whole = (
        [entry["sha256"] for entry in read(out / "manifest.json")["splits"]["train"]]
        for out in (tmp_path / "few", tmp_path / "other", figures[0])
    )
    assert same == whole[:10]  # an image depends on the seed and its number, not on their count
    assert not set(same) & set(other)


def test_the_manifest_says_pose(figures: tuple[Path, str]) -> None:
    manifest = read(figures[0] / "manifest.json")
    assert manifest["task"] == "pose"
    assert manifest["kpt_shape"] == [17, 3]
    names, flip = manifest["keypoint_names"], manifest["flip_idx"]
    for name, partner in zip(names, (names[index] for index in flip), strict=True):
        swapped = {"left": "right", "right": "left"}
        side, _, part = name.partition("_")
        assert partner == (f"{swapped[side]}_{part}" if part else name)
    assert "camera" not in {work["name"] for work in manifest["credits"]}  # it shows somebody


@pytest.mark.parametrize("split", ["train", "val"])
def test_labels_fit(figures: tuple[Path, str], split: str) -> None:
    rows = people(figures[0], split)
    assert len(rows) > SMALL[f"{split}_images"]  # on average more than one
    seen = {0: 0, 1: 0, 2: 0}
    for row in rows:
        assert len(row) == 5 + 17 * 3
        cx, cy, w, h = row[1:5]
        assert row[0] == 0
        assert w > 0
        assert h > 0
        for x, y, visibility in zip(row[5::3], row[6::3], row[7::3], strict=True):
            seen[int(visibility)] += 1
            if visibility == 0:
                assert (x, y) == (0, 0)
            else:
                assert 0 <= x <= 1
                assert 0 <= y <= 1
            if visibility == 2:  # what is seen of somebody lies in the box, within 2 of 96 pixels
                assert abs(x - cx) <= w / 2 + 2 / 96
                assert abs(y - cy) <= h / 2 + 2 / 96
    assert all(count > 0.02 * sum(seen.values()) for count in seen.values()), seen
    assert seen[2] > 0.5 * sum(seen.values())


def test_who_faces_the_camera_has_the_left_shoulder_on_the_right(
    figures: tuple[Path, str],
) -> None:
    """Faces in sight go with the order of shoulders, hidden ones with the opposite order."""
    front = back = 0
    for row in people(figures[0], "train"):
        points = [row[5 + 3 * i : 8 + 3 * i] for i in range(17)]
        eyes, shoulders = points[1:3], points[5:7]
        if min(p[2] for p in shoulders) == 0 or abs(shoulders[0][0] - shoulders[1][0]) < 0.08:
            continue
        left_is_right = shoulders[0][0] > shoulders[1][0]
        if all(p[2] == 2 for p in eyes):
            front += left_is_right
            assert left_is_right
        elif not left_is_right:
            back += 1
    assert front > 10
    assert back > 5
