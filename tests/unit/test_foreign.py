"""What `doit check-model` makes of a file before anything runs, and how it is planned."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx_bytes
import pytest
from stage_configs import config
from tflite_bytes import Made, Operation, network, tflite

from edgemake.errors import UserError
from edgemake.step import Step, in_order
from stages import foreign, pipeline_check
from stages.foreign_table import tell

SIX = [Made((1, n, c)) for n in (576, 144, 36) for c in (64, 10)]
STOCK = [Made((1, 56, 756), scale=0.75)]
DECODED = [Made((1, 14, 756), scale=1 / 255)]
FLOAT = Made((1, 192, 192, 3), "float32", None)
COMPILED = tflite(
    [Made((1, 192, 192, 3)), Made((9,), "uint8", None, buffer=1), *SIX],
    inputs=[0],
    outputs=range(2, 8),
    operations=[Operation("ethos-u", [1, 0], range(2, 8))],
    buffers=[b"", b"COP1"],
)
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(content: bytes, name: str = "model.tflite") -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write


def seen(path: Path, *overrides: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is known of the file, and its only line."""
    found = foreign.look(config(*overrides), path)
    [line] = found.lines
    return dict(found.seen), line


def planned(path: Path, *overrides: str) -> dict[str, Step]:
    last = pipeline_check.check_file(config(*overrides), path)
    return {step.stage: step for step in in_order([last])}


def test_a_raw_detector(write: Write) -> None:
    facts, line = seen(write(network(SIX)))
    assert (facts["form"], facts["task"], facts["output"]) == ("six_raw", "detect", "raw")
    assert (facts["classes"], facts["imgsz"], facts["compiled"]) == (10, 192, False)
    assert (line["result"], line["remedy"]) == ("pass", "")
    assert line["found"] == "six_raw (detect), 10 classes"


def test_a_form_that_was_not_chosen_is_named(write: Write) -> None:
    facts, line = seen(write(network(SIX)), "target.output=decoded")
    assert (facts["form"], line["result"]) == (None, "fail")
    assert line["remedy"] == "this is target.output=raw"
    assert line["demanded"] == "decoded_normalised (detect, decoded)"


def test_a_form_that_the_board_does_not_take(write: Write) -> None:
    _, line = seen(write(network(SIX)), "target=xiao_esp32s3")
    assert line["result"] == "fail"
    assert "model.onnx=FILE" in line["remedy"]


def test_a_stock_pose_export(write: Write) -> None:
    facts, line = seen(write(network(STOCK)))
    assert line["result"] == "fail"
    assert "stock pose export" in line["found"]
    assert facts["classes"] == 52  # as the firmware reads it


def test_onnx_files_are_read_as_well(write: Write) -> None:
    facts, line = seen(write(onnx_bytes.model(), "a.onnx"), "target=spacemit_k1")
    assert (facts["form"], facts["classes"], facts["imgsz"]) == ("decoded", 2, 64)
    assert line["result"] == "pass"
    assert facts["outputs"] == [
        {"name": "output0", "role": "decoded", "stride": None, "shape": [1, 6, 84],
         "classes": 2, "keypoints": None},
    ]  # fmt: skip


