"""Which data.yaml files are understood, and what is said about the others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from vision.data_yaml import Keypoints, LayoutError, read_data_yaml


def write(folder: Path, **keys: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "my data ä.yaml"
    file.write_text(json.dumps(keys))  # JSON is YAML
    return file


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "Zähler Ø"
    for kind in ("images", "labels"):
        for split in ("train", "val"):
            (folder / kind / split).mkdir(parents=True)
    return folder


SPLITS = {"train": "images/train", "val": "images/val"}


def test_without_path_the_folder_of_the_yaml_counts(root: Path) -> None:
    layout = read_data_yaml(write(root, **SPLITS, names=["a", "b"]))
    assert layout.root == root
    assert layout.names == ["a", "b"]
    assert layout.splits == {"train": ["images/train"], "val": ["images/val"]}


def test_relative_path_counts_from_the_yaml_not_from_the_current_folder(root: Path) -> None:
    layout = read_data_yaml(write(root.parent / "conf", path=f"../{root.name}", **SPLITS, nc=2))
    assert layout.root == root
    assert layout.names == ["class_0", "class_1"]


def test_names_by_number_in_any_order(root: Path) -> None:
    layout = read_data_yaml(write(root, **SPLITS, names={"1": "b", "0": "a"}))
    assert layout.names == ["a", "b"]


def test_lists_and_several_folders(root: Path) -> None:
    (root / "val.txt").write_text("images/val/a.jpg\n")
    keys: dict[str, Any] = {"train": ["images/train", "images/val"], "val": "val.txt"}
    layout = read_data_yaml(write(root, **keys, nc=1))
    assert layout.splits == {"train": ["images/train", "images/val"], "val": ["val.txt"]}


def test_labels_decide_the_root_too(tmp_path: Path) -> None:
    for split in ("train", "valid"):
        (tmp_path / "set" / split / "images").mkdir(parents=True)
    file = write(tmp_path / "set", train="../train/images", val="../valid/images", nc=1)
    layout = read_data_yaml(file)
    assert layout.root == tmp_path / "set"
    assert layout.splits["val"] == ["valid/images"]


def test_validation_is_another_word_for_val(root: Path) -> None:
    layout = read_data_yaml(write(root, train="images/train", validation="images/val", nc=1))
    assert layout.splits["val"] == ["images/val"]


@pytest.mark.parametrize(
    ("keys", "keypoints"),
    [
        ({}, None),
        ({"kpt_shape": [17, 3]}, Keypoints((17, 3))),
        ({"kpt_shape": [4, 2], "flip_idx": [1, 0, 3, 2]}, Keypoints((4, 2), (1, 0, 3, 2))),
        ({"kpt_shape": [1, 3], "kpt_names": ["tip"]}, Keypoints((1, 3), (), ("tip",))),
        ({"kpt_shape": [1, 3], "kpt_names": {"0": ["tip"]}}, Keypoints((1, 3), (), ("tip",))),
    ],
)
def test_keypoints(root: Path, keys: dict[str, Any], keypoints: Keypoints | None) -> None:
    assert read_data_yaml(write(root, **SPLITS, nc=1, **keys)).keypoints == keypoints


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"kpt_shape": 17}, r"kpt_shape: 17 must be \[keypoints, 3\]"),
        ({"kpt_shape": [17]}, r"kpt_shape: \[17\] must be"),
        ({"kpt_shape": [17, 4]}, r"kpt_shape: \[17, 4\] must be"),
        ({"kpt_shape": [0, 3]}, r"kpt_shape: \[0, 3\] must be"),
        ({"kpt_shape": [17, "3"]}, "must be"),
        ({"flip_idx": [0, 2, 1]}, r"flip_idx but no kpt_shape; add for instance kpt_shape: \[3, 3"),
        ({"kpt_shape": [3, 3], "flip_idx": [0, 1]}, r"0\.\.2 once.*found 2 values"),
        ({"kpt_shape": [3, 3], "flip_idx": [1, 2, 3]}, r"0\.\.2 once.*found 3 values"),
        ({"kpt_shape": [3, 3], "flip_idx": [0, 1, 1]}, r"0\.\.2 once"),
        ({"kpt_shape": [3, 3], "kpt_names": {"0": ["a"]}}, "kpt_names has 1 names, .* 3 keypoints"),
    ],
)
def test_keypoints_that_do_not_add_up(root: Path, keys: dict[str, Any], words: str) -> None:
    with pytest.raises(LayoutError, match=words):
        read_data_yaml(write(root, **SPLITS, nc=1, **keys))


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"val": "images/val", "nc": 1}, "train is missing"),
        ({"train": "images/train", "nc": 1}, "val is missing"),
        ({"train": 3, "val": "images/val", "nc": 1}, "train is 3"),
        (SPLITS, "has no names"),
        ({**SPLITS, "names": []}, "names must be"),
        ({**SPLITS, "names": {"0": "a", "7": "b"}}, "numbered 0..1"),
        ({**SPLITS, "names": ["a"], "nc": 2}, "nc is 2, but there are 1 names"),
        ({**SPLITS, "nc": "ten"}, "nc: 'ten'"),
        ({**SPLITS, "train": "images/trian", "nc": 1}, "images/trian does not exist"),
        ({**SPLITS, "path": "elsewhere", "nc": 1}, "correct train or path"),
    ],
)
def test_unusable_keys_are_named(root: Path, keys: dict[str, Any], words: str) -> None:
    with pytest.raises(LayoutError, match=words):
        read_data_yaml(write(root, **keys))


@pytest.mark.parametrize("text", ["train: [", "just words", "- a list", "\tx: 1", ""])
def test_no_yaml_or_no_mapping(tmp_path: Path, text: str) -> None:
    file = tmp_path / "data.yaml"
    file.write_text(text)
    with pytest.raises(LayoutError, match=r"data\.yaml"):
        read_data_yaml(file)
