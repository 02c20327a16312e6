"""`doit infer` on the main job's model: what it finds, draws and says; and infer.py for boards."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from lab import Said

from e2e.checkout import ROOT, Checkout, Delivered, answer, read
from e2e.conftest import BASE

Found = list[dict[str, Any]]
PICTURES = 6
OLD = ("numpy<2", "opencv-python-headless==4.9.0.80", "onnxruntime==1.18.1")
"""What older K1 images have, as far as a PC can: onnxruntime 1.18."""


@dataclass(frozen=True)
class Looked:
    """What one call of `doit infer` said and left."""

    said: Said
    out: Path

    @property
    def results(self) -> list[dict[str, Any]]:
        """An entry for each picture."""
        found: list[dict[str, Any]] = read(self.out / "result.json")["results"]
        return found

    @property
    def found(self) -> Found:
        """The detections on the only picture."""
        [entry] = self.results
        return list(entry["detections"])


def look(out: Path, *images: Path, base: tuple[str, ...] = BASE) -> Looked:
    """Run `doit infer` on pictures."""
    arguments = [f"image={image}" for image in images]
    return Looked(Checkout(ROOT, base).doit("infer", *arguments, f"out={out}"), out)


@pytest.fixture(scope="module")
def labelled(chain: Delivered) -> list[tuple[Path, list[tuple[str, list[float]]]]]:
    """Pictures of the validation split with (class, box in parts of the picture) of each digit."""
    manifest, data = chain.json("dataset", "manifest.json"), chain.file("dataset", "data")
    pairs = []
    for entry in manifest["splits"]["val"][:PICTURES]:
        digits = []
        for row in (data / entry["label"]).read_text().splitlines():
            kind, x, y, width, height = row.split()
            middle, half = (float(x), float(y)), (float(width) / 2, float(height) / 2)
            corners = [m + sign * h for sign in (-1, 1) for m, h in zip(middle, half, strict=True)]
            digits.append((str(manifest["names"][int(kind)]), corners))
        pairs.append((data / entry["image"], digits))
    return pairs


@pytest.fixture(scope="module")
def looked(labelled: list[tuple[Path, Any]], tmp_path_factory: pytest.TempPathFactory) -> Looked:
    """All these pictures, looked at in one call."""
    one = look(tmp_path_factory.mktemp("looked"), *(path for path, _ in labelled))
    assert one.said.code == 0, one.said.text
    return one


def toolchain() -> dict[str, str]:
    """Of the step that looked: name and lock."""
    records = ROOT.glob("artifacts/store/infer/*/step.json")
    latest = max(records, key=lambda path: path.stat().st_mtime_ns)
    found: dict[str, str] = read(latest)["preimage"]["toolchain"]
    return found


@pytest.fixture(scope="module")
def made(looked: Looked, labelled: list[tuple[Path, Any]], tmp_path_factory: Any) -> Path:
    """A folder of pictures made of them: wide, grey, torn, and a video of the first three."""
    folder: Path = tmp_path_factory.mktemp("made")
    answer(toolchain(), "make_pictures.py", folder, *(path for path, _ in labelled[:3]))
    return folder


def overlap(one: list[float], other: list[float]) -> float:
    """Intersection over union."""
    sides = [min(one[i + 2], other[i + 2]) - max(one[i], other[i]) for i in (0, 1)]
    both = max(0.0, sides[0]) * max(0.0, sides[1])
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return both / (sum(areas) - both)


def again(some: Found, others: Found, least: float) -> int:
    """How many of `some` are among `others`: same class, IoU of at least `least`."""
    return sum(
        any(a["class"] == b["class"] and overlap(a["box"], b["box"]) >= least for b in others)
        for a in some
    )


def test_the_boxes_are_where_the_digits_are(
    chain: Delivered, looked: Looked, labelled: list[tuple[Path, Any]]
) -> None:
    hits = wanted = given = 0
    for entry, (path, digits) in zip(looked.results, labelled, strict=True):
        assert entry["name"] == path.name
        size = [entry["width"], entry["height"]] * 2
        truth = [
            {"class": name, "box": [part * side for part, side in zip(box, size, strict=True)]}
            for name, box in digits
        ]
        for one in entry["detections"]:
            assert all(0 <= value <= side for value, side in zip(one["box"], size, strict=True))
            assert one["score"] >= 0.3
        hits += again(truth, entry["detections"], 0.5)
        wanted, given = wanted + len(truth), given + len(entry["detections"])
    if "train" not in chain.records or chain.json("train", "train.json")["map50"] > 0.5:
        assert hits >= 0.5 * wanted
        assert hits >= 0.6 * given


def test_it_says_what_it_found_and_what_it_ran(looked: Looked) -> None:
    text = looked.said.text
    for entry in looked.results:
        assert f"{entry['name']} ({entry['width']} x {entry['height']}): " in text
        for one in entry["detections"]:
            assert f"{one['class']}  {one['score']:.2f}  box " in text
        drawn = looked.out / entry["file"]
        assert drawn.parent.name == "result"
        assert drawn.read_bytes().startswith(b"\xff\xd8\xff")
    assert "model_int8.tflite, the int8 file that model_vela.tflite was compiled from" in text
    assert "s an image on TensorFlow Lite Micro" in text
    assert f"wrote {looked.out / 'result'} and {looked.out / 'result.json'}" in text


def test_equal_work_is_not_done_again(labelled: list[tuple[Path, Any]], looked: Looked) -> None:
    before = len(Checkout(ROOT, BASE).executions(None))
    one = look(looked.out, *(path for path, _ in labelled))
    assert one.said.code == 0
    assert len(Checkout(ROOT, BASE).executions(None)) == before
    assert one.results == looked.results


def test_a_stretched_picture_has_stretched_boxes(
    looked: Looked, made: Path, tmp_path: Path
) -> None:
    found = look(tmp_path, made / "wide.png").found
    square = [
        one | {"box": [value * (3, 2)[i % 2] for i, value in enumerate(one["box"])]}
        for one in looked.results[0]["detections"]
    ]
    sure = [one for one in square if one["score"] >= 0.5]
    assert again(sure, found, 0.9) == len(sure)
    assert (tmp_path / "result.jpg").exists()


def test_nothing_found_is_an_answer(made: Path, tmp_path: Path) -> None:
    one = look(tmp_path, made / "grey.png")
    assert one.said.code == 0, one.said.text
    assert one.found == []
    assert "grey.png (320 x 240): nothing found" in one.said.text
    assert (tmp_path / "result.jpg").exists()


def test_a_video_frame_by_frame(looked: Looked, made: Path, tmp_path: Path) -> None:
    one = look(tmp_path, made / "clip.avi")
    assert one.said.code == 0, one.said.text
    [entry] = one.results
    assert (len(entry["frames"]), entry["fps"]) == (6, 5.0)
    for i, frame in enumerate(entry["frames"]):
        picture = looked.results[i // 2]["detections"]
        sure = [seen for seen in picture if seen["score"] >= 0.6]
        assert again(sure, frame["detections"], 0.8) == len(sure)
    told = answer(toolchain(), "video_frames.py", tmp_path / "result.mp4")
    size = [side * entry["enlarged"] for side in (entry["width"], entry["height"])]
    assert told == {"frames": 6, "sizes": [size], "fps": 5.0}


def test_a_torn_picture_is_named(looked: Looked, made: Path, tmp_path: Path) -> None:
    one = look(tmp_path, made / "grey.png", made / "torn.jpg")
    assert one.said.code == 1
    assert "FAILED infer: image: 1 of 2 cannot be read" in one.said.text
    assert "torn.jpg: " in one.said.text
    assert "grey.png: " not in one.said.text
    assert "Traceback" not in one.said.text
    assert list(tmp_path.iterdir()) == []


def test_bad_arguments_build_nothing(tmp_path: Path) -> None:
    checkout = Checkout(ROOT, BASE)
    before = checkout.executions(None)
    for image, words in (
        (tmp_path, "no picture in this folder"),
        (ROOT / "README.md", "not known"),
    ):
        said = checkout.doit("infer", f"image={image}", "quant.calibration.seed=77")
        assert (said.code, words in said.text) == (3, True), said.text
    assert checkout.executions(None) == before


def test_the_arithmetic(looked: Looked) -> None:
    assert answer(toolchain(), "detections_arithmetic.py") == 400


# infer.py, which is delivered beside ONNX models

K1 = ("target=spacemit_k1", *BASE[1:])


@pytest.fixture(scope="module")
def k1() -> Delivered:
    """The main job's network for SpacemiT's board."""
    return Checkout(ROOT, K1).deliver()


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with nothing but what infer.py needs, of the versions that old boards have."""
    place: Path = tmp_path_factory.mktemp("bare") / "venv"
    uv = (sys.executable, "-m", "uv")
    subprocess.run([*uv, "venv", "-q", "--python", sys.executable, str(place)], check=True)
    python = place / "bin/python"
    subprocess.run([*uv, "pip", "install", "-q", "--python", str(python), *OLD], check=True)
    return python


