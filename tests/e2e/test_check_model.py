"""`doit check-model` on the main job's files, on damaged ones, and on what people bring."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest
from lab import Said

from e2e.checkout import ROOT, Checkout, Delivered, asked
from e2e.conftest import BASE

Lines = dict[str, dict[str, Any]]


def checked(file: Path, *overrides: str, base: tuple[str, ...] = BASE) -> Said:
    return Checkout(ROOT, base).doit("check-model", str(file), *overrides)


def judged(file: Path, *overrides: str, base: tuple[str, ...] = BASE) -> tuple[int, Lines]:
    """Exit status, and rule -> line of the verdict, which stands last when all goes to one pipe."""
    said = checked(file, "--json", *overrides, base=base)
    verdict = json.loads(said.text[said.text.index('{\n "schema"') :])
    assert verdict["passed"] == (said.code == 0)
    return said.code, {line["rule"]: line for line in verdict["lines"]}


def failed(lines: Lines) -> set[str]:
    return {rule for rule, line in lines.items() if line["result"] == "fail"}


@pytest.fixture(scope="module")
def foreign(chain: Delivered, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Small files of other kinds, made by TensorFlow."""
    folder = tmp_path_factory.mktemp("foreign")
    made: dict[str, str] = asked(chain, "quantize", "make_foreign.py", folder)
    return {kind: Path(path) for kind, path in made.items()}


def test_the_builds_own_files_pass_and_are_judged_as_in_the_build(chain: Delivered) -> None:
    own = {line["rule"]: line for line in chain.model["contract"]["lines"]}
    code, lines = judged(chain.path / "model_int8.tflite")
    assert code == 0
    assert lines["form"]["found"] == "six_raw (detect), 10 classes"
    differing = {rule for rule, line in lines.items() if own.get(rule) != line}
    assert differing == {"form", "class names"}  # the file holds no names
    assert lines.keys() - own.keys() == {"form"}
    assert own.keys() <= lines.keys()


def test_a_compiled_file_is_read_as_it_is(chain: Delivered) -> None:
    own = {line["rule"]: line for line in chain.model["contract"]["lines"]}
    code, lines = judged(chain.path / "model_vela.tflite")
    assert code == 0
    arena = str(chain.json("compile", "vela.json")["sram_bytes"])
    assert lines["arena"]["found"].startswith(f"{arena} bytes (the file's own plan")
    assert lines["NPU placement"]["found"] == "100 %"
    new = {rule for rule, line in lines.items() if line["result"] == "unproven"}
    assert new == {"vela version", "class names", *(r for r in own if r.endswith("on the board"))}
    for rule in ("NPU payload", "NPU configuration", "confident scores", "input scale"):
        assert lines[rule] == own[rule]


def test_a_second_look_runs_nothing_and_reads_well(chain: Delivered) -> None:
    file = chain.path / "model_int8.tflite"
    checked(file)
    before = Checkout(ROOT, BASE).executions()
    said = checked(file)
    assert said.code == 0
    assert Checkout(ROOT, BASE).executions() == before
    told = said.text.splitlines()
    assert any(line.split() == ["ok", "input", "type", "int8"] for line in told)
    assert any(line.startswith(" ?     latency on the board") for line in told)
    assert any(line.split()[:1] == ["latency"] and "vela's estimate" in line for line in told)
    assert told[-1].startswith("nothing speaks against this file on Seeed Grove")


def test_overrides_count_as_in_a_build(chain: Delivered) -> None:
    said = checked(chain.path / "model_int8.tflite", "target.memory.arena_bytes=100000")
    assert said.code == 1
    assert "FAIL  arena" in said.text
    assert said.text.splitlines()[-1].startswith("REFUSED by Seeed Grove")
    code, lines = judged(chain.path / "model_int8.tflite", "target.output=decoded")
    assert (code, failed(lines)) == (1, {"form"})
    assert lines["form"]["remedy"] == "this is target.output=raw"


def test_a_file_for_another_board(chain: Delivered) -> None:
    code, lines = judged(chain.path / "model_vela.tflite", "target=xiao_esp32s3")
    assert (code, failed(lines)) == (1, {"form", "operators", "arena"})
    assert "compiled for an NPU" in lines["operators"]["remedy"]
    code, lines = judged(chain.path / "model_int8.tflite", "target=spacemit_k1")
    assert (code, set(lines)) == (1, {"kind of file"})
    code, lines = judged(chain.file("export", "model.onnx"))
    assert (code, set(lines)) == (1, {"kind of file"})
    assert "model.onnx=FILE" in lines["kind of file"]["remedy"]


