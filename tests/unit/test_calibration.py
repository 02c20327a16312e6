"""Which images calibrate: chosen while planning or in the stage, by name or the first."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from stage_configs import config

from edgemake.errors import UserError
from edgemake.step import Step, UserFiles
from edgemake.work import StageError, Work
from stages import calibration
from vision.image_checks import Seen
from vision.xslim_config import FEWEST

DATASET = Step("dataset", {}, {}, ("manifest.json", "data"))


def source(value: object, *more: str) -> Step:
    chosen = config(f"quant.calibration.source='{value}'", *more)
    return calibration.plan(chosen, DATASET)


def params(names: list[str], **changed: object) -> calibration.Params:
    values = {
        "split": None, "count": len(names), "seed": None, "least": 1, "imgsz": 192,
        "preprocess": "stretch", "names": names, "repeated": [],
    }  # fmt: skip
    return calibration.Params(**{**values, **changed})  # type: ignore[arg-type]


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


def test_the_first_need_no_seed() -> None:
    step = source("val", "quant.calibration.order=first", "quant.calibration.seed=3")
    assert step.params.seed is None
    assert step.label == "the first 128 of val"


def test_only_chosen_files_of_the_users_are_inputs(pictures: Path) -> None:
    step = source(pictures, "quant.calibration.count=4")
    edge = step.inputs["images"]
    assert isinstance(edge, UserFiles)
    assert [path.name for path in edge.paths] == step.params.names
    assert len(edge.paths) == 4
    assert calibration.plan(
        config(f"quant.calibration.source='{pictures}'", "quant.calibration.count=4"), None
    ).params == (step.params)


def listing(pictures: Path, *numbers: int) -> Path:
    path = pictures / "list.txt"
    path.write_text("".join(f"p {number}.jpg\n" for number in numbers))
    return path


def test_the_first_of_a_list_are_those_written_first(pictures: Path) -> None:
    path = listing(pictures, 7, 3, 5, 1)
    step = source(path, "quant.calibration.order=first", "quant.calibration.count=2")
    assert step.params.names == ["p 7.jpg", "p 3.jpg"]
    edge = step.inputs["images"]
    assert isinstance(edge, UserFiles)
    assert [file.name for file in edge.paths] == ["p 7.jpg", "p 3.jpg"]
    folder = source(pictures, "quant.calibration.order=first", "quant.calibration.count=2")
    assert folder.params.names == ["p 0.jpg", "p 1.jpg"]


def test_the_order_of_a_list_does_not_matter_to_a_draw(pictures: Path) -> None:
    drawn = source(listing(pictures, 7, 3, 5, 1), "quant.calibration.count=2").params
    assert source(listing(pictures, 1, 3, 5, 7), "quant.calibration.count=2").params == drawn
    assert drawn.names == sorted(drawn.names)


def test_params_hold_no_location(pictures: Path) -> None:
    assert str(pictures) not in json.dumps(source(pictures).plain_params(), ensure_ascii=False)


@pytest.mark.parametrize("absolute", [True, False])
def test_the_choice_does_not_depend_on_the_place(
    pictures: Path, tmp_path: Path, absolute: bool
) -> None:
    def planned(folder: Path) -> calibration.Params:
        path = folder / "list.txt"
        prefix = f"{folder}/" if absolute else ""
        path.write_text("".join(f"{prefix}p {i}.jpg\n" for i in (4, 4, 8, 2, 6)))
        found: calibration.Params = source(path, "quant.calibration.count=3").params
        return found

    first = planned(pictures)
    assert first.repeated == ["p 4.jpg"]
    assert planned(pictures.rename(tmp_path / "elsewhere")) == first


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


def test_the_least_is_what_the_quantizer_takes() -> None:
    assert source("val").params.least == 1
    spacemit = config("target=spacemit_k1")
    assert calibration.plan(spacemit, DATASET).params.least == FEWEST
    assert set(calibration.LEAST.values()) == {FEWEST}


@pytest.fixture
def work(tmp_path: Path) -> Work:
    entries = [{"image": f"images/val/{i}.jpg"} for i in range(9, -1, -1)]
    (tmp_path / "manifest.json").write_text(json.dumps({"splits": {"val": entries}}))
    inputs = {"manifest.json": tmp_path / "manifest.json", "data": tmp_path / "data"}
    return Work(inputs, tmp_path, tmp_path, 1)


def test_the_choice_in_a_split_goes_by_name(work: Work) -> None:
    drawn = calibration._split(params([], split="val", count=3, seed=0), work)
    chosen = [name for name, _ in drawn]
    assert len(chosen) == 3
    assert chosen == sorted(chosen)
    first = calibration._split(params([], split="val", count=3), work)
    assert [name for name, _ in first] == [f"images/val/{i}.jpg" for i in range(3)]


def test_equal_files_are_used_once_and_reported(tmp_path: Path) -> None:
    named = []
    for name, content in (("a.jpg", b"1"), ("b.jpg", b"2"), ("c.jpg", b"1")):
        (tmp_path / name).write_bytes(content)
        named.append((name, tmp_path / name))
    images, said = calibration._distinct(named)
    assert [image.name for image in images] == ["a.jpg", "b.jpg"]
    assert said == ["equal files under two names, used once: c.jpg = a.jpg"]


def test_copies_do_not_count_as_images(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    for i in range(12):
        (folder / f"{i:06d}.jpg").write_bytes(str(i % 9).encode())
    names = [f"{i}.jpg" for i in range(12)]
    with pytest.raises(StageError, match=r"9 images in what was given, copies left out, and this"):
        calibration.run(
            params(names, least=10), Work({"images": folder}, tmp_path, tmp_path, cores=1)
        )


def test_the_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image = calibration._Image("größe.jpg", tmp_path / "größe.jpg", "0" * 64)
    look = Seen("größe.jpg", 640, 480, 0, 200, grey=False)
    warned = list(calibration._counted(params(["größe.jpg"], count=64), 1))
    warned += calibration._repeated(params([], repeated=["größe.jpg"]))
    calibration._report(params(["größe.jpg"], count=64), [image], [look], warned, tmp_path)
    text = (tmp_path / "calibration.json").read_text(encoding="utf-8")
    found = json.loads(text)
    assert found["warnings"][:2] == [
        "quant.calibration.count=64, but only 1 found: all were used",
        "named more than once, used once: größe.jpg",
    ]
    assert found["range"] == [0, 200]
    assert found["images"] == [{"name": "größe.jpg", "sha256": "0" * 64}]
    assert str(tmp_path) not in text
    assert capsys.readouterr().out.splitlines() == [f"warning: {w}" for w in found["warnings"]]
    assert found["warnings"][2].startswith("1 image is too few")


def test_a_name_that_a_list_would_take_for_a_comment() -> None:
    assert calibration._line("#1.jpg") == "./#1.jpg"
    assert calibration._line("a b.jpg") == "a b.jpg"
