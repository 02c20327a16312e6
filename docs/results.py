"""`python docs/results.py [key=value ...]`: builds what docs/results.md tells of, and writes it.

Every model for every board, through doit, so that steps which several share run once. Overrides are
passed on to each build, for a smaller run; the page then names them.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "results.md"
MODELS = ("yolov8n", "yolov8n_pose")
TARGETS = ("grove_v2", "xiao_esp32s3", "spacemit_k1")
VERSIONS = {
    "torch": ("ultralytics", "torch", "onnx", "onnxsim"),
    "tensorflow": ("onnx2tf", "tensorflow", "ai-edge-litert"),
    "tflite-micro": ("tflite-micro",),
    "vela": ("ethos-u-vela",),
    "xslim": ("xslim", "onnxruntime"),
    "images": ("onnxruntime", "numpy", "pillow"),
    "evaluation": ("pycocotools",),
}
"""Toolchain -> the packages whose versions the figures depend on most."""
KINDS = {"box": "boxes", "keypoints": "keypoints"}
DASH = "–"
KIB = 1024
HOW_TO_READ = """\
*As on the board*: pictures are brought to size as the board does it, and outputs are decoded as its
firmware does it. Float is the cut network in onnxruntime; int8 is the quantized file in the
runtime named. TensorFlow Lite Micro on a PC is the closest stand-in for the NPU that there is here,
not the NPU. Drop is float minus int8 in points (hundredths of mAP50-95): what the board's
arithmetic costs, and nothing else. Hold it against no figure of the *comparable* table, where
pictures are letterboxed and duplicates are removed at another overlap, as ultralytics' `val` does:
that one is for comparing with what others publish.

mAP is counted by pycocotools on the validation split, from a confidence of 0.001 on; precision,
recall and F1 at the threshold that the firmware ships with. Both data sets are made for this
project: the figures show what the boards cost, not what YOLOv8 does in the field. The splits are
small, so small differences between two rows may be chance. Latency is vela's estimate, no board was
at hand; where nothing estimates it there is a dash. The arena is told by vela or, without an NPU,
by TensorFlow Lite Micro's x86-64 kernels, an estimate too; onnxruntime takes memory as it goes.
Training does not give the same bits on every machine, so the last digits may differ on yours."""


@dataclass(frozen=True)
class Built:
    """What one build delivered."""

    model: str
    target: str
    description: dict[str, Any]
    """model.json."""
    metrics: dict[str, Any]
    """metrics.json."""
    config: dict[str, Any]
    """The config, of provenance.json."""

    @property
    def board(self) -> dict[str, Any]:
        """The table of figures as on the board."""
        found: dict[str, Any] = self.metrics["board"]
        return found

    def tier(self, name: str) -> dict[str, Any]:
        """`reference` or `final` of the board's table."""
        found: dict[str, Any] = self.board["tiers"][self.board[name]]
        return found

    def kinds(self) -> list[str]:
        """box, and keypoints of a pose model."""
        return [kind for kind in KINDS if kind in self.tier("final")]


def build(model: str, target: str, overrides: Sequence[str]) -> Built:
    """One deliverable with its accuracy; ends the program where doit fails."""
    command = [sys.executable, "-m", "doit", f"target={target}", f"model={model}", *overrides]
    print("$", " ".join(["doit", *command[3:]]), flush=True)
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    print(done.stdout, flush=True)
    found = re.search(r"^ *delivered +(\S.*)$", done.stdout, re.MULTILINE)
    if done.returncode != 0 or found is None:
        sys.exit(f"{' '.join(['doit', *command[3:]])} failed; {PAGE.name} is as it was")
    folder = ROOT / found[1].strip()
    names = ("model.json", "metrics.json", "provenance.json")
    description, metrics, provenance = (json.loads((folder / name).read_bytes()) for name in names)
    board = metrics["board"] or {}
    if not (board.get("reference") and board.get("final") and metrics["comparable"]):
        sys.exit("the page needs every tier: leave evaluate.tiers at null")
    return Built(model, target, description, metrics, provenance["config"])


