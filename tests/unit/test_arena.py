import os
from pathlib import Path

import pytest
from stage_configs import config

from edgemake.step import Step
from edgemake.work import StageError, Work
from stages import arena

MODEL = Step("quantize", {}, {}, ("model_int8.tflite",))["model_int8.tflite"]
ALLOCATIONS = b"""\
[RecordingMicroAllocator] Arena allocation total 534000 bytes
[RecordingMicroAllocator] Arena allocation head 448576 bytes
[RecordingMicroAllocator] Arena allocation tail 85424 bytes
[RecordingMicroAllocator] 'TfLiteEvalTensor data' used 9648 bytes with alignment overhead \
(requested 9648 bytes for 402 allocations)
"""


class Interpreter:
    """Says on standard error what TFLite Micro of 2026-10 says there."""

    def __init__(self, allocations: bytes = ALLOCATIONS, fault: str = "") -> None:
        self.allocations, self.fault = allocations, fault

    def print_allocations(self) -> None:
        os.write(2, self.allocations)

    def invoke(self) -> None:
        if self.fault:
            os.write(2, b"Failed to get registration from op code CUSTOM\n \n")
            raise RuntimeError(self.fault)


def measured(
    interpreter: Interpreter, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[dict[str, int], str]:
    monkeypatch.setattr(arena, "_interpreter", lambda model: interpreter)
    monkeypatch.setattr(arena, "_invoke", lambda interpreter: interpreter.invoke())
    return arena._measure(Work({"model.tflite": folder}, folder, folder, 1))


def test_it_depends_on_the_model_and_the_toolchain_alone() -> None:
    step, other = arena.plan(config("target=xiao_esp32s3"), MODEL), config("model.imgsz=224")
    assert step.plain_params() == arena.plan(other, MODEL).plain_params() == {}
    assert step.toolchain == "tflite-micro"


def test_the_interpreters_words_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    used, fault = measured(Interpreter(), tmp_path, monkeypatch)
    assert used == {"total": 534_000, "head": 448_576, "tail": 85_424}
    assert fault == ""


def test_why_a_model_cannot_be_run_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    used, fault = measured(Interpreter(fault="allocation failed"), tmp_path, monkeypatch)
    assert used == {}
    assert fault == "allocation failed: Failed to get registration from op code CUSTOM"


def test_a_version_that_says_nothing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(StageError, match=r"tflite-micro does not say.*tflite-micro\.in"):
        measured(Interpreter(b"something else\n"), tmp_path, monkeypatch)


def test_standard_error_is_given_back(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with arena._told(tmp_path / "words"):
        os.write(2, b"inside")
    os.write(2, b"outside")
    assert (tmp_path / "words").read_bytes() == b"inside"
    assert capfd.readouterr().err == "outside"
