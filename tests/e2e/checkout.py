"""The real project in a folder of its own, and what the end-to-end tests do with it."""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import time
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from lab import Lab, Said

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("conf", "edgemake", "stages", "toolchains", "vision", "dodo.py", "pyproject.toml")
STAGES = (
    "dataset", "train", "export", "head", "convert",
    "calibration", "quantize", "compile", "check", "package",
)  # fmt: skip
"""What the main job runs; an order in which a build may run them."""
PROOF = ("validation", "predict", "evaluate", "diagnose", "report")
"""What the report beside the deliverable is made of."""
AFTER_CALIBRATION = ["calibration", "quantize", "compile", "check", "package"]
"""What other calibration images may run, and nothing else."""
TARGETS = {"tflite-micro": "xiao_esp32s3", "xslim": "spacemit_k1"}
"""Toolchain -> a target that needs it; the others' is grove_v2."""
LONGEST = 1800
"""Seconds for one build: the very first installs toolchains and trains."""


class Checkout(Lab):
    """The project with its real stages. `base` comes before the arguments of every command."""

    def __init__(self, root: Path, base: tuple[str, ...], prefix: tuple[str, ...] = ()) -> None:
        super().__init__(root, prefix)
        self.base = base

    def without_network(self) -> Checkout:
        """The same project, in a network namespace in which nothing can be reached."""
        return Checkout(self.root, self.base, ("unshare", "--map-root-user", "--net", "--"))

    def only_target(self) -> Checkout:
        """The same project, for commands that choose all else themselves."""
        needed = tuple(o for o in self.base if o.startswith(("target=", "toolchain.")))
        return Checkout(self.root, needed, self.prefix)

    def doit(self, *arguments: str, **options: Any) -> Said:
        """Run doit with the base overrides to its end: what is named, or else up to the
        deliverable; evaluation and report have tests of their own."""
        named = any("=" not in argument for argument in arguments)
        return self.plainly(*self.base, *arguments, *(() if named else ("deliver",)), **options)

    def plainly(self, *arguments: str, **options: Any) -> Said:
        """Run doit with nothing but these arguments."""
        process = self.start(*arguments, **options)
        try:
            text, _ = process.communicate(timeout=LONGEST)
        finally:  # also when the tests themselves are stopped
            process.terminate()
        return Said(process.returncode, text)

    def deliver(self, *arguments: str, **options: Any) -> Delivered:
        """A build that must deliver."""
        said = self.doit(*arguments, **options)
        assert said.code == 0, said.text
        return Delivered(self.root, said.text)

    def kept(self) -> tuple[set[str], dict[str, str]]:
        """What no failing command may touch: names in the store, files of the deliverables."""
        store = {f"{path.parent.name}/{path.name}" for path in self.artifacts()}
        files = self.root.glob("artifacts/grove_v2/*/*")
        return store, {
            str(path): f"{path.stat().st_ino} {path.stat().st_size} {path.stat().st_mtime_ns}"
            for path in files
            if ".rejected" not in path.parent.name
        }

    def wait_until(self, pattern: str, process: subprocess.Popen[str]) -> None:
        """Until a path of that pattern is there, below the scratch folder of a running step."""
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline and process.poll() is None:
            if any(self.root.glob(f"artifacts/.scratch/{pattern}")):
                return
            time.sleep(0.05)
        process.kill()
        raise AssertionError(f"{pattern} never appeared: {process.communicate()[0]}")


@dataclass(frozen=True)
class Delivered:
    """A deliverable and the artifacts it was made of, found as a person would."""

    root: Path
    said: str

    @cached_property
    def path(self) -> Path:
        """The folder that the summary names."""
        [line] = [ln for ln in self.said.splitlines() if ln.strip().startswith("delivered")]
        return self.root / Path(line.split(maxsplit=1)[1])

    @cached_property
    def provenance(self) -> dict[str, Any]:
        """provenance.json."""
        return read(self.path / "provenance.json")

    @cached_property
    def records(self) -> dict[str, dict[str, Any]]:
        """Stage -> the record of its artifact."""
        return {record["stage"]: record for record in self.provenance["steps"].values()}

    def file(self, stage: str, name: str) -> Path:
        """An output of one of the steps, in the store."""
        digest: str = self.records[stage]["digest"]
        return self.root / "artifacts/store" / stage / digest / name

    def json(self, stage: str, name: str) -> dict[str, Any]:
        """A JSON output of one of the steps."""
        return read(self.file(stage, name))

    @property
    def model(self) -> dict[str, Any]:
        """model.json."""
        return read(self.path / "model.json")