def run(python: Path, program: Path, folder: Path, *arguments: object) -> Said:
    """Run infer.py in a folder, in an environment that holds nothing of this project."""
    done = subprocess.run(
        [str(python), "-I", str(program), *map(str, arguments)],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return Said(done.returncode, done.stdout)


def told(said: Said) -> Found:
    """The detections that infer.py printed."""
    rows = [line.split() for line in said.text.splitlines() if "  box " in line]
    return [
        {"class": row[0], "score": float(row[1]), "box": [float(value) for value in row[3:7]]}
        for row in rows
    ]


def test_the_boards_program_finds_what_doit_infer_finds(
    k1: Delivered, bare: Path, made: Path, tmp_path: Path
) -> None:
    one = look(tmp_path / "pc", made / "wide.png", base=K1)
    assert one.said.code == 0, one.said.text
    model = k1.path / next(name for name in k1.model["files"] if name.endswith(".q.onnx"))
    for arguments in (
        ["--image", made / "wide.png"],
        ["--model", model, "--image", made / "wide.png"],
    ):
        said = run(bare, k1.path / "infer.py", tmp_path, *arguments)
        assert said.code == 0, said.text
        assert "CPUExecutionProvider, onnxruntime 1.18.1" in said.text
        assert (tmp_path / "result.jpg").read_bytes().startswith(b"\xff\xd8\xff")
        sure = [seen for seen in one.found if seen["score"] >= 0.5]
        assert again(sure, told(said), 0.85) == len(sure)
        (tmp_path / "result.jpg").unlink()
    least = run(
        bare, k1.path / "infer.py", tmp_path, "--image", made / "wide.png", "--score", "0.01"
    )
    assert len(told(least)) > len(told(said))
    strict = [seen for seen in told(least) if seen["score"] >= 0.25]
    assert again(told(said), strict, 0.99) == len(told(said))


def test_the_boards_program_and_bad_pictures(
    k1: Delivered, bare: Path, made: Path, tmp_path: Path
) -> None:
    program = k1.path / "infer.py"
    said = run(bare, program, tmp_path, "--image", made / "grey.png")
    assert said.code == 0, said.text
    assert "nothing found" in said.text
    assert (tmp_path / "result.jpg").exists()
    (tmp_path / "text.jpg").write_text("no picture")
    for image, words in (
        (made / "torn.jpg", "a damaged one"),
        (tmp_path / "text.jpg", "not a picture"),
        (tmp_path / "absent.jpg", "No such file"),
    ):
        said = run(bare, program, tmp_path, "--image", image)
        assert said.code == 1
        assert words in said.text
        assert str(image) in said.text
        assert "Traceback" not in said.text
    said = run(bare, program, tmp_path, "--image", made / "grey.png", "--model", "absent.onnx")
    assert said.code == 1
    assert "absent.onnx: no such file" in said.text


def test_the_boards_program_knows_branches(
    k1: Delivered, bare: Path, made: Path, tmp_path: Path
) -> None:
    branch = Checkout(ROOT, (*K1, "target.output=branch")).deliver()
    found = [
        told(run(bare, one.path / "infer.py", tmp_path, "--image", made / "wide.png"))
        for one in (k1, branch)
    ]
    sure = [[seen for seen in one if seen["score"] >= 0.5] for one in found]
    assert again(sure[0], found[1], 0.85) == len(sure[0])
    assert again(sure[1], found[0], 0.85) == len(sure[1])
    assert json.loads((branch.path / "model.json").read_text())["form"] == "branch"
