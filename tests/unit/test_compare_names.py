"""What `doit compare` is asked for: names, lists of targets, places, and the refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from compare_files import deliverable

from edgemake.errors import UserError
from stages.compare import of_folder
from stages.comparisons import MADE_BY, Wanted, each_target, found, wanted

NAME = "yolov8n-192-digits-int8_per_tensor"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with three deliverables."""
    (tmp_path / "conf/target").mkdir(parents=True)
    for board in ("grove_v2", "xiao_esp32s3"):
        (tmp_path / f"conf/target/{board}.yaml").touch()
    for name in (f"grove_v2/{NAME}-a5b852f6", f"grove_v2/{NAME}-d0f21a95",
                 f"xiao_esp32s3/{NAME}-9e939f68"):  # fmt: skip
        deliverable(tmp_path / "artifacts", name)
    return tmp_path


def ask(root: Path, *words: str) -> Wanted:
    """As the command does, with a page that goes nowhere in particular."""
    overrides = [word for word in words if "=" in word]
    if not any(word.startswith("out=") for word in overrides):
        overrides.append(f"out={root / 'pages'}")
    return wanted(root, [word for word in words if "=" not in word], overrides)


@pytest.mark.parametrize(
    "word",
    [
        f"grove_v2/{NAME}-a5b852f6",
        f"grove_v2/{NAME}-a5b852f6/",
        f"artifacts/grove_v2/{NAME}-a5b852f6",
        f"grove_v2/{NAME}-a5",
        f"{NAME}-a5b",
        "a5b852f6",
        "{root}/artifacts/grove_v2/" + f"{NAME}-a5b852f6",
    ],
)
def test_ways_to_say_which(root: Path, word: str) -> None:
    name, folder = found(root / "artifacts", word.format(root=root))
    assert name == f"grove_v2/{NAME}-a5b852f6"
    assert folder == root / "artifacts" / name


def test_a_folder_anywhere(root: Path) -> None:
    elsewhere = deliverable(root / "sent by a friend", "board/model")
    assert found(root / "artifacts", str(elsewhere)) == ("board/model", elsewhere)


def test_a_refused_model_is_named_in_full(root: Path) -> None:
    refused = f"grove_v2/{NAME}-a5b852f6.rejected"
    deliverable(root / "artifacts", refused)
    assert found(root / "artifacts", refused)[0] == refused
    assert found(root / "artifacts", f"grove_v2/{NAME}-a5b852f6")[0] == refused[: -len(".rejected")]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "two models or more"),
        (("a5b852f6",), "two models or more"),
        (("target=grove_v2",), "two models or more"),
        (("a5b852f6", "grove_v2/" + NAME + "-a5"), "a5b852f6 is given twice"),
        (("a5b852f6", "nonsense"), "there is no deliverable 'nonsense'"),
        (("a5b852f6", "grove_v3/" + NAME + "-d0f21a95"), f"mean 'grove_v2/{NAME}-d0f21a95'"),
        (("a5b852f6", NAME), "is the beginning of 3 deliverables: grove_v2/"),
        (("a5b852f6", "{root}/artifacts/grove_v2/" + NAME + "-d0f21a95/model.json"), "is a file"),
        (("a5b852f6", "d0f21a95", "quant.calibration.count=64"), "compared as they are"),
        (("target=grove_v2,grove_v2",), "grove_v2 is in it twice"),
        (("target=grove_v2,",), "a target is empty"),
        (("target=a,b", "target=c"), "given twice"),
        (("a5b852f6", "d0f21a95", "out=a", "out=b"), "out= is given 2 times"),
        (("a5b852f6", "d0f21a95", "out={root}/conf/target/grove_v2.yaml"), "is a file"),
        (("target=" + ",".join(map(str, range(27))),), "at most 26 models, found 27"),
    ],
)  # fmt: skip
def test_refused(root: Path, words: tuple[str, ...], said: str) -> None:
    with pytest.raises(UserError) as refused:
        ask(root, *(word.format(root=root) for word in words))
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
    assert not (root / "pages").exists()


def test_nothing_was_delivered_yet(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such folder; none are there"):
        found(tmp_path, "grove_v2/x")


def test_a_list_of_targets_is_a_config_each() -> None:
    line = ["model=yolov8n_pose", "target=grove_v2,xiao_esp32s3", "~track.mlflow"]
    assert list(each_target(line)) == [
        ("model=yolov8n_pose", "target=grove_v2", "~track.mlflow"),
        ("model=yolov8n_pose", "target=xiao_esp32s3", "~track.mlflow"),
    ]
    assert list(each_target(line[:1])) == []


def test_folders_and_targets_together(root: Path) -> None:
    asked = ask(root, "a5b852f6", "target=xiao_esp32s3", "quant.calibration.count=9")
    assert [name for name, _ in asked.folders] == [f"grove_v2/{NAME}-a5b852f6"]
    assert asked.targets == (("target=xiao_esp32s3", "quant.calibration.count=9"),)
    assert asked.page == root / "pages/compare.html"


def test_folders_alone_need_tools_of_no_target(root: Path) -> None:
    asked = ask(root, "a5b852f6", "d0f21a95", "toolchain.dir=/elsewhere")
    assert asked.targets == ()
    assert asked.tools == ("toolchain.dir=/elsewhere", "target=grove_v2")


@pytest.mark.parametrize("theirs", ["", "<html>", "made by doit compare", 'name="doit compare"'])
def test_a_page_of_someone_else_stays(root: Path, theirs: str) -> None:
    page = root / "pages/compare.html"
    page.parent.mkdir()
    page.write_text(theirs)
    with pytest.raises(UserError, match="was not made by doit compare"):
        ask(root, "a5b852f6", "d0f21a95")
    page.write_bytes(b"<!doctype html>\n<meta " + MADE_BY + b">")
    assert ask(root, "a5b852f6", "d0f21a95").page == page


def test_a_folder_that_is_no_deliverable(root: Path) -> None:
    with pytest.raises(UserError, match=r"is no deliverable: it has no model\.json"):
        of_folder("conf/target", root / "conf/target")


@pytest.mark.parametrize("name", ["model.json", "metrics.json", "provenance.json"])
@pytest.mark.parametrize("damage", ["", "{", "[1]", "\xff", '{"a": NaN'])
def test_a_damaged_file_is_named(root: Path, name: str, damage: str) -> None:
    folder = root / f"artifacts/grove_v2/{NAME}-a5b852f6"
    (folder / name).write_bytes(damage.encode("latin-1"))
    with pytest.raises(UserError) as refused:
        of_folder("x", folder)
    assert f"{folder / name} is damaged" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("name", "key"), [("model.json", "target"), ("metrics.json", "board")])
def test_a_file_that_lacks_a_field_is_named(root: Path, name: str, key: str) -> None:
    folder = root / f"artifacts/grove_v2/{NAME}-a5b852f6"
    told: dict[str, Any] = json.loads((folder / name).read_text())
    del told[key]
    (folder / name).write_text(json.dumps(told))
    with pytest.raises(UserError, match="is not what `doit` wrote") as refused:
        of_folder("x", folder)
    assert str(folder / name) in str(refused.value)
    assert key in str(refused.value)


def test_neither_metrics_nor_provenance_are_needed(root: Path) -> None:
    folder = root / f"artifacts/grove_v2/{NAME}-a5b852f6"
    assert of_folder("x", folder).config is not None
    for name in ("metrics.json", "provenance.json"):
        (folder / name).unlink()
    side = of_folder("x", folder)
    assert (side.metrics, side.config) == (None, None)
