"""`doit check-model`: holds a model file of any origin against a board's contract.

The program (`dodo.py`) has a function `check_model(words, overrides, keep)` for it, whose plan says
which step leaves the verdict (`Plan.errand`: JSON with `passed`, its first output), and how to tell
it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from doit.exceptions import InvalidCommand

from edgemake.build import Build
from edgemake.config import is_override
from edgemake.doit_errand import RunErrand
from edgemake.outstream import Patient

DESCRIPTION = (
    "FILE is a .tflite or .onnx file from anywhere; no training and no data set is needed. For a "
    "board with an NPU an int8 TFLite file that is not compiled yet is compiled first, so that "
    "memory and placement are the real ones; a compiled one is read as it is.\n\n"
    "Prints a line for each rule: ok, FAIL, look (works, but deserves a look), or ? (no tool here "
    "can prove it; the line says who can). docs/check.md explains every rule.\n\n"
    "Exit status: 0 the board takes the file; 1 it would refuse or misread it, or a tool could "
    "make nothing of it; 3 bad input, for instance a file that is torn.\n\n"
    "doit check-model model.tflite target=grove_v2\n"
    "doit check-model model.tflite target=grove_v2 target.output=decoded\n"
    "doit check-model yolov8n.q.onnx target=spacemit_k1 --json\n"
)
JSON = {
    "name": "json",
    "short": "",
    "long": "json",
    "type": bool,
    "default": False,
    "help": "print the verdict as JSON and nothing else; all else goes to standard error",
}


class Aside:
    """Standard error as a log file: no live progress, which would go to standard output."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()

    def isatty(self) -> bool:
        return False

    def fileno(self) -> int:
        return sys.stderr.fileno()


class CheckModel(RunErrand):
    """`doit check-model FILE`: would the board take this file?"""

    name = "check-model"
    doc_purpose = "hold a .tflite or .onnx file of any origin against a board's contract"
    doc_usage = "FILE target=BOARD [--json] [key=value ...]"
    doc_description = DESCRIPTION
    cmd_options = (*RunErrand.cmd_options, JSON)

    def execute(self, params: Any, args: list[str]) -> int:
        """As `Run.execute`; 1 also when the verdict is no."""
        # doit reads options only before the first word that is none
        self._json = bool(params["json"]) or "--json" in args
        if self._json:
            self.narration = Aside()
        words = [word for word in args if not is_override(word) and word != "--json"]
        if late := [word for word in words if word.startswith("-")]:
            raise InvalidCommand(f"{late[0]}: options come before the file")
        # doit takes every word with a = for a variable, a path like ./run=5/model.tflite, too
        words += [w for w in sys.argv[1:] if "=" in w and w[0] in "./" and w not in words]
        self.loader.question = ("check_model", words)
        return super().execute(params, [])

    def tell(self, build: Build, artifact: Path) -> int:
        """Print the verdict; 0 when it is yes."""
        assert build.errand is not None
        out = Patient(sys.stdout)
        text = (artifact / build.errand.step.outputs[0]).read_text(encoding="utf-8")
        lines = [text.rstrip()] if self._json else build.errand.finish(artifact)
        for line in lines:
            out.write(line + "\n")
        return 0 if json.loads(text)["passed"] else 1