def test_a_float_onnx_file_is_not_int8(chain: Delivered) -> None:
    code, lines = judged(chain.file("export", "model.onnx"), "target=spacemit_k1")
    assert (code, failed(lines)) == (1, {"int8 convolutions"})
    assert "quantize it" in lines["int8 convolutions"]["remedy"]
    assert lines["form"]["found"] == "decoded (detect), 10 classes"
    assert lines["runs"]["result"] == "pass"
    assert lines["closeness"]["result"] == "unproven"


def test_other_pixels_than_the_firmwares_are_found(chain: Delivered, tmp_path: Path) -> None:
    """The one number that no board checks: every pixel would be 10 % off, in silence."""
    whole = (chain.path / "model_int8.tflite").read_bytes()
    right = struct.pack("<f", 1 / 255)
    file = tmp_path / "other pixels.tflite"
    file.write_bytes(whole.replace(right, struct.pack("<f", 0.00355)))
    code, lines = judged(file)
    assert (code, failed(lines)) == (1, {"input scale"})
    assert lines["input scale"]["found"] == "0.003550"


@pytest.mark.parametrize(
    ("kind", "rules", "words"),
    [
        ("stock pose", {"form", "decoded scale"}, "stock pose export"),
        ("unsigned", {"input type", "input zero point", "output types"}, "14 classes"),
        ("float", {"input type", "output types", "NPU payload"}, "10 classes"),
        ("cell by cell", {"form"}, "a cell after a cell"),
        ("grids", {"form", "output ranks"}, "4 axes"),
        ("classifier", {"form", "output ranks"}, "classifier"),
    ],
)
def test_what_people_bring(
    foreign: dict[str, Path], kind: str, rules: set[str], words: str
) -> None:
    code, lines = judged(foreign[kind])
    assert code == 1
    assert failed(lines) == rules
    assert all(lines[rule]["remedy"] for rule in rules)
    if kind not in ("unsigned", "float"):
        assert words in lines["form"]["found"]


def bad_files(chain: Delivered, folder: Path) -> dict[str, Path]:
    """What is no model file: name -> path."""
    whole = (chain.path / "model_vela.tflite").read_bytes()
    network = chain.file("export", "model.onnx").read_bytes()
    contents = {
        "torn.tflite": whole[: len(whole) // 2],
        "torn.onnx": network[: len(network) // 2],
        "empty.tflite": b"",
        "page.onnx": b"<html>not found</html>\n",
        "noise.tflite": bytes(range(1, 256)) * 20,
        "best.pt": chain.file("train", "best.pt").read_bytes(),
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return {name: folder / name for name in contents}


def test_what_is_no_model_is_told_before_anything_runs(chain: Delivered, tmp_path: Path) -> None:
    before = Checkout(ROOT, BASE).executions()
    files = bad_files(chain, tmp_path) | {
        "missing": tmp_path / "torn.tflit.tflite",
        "folder": tmp_path,
    }
    words = {
        "torn.tflite": "middle of its contents",
        "torn.onnx": "only a part of one",
        "empty.tflite": "is empty",
        "page.onnx": "a text",
        "noise.tflite": "no .tflite or .onnx model",
        "best.pt": "model.weights=",
        "missing": "did you mean 'torn.tflite'",
        "folder": "is a folder",
    }
    for name, path in files.items():
        said = checked(path)
        assert said.code == 3, said.text
        [line] = said.text.splitlines()
        assert str(path) in line
        assert words[name] in line
    assert Checkout(ROOT, BASE).executions() == before


def test_the_words_of_the_command_line(chain: Delivered, tmp_path: Path) -> None:
    said = Checkout(ROOT, BASE).doit("check-model")
    assert said.code == 3
    assert "needs a file" in said.text
    said = Checkout(ROOT, BASE).doit("check-model", "a.tflite", "b.tflite")
    assert said.code == 3
    assert "takes one file, not 2" in said.text
    place = tmp_path / "run=5"
    place.mkdir()
    (place / "model.tflite").write_bytes((chain.path / "model_vela.tflite").read_bytes())
    assert checked(place / "model.tflite").code == 0
    assert "check-model" in Checkout(ROOT, ()).doit("help").text
    assert "--json" in Checkout(ROOT, ()).doit("help", "check-model").text
