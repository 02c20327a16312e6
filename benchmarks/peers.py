"""The peers: installed beside nothing of ours, and given the same graph of steps to build."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import uv

from benchmarks.measure import Contender, run, say
from benchmarks.workplace import DOIT, PLACE

LIST = Path(__file__).with_name("peers.in")
RAN = "ran.txt"
"""The file to which every command of a peer's pipeline adds a line."""
QUIET = {"DVC_NO_ANALYTICS": "1"}


@dataclass(frozen=True)
class Node:
    """One step of a peer's pipeline. Paths are relative to the pipeline's folder."""

    name: str
    command: str
    inputs: list[str]
    files: list[str]
    """Outputs that are files."""
    folders: list[str]
    """Outputs that are folders."""


def installed() -> Path:
    """The environment with the peers, made on first use."""
    place = PLACE / f"peers-{hashlib.sha256(LIST.read_bytes()).hexdigest()[:12]}"
    if not (place / "complete").exists():
        say("installing the peers")
        binary, python = uv.find_uv_bin(), str(place / "bin/python")
        shutil.rmtree(place, ignore_errors=True)
        base = ["venv", "--quiet", "--no-project", "--python", sys.executable, str(place)]
        sync = ["pip", "install", "--quiet", "--compile-bytecode", "--python", python]
        for arguments in (base, [*sync, "-r", str(LIST)]):
            subprocess.run([binary, *arguments], check=True)
        (place / "complete").touch()
    return place


def dvc(nodes: Sequence[Node], folder: Path) -> Contender:
    """`dvc repro` of the pipeline, without git and without telemetry."""
    program = str(installed() / "bin/dvc")
    contender = Contender("dvc repro", [program, "repro"], folder, QUIET)
    for command in (
        ["init", "--no-scm", "--quiet"],
        ["config", "core.analytics", "false"],
        ["config", "core.check_update", "false"],
    ):
        run(Contender("dvc", [program, *command], folder, QUIET))
    stages = {
        n.name: {"cmd": n.command, "deps": n.inputs, "outs": [*n.files, *n.folders]} for n in nodes
    }
    (folder / "dvc.yaml").write_text(json.dumps({"stages": stages}, indent=1))  # JSON is YAML
    return contender


def snakemake(nodes: Sequence[Node], folder: Path) -> Contender:
    """`snakemake` of the pipeline; its last node is the goal."""
    rules = [f"rule all:\n    input: {[*nodes[-1].files, *nodes[-1].folders]!r}\n"]
    for node in nodes:
        outputs = [*map(repr, node.files), *(f"directory({path!r})" for path in node.folders)]
        rules.append(
            f"rule {node.name}:\n    input: {node.inputs!r}\n"
            f"    output: {', '.join(outputs)}\n    shell: {node.command!r}\n"
        )
    (folder / "Snakefile").write_text("\n".join(rules))
    program = str(installed() / "bin/snakemake")
    return Contender("snakemake", [program, "--cores", "1"], folder)


def plain_doit(nodes: Sequence[Node], folder: Path) -> Contender:
    """doit alone, every file of a folder named, as doit wants it."""
    (folder / "graph.json").write_text(json.dumps([asdict(node) for node in nodes]))
    (folder / "dodo.py").write_text(_DODO)
    return Contender("doit alone", [str(DOIT)], folder)


_DODO = """\
import json
from pathlib import Path


def files(paths):
    for path in map(Path, paths):
        given = Path("given", *path.parts[1:])  # has the files of out/ before they are made
        inside = [path / p.relative_to(given) for p in given.rglob("*") if p.is_file()]
        yield from map(str, inside or [path])


def task_step():
    for node in json.loads(Path("graph.json").read_text()):
        yield {
            "name": node["name"],
            "actions": [node["command"]],
            "file_dep": list(files(node["inputs"])),
            "targets": list(files([*node["files"], *node["folders"]])),
        }
"""
