"""What calibration images come to, whatever form people have them in."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from e2e.checkout import Checkout, Delivered, asked, picture


def _source(path: Path) -> str:
    return f'quant.calibration.source="{path}"'


def _report(project: Checkout, *arguments: str) -> tuple[dict[str, object], Path]:
    """calibration.json of these arguments, and its folder."""
    said = project.doit(*arguments, "calibration")
    assert said.code == 0, said.text
    told = project.doit("log", "calibration", *arguments)
    [line] = [ln for ln in told.text.splitlines() if ln.endswith("log.txt")]
    folder = Path(line.split(": ", 1)[1]).parent
    found = json.loads((folder / "calibration.json").read_text(encoding="utf-8"))
    for warning in found["warnings"]:
        assert f"warning: {warning}" in told.text
    return found, folder


@pytest.fixture
def bright(tmp_path: Path) -> Path:
    """Twelve different pictures with black and white, in a folder of an awkward name."""
    folder = tmp_path / "Bilder, größer"
    for i in range(12):
        picture(
            folder / f"{i:02d} ä.png", 192, b"\0\0\0" if i % 2 else b"\xff\xf0\xf0", (i, 0, 99, 99)
        )
    return folder


def test_pictures_of_every_form(chain: Delivered, tmp_path: Path) -> None:
    found = asked(chain, "calibration", "picture_modes.py", tmp_path)
    assert found.pop("letterbox") == {"bars": [114], "inner": pytest.approx(120, abs=60)}
    assert all(form["shape"] == [96, 96, 3] for form in found.values())
    off = {name: form["off"] for name, form in found.items()}
    assert off.pop("palette.png") < 6  # 256 colours
    assert max(off.values()) < 3, off


def test_what_deserves_a_look_is_said(workshop: Checkout, tmp_path: Path) -> None:
    folder = tmp_path / "grau"
    for name in ("a", "b"):
        picture(folder / f"{name}.png", 64)
    picture(folder / "c.png", 64, b"\x7b\x7b\x7b", (0, 0, 30, 30))
    found, _ = _report(workshop, _source(folder))
    warnings = found["warnings"]
    assert isinstance(warnings, list)
    for words in (
        "only 3 found",
        "equal files under two names, used once: b.png = a.png",
        "2 images are too few",
        "pictures that show nothing (all values within 4 of 255 levels), remove them: a.png, c.png",
        "less than half as large as the input (192 pixels)",
        "all images are grey",
        "no pixel is darker than 120 or brighter than 123",
    ):
        assert [warning for warning in warnings if words in warning], words
    assert (found["count"], found["range"]) == (2, [120, 123])


def test_the_first_of_a_list_in_its_order(workshop: Checkout, bright: Path) -> None:
    names = sorted((path.name for path in bright.iterdir()), reverse=True)
    (bright / "list.txt").write_text("\r\n".join(f'"{name}"' for name in names), "utf-8-sig")
    first = ("quant.calibration.order=first", "quant.calibration.count=10")
    found, folder = _report(workshop, _source(bright / "list.txt"), *first)
    assert (folder / "calibration.txt").read_text(encoding="utf-8").splitlines() == names[:10]
    assert found["warnings"] == []


def test_the_list_that_was_used_can_be_given_again(workshop: Checkout, bright: Path) -> None:
    some = "quant.calibration.count=5"
    _, folder = _report(workshop, _source(bright), some)
    shutil.copy(folder / "calibration.txt", bright / "used.txt")
    before = workshop.executions()
    again, same = _report(workshop, _source(bright / "used.txt"), some)
    assert again["count"] == 5
    assert same == folder
    assert workshop.executions() == before


def test_torn_pictures_are_named(workshop: Checkout, chain: Delivered, bright: Path) -> None:
    [whole, *_] = sorted((chain.file("dataset", "data") / "images/val").iterdir())
    data = whole.read_bytes()
    (bright / "Kopf.jpg").write_bytes(data[:200])
    (bright / "halb.jpg").write_bytes(data[: len(data) // 2])
    (bright / "ohne Ende.jpg").write_bytes(data[:-2])
    (bright / "Text.jpg").write_text("text")
    picture(bright / "winzig.png", 8)
    before = workshop.kept()
    said = workshop.doit(_source(bright), "quant.calibration.count=100")
    assert said.code == 1, said.text
    assert "5 of 17 calibration images cannot be used" in said.text
    for words in (
        "Kopf.jpg: ", "halb.jpg: image file is truncated", "ohne Ende.jpg: image file is truncated",
        "Text.jpg: not a picture", "winzig.png: only 8 x 8 pixels",
    ):  # fmt: skip
        assert words in said.text
    assert workshop.kept() == before


@pytest.mark.parametrize("count", [0, 1, 9])
def test_few_images_for_a_quantizer_that_wants_ten(
    workshop: Checkout, bright: Path, count: int
) -> None:
    for path in sorted(bright.iterdir())[count:]:
        path.unlink()
    said = workshop.doit("plan", "target=spacemit_k1", _source(bright))
    assert said.code in (2, 3)
    assert "quant.calibration.source" in said.text
    if count:
        assert f"{count} image" in said.text
        assert "takes 10 or more" in said.text


def test_copies_do_not_make_ten(workshop: Checkout, bright: Path) -> None:
    for path in sorted(bright.iterdir())[9:]:
        shutil.copy(bright / "00 ä.png", path)
    said = workshop.doit("target=spacemit_k1", _source(bright), "calibration")
    assert said.code == 1
    assert "9 images in what was given, copies left out, and this quantizer takes 10" in said.text