def page(builds: Sequence[Built], versions: Iterable[str], overrides: Sequence[str]) -> str:
    """docs/results.md."""
    told = [word for word in overrides if not word.startswith("toolchain.dir=")]  # only a place
    command = " ".join(["python docs/results.py", *told])
    parts = [
        "# Results",
        f"Written by `{command}`; do not edit. [How accuracy is measured](metrics.md); "
        "[compare your own](compare.md).",
        table(
            ("model", "data set", "trained on", "counted on", "input", "epochs"),
            setup_rows(builds),
        ),
        "## As on the board",
        table(
            ("model", "target", "", "float mAP50-95", "int8 mAP50-95", "drop, points",
             "float mAP50", "int8 mAP50", "int8 ran in"),
            [row for one in builds for row in accuracy_rows(one)],
        ),
        table(
            ("model", "target", "score at least", "precision", "recall", "F1",
             "LiteRT and TFLM within one quantum", "their mAP50-95 differ by, points"),
            [threshold_row(one) for one in builds],
        ),
        "## Cost",
        table(
            ("model", "target", "file, KiB", "SRAM (arena), KiB", "of the board's", "arena told by",
             "latency, ms", "latency told by", "on the NPU"),
            [cost_row(one) for one in builds],
        ),
        "## Comparable",
        table(("model", "", "tier", "run by", "mAP50-95", "mAP50"), comparable_rows(builds)),
        "## How to read this",
        HOW_TO_READ,
        "## Versions",
        "\n".join(f"- {line}" for line in versions),
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = (heads, ["---"] * len(heads), *rows)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def number(value: float | None, digits: int) -> str:
    """A dash for what was not measured."""
    return DASH if value is None else f"{value + 0.0:,.{digits}f}"


def setup_rows(builds: Sequence[Built]) -> Iterator[list[str]]:
    """What each model was trained on; once, if all its boards agree."""
    rows = []
    for one in builds:
        data, train = one.config["dataset"], one.config["train"]
        images = str(data.get("train_images", DASH))
        measured = f"{one.metrics['images']} {one.metrics['split']}"
        side = f"{one.config['model']['imgsz']} px"
        epochs = str(train.get("epochs", DASH))
        rows.append([f"`{one.model}`", one.metrics["dataset"], images, measured, side, epochs])
    return distinct(rows)


def accuracy_rows(one: Built) -> Iterator[list[str]]:
    """Float beside int8, for boxes and for keypoints."""
    floats, int8 = one.tier("reference"), one.tier("final")
    for kind in one.kinds():
        yield [
            f"`{one.model}`",
            f"`{one.target}`",
            KINDS[kind],
            number(floats[kind]["map50_95"], 3),
            f"**{number(int8[kind]['map50_95'], 3)}**",
            number(one.board["drop"][kind]["map50_95"], 2),
            number(floats[kind]["map50"], 3),
            number(int8[kind]["map50"], 3),
            int8["runtime"],
        ]


def threshold_row(one: Built) -> list[str]:
    """What the firmware shows, and whether two interpreters of the file agree."""
    shown, both = one.tier("final")["at_threshold"], one.metrics["agreement"]
    return [
        f"`{one.model}`",
        f"`{one.target}`",
        number(shown["threshold"], 2),
        *(number(shown[name], 3) for name in ("precision", "recall", "f1")),
        DASH if both is None else f"{100 * both['within_one_quantum']:.2f} %",
        DASH if both is None else number(both["map50_95_difference"], 2),
    ]


def cost_row(one: Built) -> list[str]:
    """Size, memory, time; each with who says so."""
    figures = one.description["figures"]
    arena, timed = figures.get("arena_bytes"), figures.get("latency_ms")
    npu = figures.get("npu_percent")
    share = None if arena is None else 100 * arena / figures["arena_limit_bytes"]
    return [
        f"`{one.model}`",
        f"`{one.target}`",
        number(figures["flash_bytes"] / KIB, 0),
        number(None if arena is None else arena / KIB, 0),
        DASH if share is None else f"{share:.0f} %",
        DASH if arena is None else figures["arena_source"],
        number(timed, 1),
        DASH if timed is None else "vela's estimate",
        DASH if npu is None else f"{npu:g} %",
    ]


def comparable_rows(builds: Sequence[Built]) -> Iterator[list[str]]:
    """Float as ultralytics' `val` counts; once, where all boards share the network."""
    return distinct(
        [
            f"`{one.model}`",
            KINDS[kind],
            f"`{name}`",
            tier["runtime"],
            number(tier[kind]["map50_95"], 3),
            number(tier[kind]["map50"], 3),
        ]
        for one in builds
        for name, tier in one.metrics["comparable"]["tiers"].items()
        for kind in one.kinds()
    )


def distinct(rows: Iterable[list[str]]) -> Iterator[list[str]]:
    """Each row once, in order."""
    yield from (list(row) for row in dict.fromkeys(map(tuple, rows)))


def tool_versions(lock_of: Callable[[str], str]) -> Iterator[str]:
    """A line for each toolchain, from the text of its lock file."""
    for name, packages in VERSIONS.items():
        known = dict(re.findall(r"^([\w.-]+)==([^\s;\\]+)", lock_of(name), re.MULTILINE))
        yield f"{name}: {', '.join(f'{package} {known[package]}' for package in packages)}"


def main(overrides: Sequence[str]) -> None:
    """Build all, then write the page: a failure leaves the old one."""
    builds = [build(model, target, overrides) for model in MODELS for target in TARGETS]
    locks = ROOT / "toolchains"
    versions = tool_versions(lambda name: (locks / f"{name}.lock").read_text(encoding="utf-8"))
    PAGE.write_text(page(builds, versions, overrides), encoding="utf-8")
    print(f"wrote {PAGE}")


if __name__ == "__main__":
    main(sys.argv[1:])
