"""What a data set's step is made of, and how the user's own is checked and copied."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import vision.dataset_files
from edgemake.errors import UserError
from edgemake.step import UserFile
from edgemake.work import StageError, Work
from stages import dataset


def config(**values: Any) -> Any:
    return SimpleNamespace(dataset=SimpleNamespace(**values), lock=lambda name: f"{name}-lock")


DIGITS = {
    "kind": "digits",
    "name": "digits",
    "train_images": 8,
    "val_images": 4,
    "imgsz": 96,
    "seed": 1,
    "digits": 3,
    "smallest": 0.2,
    "largest": 0.4,
    "contrast": 60,
}


def test_digits_are_generated_offline() -> None:
    step = dataset.plan(config(**DIGITS))
    assert step.toolchain == "images-lock"
    assert not step.network
    assert "name" not in step.params.settings


def test_figures_are_generated_offline() -> None:
    recipe = {key: value for key, value in DIGITS.items() if key not in ("digits", "contrast")}
    values = {**recipe, "kind": "figures", "name": "figures", "people": 2}
    step = dataset.plan(config(**values))
    assert step.toolchain == "images-lock"
    assert not step.network
    assert set(step.params.settings) == set(values) - {"kind", "name"}
    assert dataset.known(config(**values)) == dataset.Known("pose", 1, ("person",), (17, 3))


def test_sizes_the_wrong_way_round() -> None:
    with pytest.raises(UserError, match=r"smallest=0\.2 is above dataset\.largest=0\.1"):
        dataset.plan(config(**{**DIGITS, "largest": 0.1}))


def test_a_download_says_so() -> None:
    step = dataset.plan(config(kind="fetched", name="coco8", yaml="coco8.yaml", task="detect"))
    assert step.network
    assert step.toolchain == "torch-lock"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's data set in a folder with a space; images are taken at their word."""
    monkeypatch.setattr(
        vision.dataset_files, "image_fault", lambda data: None if data else "is empty"
    )
    folder = tmp_path / "meine Zähler"
    for split in ("train", "val"):
        for index in range(3):
            image = folder / "images" / split / f"{index} ß.jpg"
            label = folder / "labels" / split / f"{index} ß.txt"
            for file in (image, label):
                file.parent.mkdir(parents=True, exist_ok=True)
            image.write_bytes(f"{split}{index}".encode())
            label.write_text("1 0.5 0.5 0.2 0.2\n")
    (folder / "data.yaml").write_text("train: images/train\nval: images/val\nnames: [ä, 'b: c']\n")
    return folder


def planned(root: Path) -> dataset.Params:
    step = dataset.plan(config(kind="custom", name="custom", path=str(root / "data.yaml")))
    edge = step.inputs["root"]
    assert isinstance(edge, UserFile)
    assert edge.path == root
    return dataset.Params(**json.loads(json.dumps(step.plain_params())))


def run(root: Path, out: Path) -> dict[str, Any]:
    out.mkdir()
    work = Work({"root": root}, out=out, scratch=out, cores=2)
    dataset.run(planned(root), work)
    manifest: dict[str, Any] = json.loads((out / "manifest.json").read_text())
    return manifest


def test_params_hold_no_place(root: Path) -> None:
    assert str(root) not in json.dumps(planned(root).settings)


def test_custom_is_copied(root: Path, tmp_path: Path) -> None:
    manifest = run(root, tmp_path / "out")
    assert manifest["names"] == ["ä", "b: c"]
    assert [entry["image"] for entry in manifest["splits"]["val"]] == [
        f"images/val/{index} ß.jpg" for index in range(3)
    ]
    for split in ("train", "val"):
        for entry in manifest["splits"][split]:
            copy = tmp_path / "out/data" / entry["image"]
            assert copy.read_bytes() == (root / entry["image"]).read_bytes()
            assert not copy.is_symlink()
            label = tmp_path / "out/data" / entry["label"]
            assert label.read_text() == "1 0.5 0.5 0.2 0.2\n"
    assert '1: "b: c"' in (tmp_path / "out/data/data.yaml").read_text()


def test_background_images_are_welcome(root: Path, tmp_path: Path) -> None:
    (root / "labels/train/0 ß.txt").unlink()
    run(root, tmp_path / "out")
    assert (tmp_path / "out/data/labels/train/0 ß.txt").read_text() == ""


def test_a_comment_in_the_yaml_changes_nothing(root: Path) -> None:
    before = planned(root)
    with (root / "data.yaml").open("a") as stream:
        stream.write("# a remark\nlicense: none\n")
    assert planned(root) == before


