"""int8 TFLite to the NPU's command stream, with the board's own memory system."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgemake.errors import UserError
from edgemake.step import Input, Step
from edgemake.work import StageError, Work
from vision.vela_ini import faults, vela_ini

if TYPE_CHECKING:
    from stages.schema import Config

KIB = 1024
PLACED = re.compile(r"^ +(NPU|CPU): (\S+) = (.*?)(?: \(outputs .*)?$", re.MULTILINE)
"""A line of vela's listing: place, kind and name of an operator."""


@dataclass(frozen=True)
class Params:
    """Arguments of vela and the board's memory system."""

    accelerator: str
    system_config: str
    memory_mode: str
    optimise: str
    core_clock: float
    """Hz."""
    system: dict[str, Any]
    memory: dict[str, Any]


def plan(config: Config, model: Input) -> Step:
    """`model`: a fully quantized TFLite file. Raises UserError for an ini that vela misreads."""
    target: Any = config.target
    vela = target.vela
    if found := faults(vela.ini.system, vela.ini.memory):
        raise UserError("\n".join(f"target.vela.ini.{fault}" for fault in sorted(found)))
    return Step(
        stage="compile",
        params=Params(
            accelerator=vela.accelerator,
            system_config=vela.system_config,
            memory_mode=vela.memory_mode,
            optimise=vela.optimise,
            core_clock=vela.ini.core_clock,
            system=dict(vela.ini.system),
            memory=dict(vela.ini.memory),
        ),
        inputs={"model.tflite": model},
        outputs=("model_vela.tflite", "vela.json", "vela.ini"),
        toolchain=config.lock("vela"),
        label=vela.accelerator,
    )


def run(params: Params, work: Work) -> None:
    """Writes model_vela.tflite, vela.json and vela.ini. Raises StageError when vela refuses."""
    ini = work.out / "vela.ini"
    ini.write_text(
        vela_ini(
            params.system_config,
            params.memory_mode,
            params.core_clock,
            params.system,
            params.memory,
        )
    )
    found = work.scratch / "vela"
    _vela(params, work.inputs["model.tflite"], ini, found)
    [model] = found.glob("*_vela.tflite")
    [summary] = found.glob("*_summary_*.csv")
    (work.out / "model_vela.tflite").write_bytes(model.read_bytes())
    report = {"schema": 1, "vela": _version(), **_figures(summary)}
    report |= _operators((found / "log.txt").read_text())
    (work.out / "vela.json").write_text(json.dumps(report, indent=1) + "\n")


def _vela(params: Params, model: Path, ini: Path, out: Path) -> None:
    """Runs vela; its words go to the log and to `out`/log.txt. Raises StageError if it fails."""
    out.mkdir()
    # vela seeks a relative --config among its own files, so the path must be absolute.
    command = [sys.executable, "-m", "ethosu.vela", str(model.absolute())]
    command += ["--accelerator-config", params.accelerator, "--config", str(ini.absolute())]
    command += ["--system-config", params.system_config, "--memory-mode", params.memory_mode]
    command += ["--optimise", params.optimise, "--output-dir", str(out)]
    command += ["--show-cpu-operations"]
    done = subprocess.run(
        command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    print(done.stdout, flush=True)
    (out / "log.txt").write_text(done.stdout)
    if done.returncode != 0:
        lines = [line for line in done.stdout.splitlines() if line.strip()]
        raise StageError(
            f"vela refused the model or target.vela (exit {done.returncode}): "
            f"{lines[-1] if lines else 'no message'}"
        )


def _version() -> str:
    from importlib.metadata import version

    return version("ethos-u-vela")


def _figures(summary: Path) -> dict[str, Any]:
    """What vela's summary table says, in bytes, cycles and milliseconds."""
    with summary.open(newline="") as lines:
        row = next(csv.DictReader(lines))
    cycles = {key: round(float(v)) for key, v in row.items() if key.startswith("cycles_")}
    return {
        "accelerator": row["accelerator_configuration"],
        "core_clock_hz": float(row["core_clock"]),
        "latency_ms": round(float(row["inference_time"]) * 1000, 3),
        "sram_bytes": round(float(row["sram_memory_used"]) * KIB),
        "flash_bytes": round(float(row["off_chip_flash_memory_used"]) * KIB),
        "macs": round(float(row["nn_macs"])),
        "cycles": cycles,
    }


def _operators(log: str) -> dict[str, Any]:
    """Where vela placed each operator, from its `--show-cpu-operations` listing."""
    placed = PLACED.findall(log)
    cpu = [f"{kind} {name}" for place, kind, name in placed if place == "CPU"]
    kinds = Counter(kind for place, kind, _ in placed if place == "NPU")
    if not placed:
        raise StageError("vela lists no operator: the model is empty")
    return {
        "npu_percent": round(100 * (len(placed) - len(cpu)) / len(placed), 2),
        "npu": dict(sorted(kinds.items())),
        "cpu": cpu,
    }
