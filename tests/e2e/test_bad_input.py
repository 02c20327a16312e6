"""What a new user gets wrong, typed as he would type it: one clear message, nothing lost."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest

from e2e.checkout import Checkout, Delivered, asked, own_data, picture
from stages.schema.target import Accelerator
from vision.train_arguments import ARGUMENTS, SHARED

COMMAND_LINES = {
    "modle=yolov8n": ("'modle'", "did you mean 'model'?"),
    "model=yolo8n": ("'yolo8n'", "did you mean 'yolov8n'?"),
    "train=nonee": ("'nonee'", "did you mean 'none'?"),
    "dataset=coco9": ("'coco9'", "did you mean 'coco8'?"),
    "model.imgz=192": ("model.imgz", "did you mean 'model.imgsz'?"),
    "imgsz=320": ("'imgsz'", "'model.imgsz'"),
    "epochs=5": ("'epochs'", "did you mean 'train.epochs'?"),
    "dataset.path=my.yaml": ("dataset.path", "it belongs to dataset=custom"),
    "train=none train.epochs=5": ("train.epochs", "it belongs to train=default"),
    "cuont=5": ("'cuont'", "did you mean"),
    "quant.calibration.cuont=5": ("cuont", "did you mean 'quant.calibration.count'?"),
    "+model.color=red": ("model.color",),
    "~train.epochs": ("train.epochs is missing",),
    "model.imgsz=200": ("model.imgsz", "multiple of 32", "200"),
    "model.imgsz=0": ("model.imgsz", "32", "0"),
    "model.imgsz=big": ("model.imgsz", "int", "'big'"),
    "train.imgsz=100": ("train.imgsz", "multiple of 32", "100"),
    "train.epochs=many": ("train.epochs", "int", "'many'"),
    "train.epochs=0": ("train.epochs", "1", "0"),
    "train.epochs=1.5": ("train.epochs", "int", "1.5"),
    "train.epochs=": ("train.epochs",),
    "train.device=[0,1]": ("train.device", "[0, 1]"),
    "train.device=gpu": ("train.device", "'gpu'"),
    "model.architecture=nets/own.yaml": ("model.architecture", "'nets/own.yaml'"),
    "target.vela.accelerator=u55": ("target.vela.accelerator", "'u55'"),
    "target.contract.operators=[]": ("target.contract.operators", "[]"),
    "target.deliver.xmodem=send": ("target.deliver.xmodem", "write {model}"),
    "train.epochs=1,2": ("train.epochs=1,2", "several values"),
    "quant.weights=int4": ("quant.weights", "'int4'"),
    "quant.calibration.count=-1": ("quant.calibration.count", "-1"),
    "dataset.smallest=0.5": ("dataset.smallest=0.5", "dataset.largest"),
    "+train.args.epochs=5": ("train.args.epochs", "use train.epochs"),
    "+train.args.time=1": ("train.args.time", "remove it"),
    "+train.args.lr00=0.1": ("train.args.lr00", "did you mean 'lr0'?"),
    "toolchain.locks.images=image": ("'image'", "lock"),
    "~toolchain.locks.torch": ("toolchain.locks.torch is missing",),
    "+toolchain.locks.torhc=foo": ("no key toolchain.locks.torhc", "did you mean 'torch'?"),
    "target.name=../store": ("target.name", "'../store'"),
    "target.name=store": ("target.name=store", "another name"),
    "model.weights=absent.pt": ("model.weights=absent.pt", "does not exist", "yolov8n.pt"),
    "model.weights=.": ("model.weights=.", "is a folder"),
    "train=none": ("model.weights=null", "nothing to export"),
    "dataset=custom": ("dataset.path", "dataset=custom dataset.path=my.yaml"),
    "dataset=custom dataset.path=absent.yaml": ("dataset.path=absent.yaml", "does not exist"),
    "dataset=custom dataset.path=conf": ("dataset.path=conf", "give its data.yaml"),
    "quant.calibration.source=absent.txt": ("quant.calibration.source", "absent.txt", "no such"),
    "quant.calibration.source=trian": ("quant.calibration.source", "trian", "give train, val"),
    "quant.calibration.source=conf": ("quant.calibration.source", "conf", "no image"),
    "quant.calibration.source=conf/config.yaml": ("conf/config.yaml", "give dataset=custom"),
    "quant.calibration.source=null": ("quant.calibration.source is not set", "train, val, a list"),
    "quant.calibration.order=last": ("quant.calibration.order", "'last'", "random"),
    "quant.calibration.count=0": ("quant.calibration.count", "0"),
    "quant.calibration.seed=???": ("quant.calibration.seed=???", "stands for a value"),
    "quant=xslim": ("quant.kind=xslim", "take quant=int8_per_tensor"),
    "target=spacemit_k1 quant.calibration.count=9": ("count=9", "xslim takes 10 to 1000 images"),
    "target=spacemit_k1 quant=int8_per_channel": ("quant.kind=tflite", "take quant=xslim"),
    "target=spacemit_k1 quant=xquant": ("toolchain.xquant.wheel", "take quant=xslim"),
    "target.output=row": ("target.output=row", "did you mean 'raw'?"),
    "model=yolov8n_pose dataset=digits": ("model.task=pose", "labelled for detect"),
    "dataset=coco8_pose": ("model.task=detect", "labelled for pose"),
    "dataset=none model.weights=yolov8n.pt": ("quant.calibration.source=train", "no splits"),
    "dataset=none train=default": ("dataset=none", "nothing to train on"),
    "experiment=seeed_pose": ("'seeed_pose'", "did you mean 'seeed_yolov8n_pose'?"),
    "tran": ("'tran'", "did you mean 'train'?"),
    "why": ("needs a step", "calibration"),
    "why calibratoin": ("calibratoin", "did you mean 'calibration'?"),
}
"""Arguments of doit, after target=grove_v2 -> words of the answer."""


def refused(project: Checkout, *arguments: str, codes: tuple[int, ...] = (2, 3)) -> str:
    """What a command said that must fail in words and leave everything as it is."""
    before, began = project.kept(), project.executions()
    said = project.doit(*arguments)
    assert said.code in codes, said.text
    assert "Traceback" not in said.text
    assert not [line for line in said.text.splitlines() if line.startswith('  File "')]
    assert project.kept() == before
    assert project.executions() == began
    return said.text


@pytest.fixture
def project(workshop: Checkout) -> Checkout:
    return workshop.only_target()


@pytest.mark.parametrize("line", COMMAND_LINES)
def test_a_command_line(project: Checkout, line: str) -> None:
    text = refused(project, *line.split())
    for word in COMMAND_LINES[line]:
        assert word in text
    assert len(text.splitlines()) <= 4, text


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", ("no target was chosen", "target=grove_v2")),
        ("target=grove_v3", ("'grove_v3'", "did you mean 'grove_v2'?")),
        ("taget=grove_v2", ("'taget'", "did you mean 'target'?")),
        ("plan target=grove_v3", ("did you mean 'grove_v2'?",)),
        ("experiment=spacemit_yolov8n", ("Say quant.calibration.source=calib_list.txt",)),
    ],
)
def test_the_target(project: Checkout, line: str, words: tuple[str, ...]) -> None:
    text = refused(Checkout(project.root, ()), *line.split())
    for word in words:
        assert word in text


# --- files of the user's ------------------------------------------------------------------


def _listing(folder: Path, text: str) -> str:
    folder.mkdir(exist_ok=True)
    (folder / "liste.txt").write_text(text)
    return f'quant.calibration.source="{folder / "liste.txt"}"'


def test_a_list_that_is_empty(project: Checkout, tmp_path: Path) -> None:
    text = refused(project, _listing(tmp_path, "\n# nothing here\n"))
    assert "liste.txt" in text
    assert "the list is empty" in text


def test_a_list_that_names_missing_images(project: Checkout, tmp_path: Path) -> None:
    picture(tmp_path / "da.png", 64)
    text = refused(project, _listing(tmp_path, "da.png\n\nweg.png\n/nirgends/weg.png\n"))
    assert "liste.txt, line 3: no such image: weg.png" in text
    assert "liste.txt, line 4: no such image: /nirgends/weg.png" in text


def test_a_picture_for_a_list(project: Checkout, tmp_path: Path) -> None:
    picture(tmp_path / "bild.png", 64)
    text = refused(project, f"quant.calibration.source={tmp_path / 'bild.png'}")
    assert "is an image; give a list file or a folder" in text


def test_a_list_that_names_a_corrupt_image(workshop: Checkout, tmp_path: Path) -> None:
    picture(tmp_path / "da.png", 64)
    (tmp_path / "kaputt.png").write_bytes((tmp_path / "da.png").read_bytes()[:90])
    (tmp_path / "kein Bild.jpg").write_text("text")
    listing = _listing(tmp_path, "da.png\nkaputt.png\nkein Bild.jpg\n")
    text = refused(workshop, listing, codes=(1,))
    assert "2 of 3 calibration images cannot be used" in text
    assert "kaputt.png: " in text
    assert "kein Bild.jpg: not a picture" in text
    assert workshop.build() == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("names: [a\n", ("no valid YAML",)),
        ("just words\n", ("must hold keys",)),
        ("train: images/train\nval: images/val\n", ("has no names",)),
        ("train: images/train\nnames: [a, b]\n", ("val is missing",)),
        ("train: bilder\nval: images/val\nnames: [a, b]\n", ("train: bilder does not exist",)),
        ("train: images/train\nval: images/val\nnames: [a, b]\nnc: 3\n", ("nc is 3", "2 names")),
    ],
)
def test_a_wrong_data_yaml(
    project: Checkout, tmp_path: Path, text: str, words: tuple[str, ...]
) -> None:
    file = own_data(tmp_path, 4, 64)
    file.write_text(text)
    told = refused(project, "dataset=custom", f"dataset.path={file}")
    assert str(file) in told
    for word in words:
        assert word in told


@pytest.mark.parametrize("first", ["train", "head"])
def test_faults_in_labels_are_listed_with_their_lines(
    project: Checkout, tmp_path: Path, first: str
) -> None:
    file = own_data(tmp_path, 12, 64)
    labels = sorted((tmp_path / "labels/train").iterdir())
    for label in labels:
        label.write_text("5 0.5 0.5 0.2 0.2\n0 0.5 0.5 0.2 0.2\n1 0.5 1.5 0.2 0.2\n")
    labels[0].write_text("0 0.5 0.5 0.2\n")
    labels[1].write_text("eins 0.5 0.5 0.2 0.2\n")
    images = sorted((tmp_path / "images/val").iterdir())
    images[0].write_bytes(images[0].read_bytes()[:80])
    images[1].unlink()
    text = refused(project, "dataset=custom", f"dataset.path={file}", first, codes=(1,))
    assert "dataset: 24 faults in its files; the first 20:" in text
    assert f"labels/train/{labels[0].name}:1: has 4 columns" in text
    assert f"labels/train/{labels[1].name}:1: is not made of numbers: eins" in text
    assert f"labels/train/{labels[2].name}:1: class 5, but there are 2 classes (0..1)" in text
    assert f"labels/train/{labels[2].name}:3: cy 1.5 is outside 0..1" in text
    assert f"images/val/{images[0].name}: " in text
    assert len([line for line in text.splitlines() if line.startswith("  labels/")]) <= 20


def _no_val_images(folder: Path) -> None:
    shutil.rmtree(folder / "images/val")
    (folder / "images/val").mkdir()


def _no_labels(folder: Path) -> None:
    shutil.rmtree(folder / "labels")


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (_no_val_images, "split val holds no image"),
        (_no_labels, "split train has no label at all"),
    ],
)
def test_an_empty_split(
    project: Checkout, tmp_path: Path, harm: Callable[[Path], None], words: str
) -> None:
    file = own_data(tmp_path, 4, 64)
    harm(tmp_path)
    text = refused(project, "dataset=custom", f"dataset.path={file}", codes=(1,))
    assert words in text


def test_weights_that_are_a_text(project: Checkout, tmp_path: Path) -> None:
    weights = tmp_path / "meine Gewichte.pt"
    weights.write_text("these are no weights")
    text = refused(project, "train=none", f'model.weights="{weights}"', "export")
    assert f"model.weights={weights}: not a PyTorch checkpoint (20 bytes" in text
    assert "Give an ultralytics checkpoint of yolov8n.yaml" in text


@pytest.mark.parametrize("train", ["none", "default"])
def test_weights_that_are_an_archive_of_something_else(
    workshop: Checkout, tmp_path: Path, train: str
) -> None:
    weights = tmp_path / "meine Gewichte.pt"
    with zipfile.ZipFile(weights, "w") as archive:
        archive.writestr("something.txt", "else")
    project = workshop if train == "default" else workshop.only_target()
    arguments = [f"train={train}", f'model.weights="{weights}"', "export"]
    text = refused(project, *arguments, codes=(1,))
    assert f"FAILED {'train' if train == 'default' else 'export'}: model.weights: not a" in text
    assert "Give an ultralytics checkpoint of yolov8n.yaml" in text
    assert "its log: doit log" in text


def test_the_known_train_arguments_are_those_of_ultralytics(chain: Delivered) -> None:
    assert set(asked(chain, "train", "train_arguments.py")) == ARGUMENTS - SHARED


def test_the_accelerators_are_those_of_vela(chain: Delivered) -> None:
    assert asked(chain, "compile", "accelerators.py") == sorted(get_args(Accelerator))


def test_a_gpu_that_is_not_there(workshop: Checkout) -> None:
    text = refused(workshop, "train.seed=99", "train.device=99", "train", codes=(1,))
    assert "FAILED train: train.device=99: torch can use " in text