@pytest.mark.parametrize("classes", [1, 10])
def test_branches_get_their_roles(write: Write, classes: int) -> None:
    outputs = [
        onnx_bytes.value(f"{c}_{s}", (1, c, 64 // s, 64 // s))
        for s in (8, 16, 32)
        for c in (64, classes, 1)
    ]
    path = write(onnx_bytes.model(outputs=outputs, metadata={}), "a.onnx")
    facts, _ = seen(path, "target=spacemit_k1")
    roles = [(o["role"], o["stride"]) for o in facts["outputs"]]
    assert roles == [(r, s) for s in (8, 16, 32) for r in ("box", "class", "score_sum")]


@pytest.mark.parametrize(
    ("target", "content", "words"),
    [
        ("grove_v2", onnx_bytes.model(), "model.onnx=FILE"),
        ("spacemit_k1", network(SIX), "model.weights="),
    ],
)
def test_a_file_of_the_wrong_kind_has_one_line(
    write: Write, target: str, content: bytes, words: str
) -> None:
    path = write(content)
    _, line = seen(path, f"target={target}")
    assert (line["rule"], line["result"]) == ("kind of file", "fail")
    assert words in line["remedy"]
    [step] = planned(path, f"target={target}").values()
    assert (step.params.rules, step.toolchain) == (None, None)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.tflite", network(SIX)[:-40], "no whole TFLite file"),
        ("a.tflite", b"", "is empty"),
        ("a.tflite", b"\x00" * 64, "no .tflite or .onnx model"),
        ("a.onnx", onnx_bytes.model()[:100], "only a part of one"),
        ("a.onnx", b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        ("a.pt", b"PK\x03\x04" + bytes(100), "model.weights="),
        ("a.onnx", onnx_bytes.model(tensors=(onnx_bytes.tensor("w", external="w.bin"),)), "w.bin"),
    ],
)
def test_what_is_no_whole_model_is_refused(
    write: Write, name: str, content: bytes, words: str
) -> None:
    path = write(content, name)
    with pytest.raises(UserError, match=words.replace(".", r"\.")) as told:
        foreign.look(config(), path)
    assert str(path) in str(told.value)
    assert "\n" not in str(told.value)


def test_paths_that_are_no_files(tmp_path: Path, write: Write) -> None:
    write(network(SIX))
    with pytest.raises(UserError, match=r"no such file; did you mean 'model\.tflite'"):
        foreign.look(config(), tmp_path / "modell.tflite")
    with pytest.raises(UserError, match="is a folder"):
        foreign.look(config(), tmp_path)
    with pytest.raises(UserError, match="needs a file"):
        foreign.file_word([])
    with pytest.raises(UserError, match=r"one file, not 2: a, b"):
        foreign.file_word(["a", "b"])


def test_an_unknown_output_is_refused(write: Write) -> None:
    with pytest.raises(UserError, match=r"target\.output=decodet.*did you mean 'decoded'"):
        foreign.look(config("target.output=decodet"), write(network(SIX)))


@pytest.mark.parametrize(
    ("content", "target", "stages"),
    [
        (network(SIX), "grove_v2", {"compile", "check"}),
        (network(SIX, Made((1, 192, 192, 3), "uint8")), "grove_v2", {"compile", "check"}),
        (network(SIX, FLOAT), "grove_v2", {"check"}),
        (COMPILED, "grove_v2", {"check"}),
        (network(DECODED), "xiao_esp32s3", {"arena", "check"}),
        (COMPILED, "xiao_esp32s3", {"arena", "check"}),
    ],
)
def test_the_boards_own_tools_look_at_what_they_can(
    write: Write, content: bytes, target: str, stages: set[str]
) -> None:
    assert set(planned(write(content), f"target={target}")) == stages


def test_no_place_is_in_the_params(write: Write) -> None:
    path = write(network(SIX))
    for step in planned(path).values():
        plain = json.dumps(step.plain_params())
        assert str(path.parent) not in plain
        assert json.loads(plain) == step.plain_params()


def test_the_rules_are_those_of_the_form_that_was_found(write: Write) -> None:
    decoded = planned(write(network(DECODED)))["check"].params.rules
    assert (decoded["form"], decoded["max_classes"], decoded["score_threshold"]) == (
        *("decoded_normalised", 80, 0.5),
    )
    none = planned(write(network([Made((1, 1000))])))["check"].params.rules
    assert none["form"] is None
    assert none["operators"]


def test_the_table(tmp_path: Path) -> None:
    line = {"rule": "arena", "result": "pass", "found": "7", "demanded": "7", "remedy": ""}
    lines = [
        line,
        {**line, "rule": "flash", "demanded": "at most 9"},
        {**line, "rule": "input scale", "result": "fail", "remedy": "mend it"},
        {**line, "rule": "latency", "result": "unproven", "remedy": "the board can"},
    ]
    verdict = {"passed": False, "lines": lines, "figures": {"flash_bytes": 7}}
    (tmp_path / "verdict.json").write_text(json.dumps(verdict))
    told = list(
        tell(Path("a.tflite"), ("Board", "its firmware"), lambda f: [("flash", "7")], tmp_path)
    )
    assert told == [
        "a.tflite for Board",
        "rules of its firmware",
        "",
        " ok    arena        7",
        " ok    flash        7  (demanded: at most 9)",
        " FAIL  input scale  7; demanded: 7",
        "                    -> mend it",
        " ?     latency      7",
        "                    -> the board can",
        "",
        "       flash        7",
        "",
        "REFUSED by Board: 2 kept, 1 broken (input scale), 1 not provable here (?)",
    ]