def test_all_faults_at_once_with_file_and_line(root: Path, tmp_path: Path) -> None:
    (root / "labels/train/0 ß.txt").write_text("0 0.5 0.5 0.2 0.2\n2 0.5 0.5 0.2 0.2\n")
    (root / "labels/val/1 ß.txt").write_text("0 9 0.5 0.2 0.2\n")
    (root / "images/val/2 ß.jpg").write_bytes(b"")
    with pytest.raises(StageError) as caught:
        run(root, tmp_path / "out")
    lines = str(caught.value).splitlines()
    assert "3 faults" in lines[0]
    assert lines[1].startswith("  images/val/2 ß.jpg: is empty")
    assert lines[2].startswith("  labels/train/0 ß.txt:2: class 2, but there are 2 classes")
    assert lines[3].startswith("  labels/val/1 ß.txt:1: cx 9")


def test_many_faults_are_counted(root: Path, tmp_path: Path) -> None:
    (root / "labels/train/0 ß.txt").write_text("5 0.5 0.5 0.2 0.2\n" * 31)
    with pytest.raises(StageError) as caught:
        run(root, tmp_path / "out")
    assert "31 faults in its files; the first 20" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 21


def test_split_without_images_or_without_labels(root: Path, tmp_path: Path) -> None:
    for file in [*(root / "images/val").iterdir(), *(root / "labels/val").iterdir()]:
        file.unlink()
    for file in (root / "labels/train").iterdir():
        file.unlink()
    with pytest.raises(StageError, match="split val holds no image") as caught:
        run(root, tmp_path / "out")
    assert "split train has no label at all" in str(caught.value)


PERSON = "0 0.5 0.5 0.4 0.8 0.5 0.2 2 0.4 0.9 1 0 0 0\n"
"""A row of kpt_shape [3, 3]."""


@pytest.fixture
def people(root: Path) -> Path:
    """The same data set, labelled with three keypoints of one class."""
    for label in (root / "labels").rglob("*.txt"):
        label.write_text(PERSON)
    keys = "kpt_shape: [3, 3]\nflip_idx: [0, 2, 1]\nkpt_names: {0: [nase, links, rechts]}\n"
    (root / "data.yaml").write_text(
        f"train: images/train\nval: images/val\nnames: [mensch]\n{keys}"
    )
    return root


def test_keypoints_reach_manifest_and_yaml(people: Path, tmp_path: Path) -> None:
    manifest = run(people, tmp_path / "out")
    assert manifest["task"] == "pose"
    assert manifest["kpt_shape"] == [3, 3]
    assert manifest["flip_idx"] == [0, 2, 1]
    assert manifest["keypoint_names"] == ["nase", "links", "rechts"]
    lines = (tmp_path / "out/data/data.yaml").read_text().splitlines()
    assert lines[-2:] == ["kpt_shape: [3, 3]", "flip_idx: [0, 2, 1]"]
    chosen = config(kind="custom", name="custom", path=str(people / "data.yaml"))
    assert dataset.known(chosen) == dataset.Known("pose", 1, ("mensch",), (3, 3))


def test_without_keypoints_nothing_speaks_of_them(root: Path, tmp_path: Path) -> None:
    manifest = run(root, tmp_path / "out")
    assert list(manifest) == ["schema", "task", "names", "splits", "credits"]
    assert manifest["task"] == "detect"
    assert "kpt" not in (tmp_path / "out/data/data.yaml").read_text()


def test_keypoints_without_flip_idx_are_never_mirrored(people: Path, tmp_path: Path) -> None:
    text = (people / "data.yaml").read_text().replace("flip_idx: [0, 2, 1]\n", "")
    (people / "data.yaml").write_text(text)
    assert run(people, tmp_path / "out")["flip_idx"] == []
    assert "flip_idx" not in (tmp_path / "out/data/data.yaml").read_text()


def test_keypoint_faults_have_file_and_line(people: Path, tmp_path: Path) -> None:
    (people / "labels/train/0 ß.txt").write_text(PERSON + "0 0.5 0.5 0.4 0.8\n")
    (people / "labels/val/1 ß.txt").write_text(PERSON.replace("0.4 0.9 1", "0.4 0.9 3"))
    with pytest.raises(StageError) as caught:
        run(people, tmp_path / "out")
    _, first, second = str(caught.value).splitlines()
    assert first.startswith("  labels/train/0 ß.txt:2: has 5 columns, a row with kpt_shape [3, 3]")
    assert second.startswith("  labels/val/1 ß.txt:1: keypoint 2: visibility 3 must be")


@pytest.mark.parametrize(
    ("path", "words"),
    [(None, "dataset.path is not set"), ("gone.yaml", "does not exist"), (".", "is a folder")],
)
def test_unusable_path(path: str | None, words: str) -> None:
    with pytest.raises(UserError, match=words):
        dataset.plan(config(kind="custom", name="custom", path=path))


def test_unusable_yaml_is_named(root: Path) -> None:
    (root / "data.yaml").write_text("train: [")
    with pytest.raises(UserError, match=r"dataset\.path=.*no valid YAML"):
        planned(root)