def demand_pixels(delivered: Delivered) -> None:
    """The firmware writes pixel - 128 and reads no scale: no other quantization will do."""
    for entry in (delivered.json("quantize", "quantize.json")["input"], delivered.model["input"]):
        assert abs(entry["scale"] - 1 / 255) < 1e-9
        assert entry["zero_point"] == -128
        assert entry["dtype"] == "int8"


def read(path: Path) -> dict[str, Any]:
    """A JSON file."""
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found


def asked(delivered: Delivered, stage: str, check: str, *arguments: object) -> Any:
    """What a program of tests/e2e/checks prints, run by the Python that ran this stage."""
    return answer(delivered.records[stage]["preimage"]["toolchain"], check, *arguments)


def answer(toolchain: dict[str, str], check: str, *arguments: object) -> Any:
    """What a program of tests/e2e/checks prints, run by the Python of a record's toolchain."""
    python = ROOT / f".toolchains/{toolchain['name']}-{toolchain['lock'][:12]}/bin/python"
    if not python.exists():  # a store that came from elsewhere: nothing had to be installed
        target = TARGETS.get(toolchain["name"], "grove_v2")
        said = Checkout(ROOT, (f"target={target}",)).doit(f"toolchain:{toolchain['name']}")
        assert said.code == 0, said.text
    done = subprocess.run(
        [str(python), str(ROOT / "tests/e2e/checks" / check), *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": "-1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def copy_of(chain: Delivered, root: Path, base: tuple[str, ...]) -> Checkout:
    """The project in another folder, with the artifacts behind one deliverable in its store."""
    root.mkdir(parents=True)
    for name in SOURCES:
        source = chain.root / name
        if source.is_dir():
            shutil.copytree(source, root / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, root / name)
    for stage, record in chain.records.items():
        place = Path("artifacts/store", stage, record["digest"])
        shutil.copytree(chain.root / place, root / place)
    return Checkout(root, base)


def picture(path: Path, side: int, pixel: bytes | None = None, box: tuple[int, ...] = ()) -> None:
    """Write a square PNG: grey 120, and `pixel` (three bytes) inside `box` (x1, y1, x2, y2)."""
    rows = bytearray()
    for y in range(side):
        row = bytearray(b"\x78\x78\x78" * side)
        if pixel is not None and box[1] <= y < box[3]:
            row[3 * box[0] : 3 * box[2]] = pixel * (box[2] - box[0])
        rows += b"\0" + row
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(rows))), (b"IEND", b""))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
            for kind, data in chunks
        )
    )


def own_data(folder: Path, images: int, side: int) -> Path:
    """A data set as users have them: two classes of boxes on grey; the path of its data.yaml."""
    for split, first in (("train", 0), ("val", images)):
        for i in range(first, first + images):
            kind, x, y = i % 2, (7 * i) % (side // 2), (11 * i) % (side // 2)
            size = side // 4 + i % 8
            colour = bytes((200, 30 + i, 40)) if kind else bytes((30, 60 + i, 210))
            stem = f"bild {i:03d} ä"
            picture(folder / f"images/{split}/{stem}.png", side, colour, (x, y, x + size, y + size))
            label = folder / f"labels/{split}/{stem}.txt"
            label.parent.mkdir(parents=True, exist_ok=True)
            middle = [(place + size / 2) / side for place in (x, y)]
            label.write_text(
                f"{kind} {middle[0]:.5f} {middle[1]:.5f} {size / side:.5f} {size / side:.5f}\n"
            )
    file = folder / "data.yaml"
    file.write_text("train: images/train\nval: images/val\nnames: [blå, röd]\n", encoding="utf-8")
    return file
