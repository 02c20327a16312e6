import json
from pathlib import Path

import pytest
from stage_configs import config

from edgemake.errors import UserError
from edgemake.step import Step, UserFiles
from edgemake.work import Work
from stages import calibration

DATASET = Step("dataset", {}, {}, ("manifest.json", "data"))


def source(value: object, *more: str) -> Step:
    chosen = config(f"quant.calibration.source='{value}'", *more)
    return calibration.plan(chosen, DATASET)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "mine ü"
    folder.mkdir()
    for i in range(10):
        (folder / f"p {i}.jpg").write_bytes(b"x")
    return folder


def test_a_split_is_chosen_in_the_stage() -> None:
    step = source("val", "quant.calibration.seed=3")
    assert (step.params.split, step.params.seed, step.params.names) == ("val", 3, [])
    assert set(step.inputs) == {"manifest.json", "data"}
    assert calibration.Params(**json.loads(json.dumps(step.plain_params()))) == step.params


def test_only_chosen_files_of_the_users_are_inputs(pictures: Path) -> None:
    step = source(pictures, "quant.calibration.count=4")
    edge = step.inputs["images"]
    assert isinstance(edge, UserFiles)
    assert [path.name for path in edge.paths] == step.params.names
    assert len(edge.paths) == 4
    assert calibration.plan(
        config(f"quant.calibration.source='{pictures}'", "quant.calibration.count=4"), None
    ).params == (step.params)


def test_params_hold_no_location(pictures: Path) -> None:
    assert str(pictures) not in json.dumps(source(pictures).plain_params(), ensure_ascii=False)


def test_the_choice_does_not_depend_on_the_place(pictures: Path, tmp_path: Path) -> None:
    first = source(pictures, "quant.calibration.count=4").params
    moved = pictures.rename(tmp_path / "elsewhere")
    assert source(moved, "quant.calibration.count=4").params == first


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "quant.calibration.source: .*list.txt: the list is empty"),
        (
            "p 1.jpg\nnone.jpg\n",
            "quant.calibration.source: .*list.txt, line 2: no such image: none",
        ),
    ],
)
def test_a_faulty_list_is_refused_while_planning(
    pictures: Path, content: str, message: str
) -> None:
    path = pictures / "list.txt"
    path.write_text(content)
    with pytest.raises(UserError, match=message):
        source(path)


def test_a_split_needs_a_data_set() -> None:
    with pytest.raises(UserError, match=r"quant\.calibration\.source=train: there is no data set"):
        calibration.plan(config(), None)


def test_the_choice_in_a_split_goes_by_name(tmp_path: Path) -> None:
    entries = [{"image": f"images/val/{i}.jpg"} for i in range(9, -1, -1)]
    (tmp_path / "manifest.json").write_text(json.dumps({"splits": {"val": entries}}))
    inputs = {"manifest.json": tmp_path / "manifest.json", "data": tmp_path / "data"}
    params = calibration.Params("val", 3, 0, 192, "stretch", [])
    work = Work(inputs, tmp_path, tmp_path, 1)
    chosen = [image.name for image in calibration._split(params, work)]
    assert len(chosen) == 3
    assert chosen == sorted(chosen)


def test_fewer_images_than_wanted_are_a_warning(tmp_path: Path) -> None:
    image = tmp_path / "größe.jpg"
    image.write_bytes(b"x")
    params = calibration.Params(None, 64, None, 192, "stretch", ["größe.jpg"])
    report = tmp_path / "calibration.json"
    calibration._report(params, [calibration._Image("größe.jpg", image)], report)
    found = json.loads(report.read_text(encoding="utf-8"))
    assert found["warnings"] == ["quant.calibration.count=64, but only 1 found: all were used"]
    assert [entry["name"] for entry in found["images"]] == ["größe.jpg"]
    assert str(tmp_path) not in report.read_text(encoding="utf-8")
