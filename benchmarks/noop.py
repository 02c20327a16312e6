"""Nothing to do: `doit` of a built chain against peers with the same steps, edges and files."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks import peers
from benchmarks.measure import Contender, Figure, Result, in_turns, nothing_executed, ratio, run
from benchmarks.peers import Node
from benchmarks.workplace import ROOT, Workplace
from edgemake.step import Output, Step

LIMIT = 1 / 5
"""Of DVC's time."""
ROUNDS = 7
TEXT = """\
`doit {overrides}` when everything is built, against the same {count} steps (delivering is the
last) with the same edges, the same {files} files in their outputs, the stage modules and the lock
files as inputs, given to each peer. Nothing is executed in any run."""

Write = Callable[[Sequence[Node], Path], Contender]


def measure(work: Workplace) -> Result:
    """Build the peers' pipelines once, then time no-ops in turns. Raises BenchmarkError."""
    nodes = list(_nodes(work))
    writers: list[Write] = [peers.dvc, peers.snakemake, peers.plain_doit]
    contenders = [work.doit(), *(_built(work, nodes, write) for write in writers)]
    logs = [work.executions, *(c.folder / peers.RAN for c in contenders[1:])]
    with nothing_executed(logs):
        series = in_turns(contenders, ROUNDS)
    files = sum(1 for p in (work.folder / "given").rglob("*") if p.is_file())
    text = TEXT.format(overrides=" ".join(work.overrides), count=len(nodes), files=files)
    figure = Figure("no-op, of DVC's time", ratio(series[0], series[1]), LIMIT)
    return Result("Nothing to do", text, series, [figure])


def _built(work: Workplace, nodes: list[Node], write: Write) -> Contender:
    """A peer's pipeline in a folder of its own, run until there is nothing to do."""
    folder = work.folder / write.__name__
    folder.mkdir()
    (folder / "given").symlink_to(work.folder / "given")
    for name in ("stages", "toolchains"):
        shutil.copytree(ROOT / name, folder / name)
    contender = write(nodes, folder)
    for _ in range(2):
        run(contender)
    return contender


def _nodes(work: Workplace) -> Iterator[Node]:
    """The chain's steps as a peer sees them; what a step computes is a copy of its artifact."""
    for step, artifact in work.chain:
        given = work.folder / "given" / _name(step)
        for name in step.outputs:
            _copy(artifact.path / name, given / name)
        folders = [name for name in step.outputs if (given / name).is_dir()]
        files = [name for name in step.outputs if name not in folders]
        yield _node(_name(step), _inputs(step), files, folders)
    roots = work.delivery.roots()
    wanted = [_path(root[name]) for root in roots for name in root.outputs]
    for name in work.delivery.package.outputs:
        _copy(work.folder / "given" / _name(work.delivery.package) / name,
              work.folder / "given/deliver" / name)  # fmt: skip
    yield _node("deliver", wanted, list(work.delivery.package.outputs), [])


def _node(name: str, inputs: list[str], files: list[str], folders: list[str]) -> Node:
    out = f"out/{name}"
    return Node(
        name=name,
        command=f"mkdir -p {out} && cp -r given/{name}/. {out}/ && echo {name} >> {peers.RAN}",
        inputs=inputs,
        files=[f"{out}/{path}" for path in files],
        folders=[f"{out}/{path}" for path in folders],
    )


def _inputs(step: Step) -> list[str]:
    lock = [f"toolchains/{step.toolchain}.lock"] if step.toolchain else []
    edges = [_path(edge) for edge in step.inputs.values() if isinstance(edge, Output)]
    return [f"stages/{step.stage}.py", *lock, *dict.fromkeys(edges)]


def _path(edge: Output) -> str:
    return f"out/{_name(edge.step)}/{edge.path}"


def _name(step: Step) -> str:
    """Of the chain's steps; peers want an identifier."""
    return re.sub(r"\W+", "_", f"{step.stage}_{step.label}")


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, copy_function=shutil.copyfile)
    else:
        shutil.copyfile(source, target)
