"""Fills into a delivered report what only the build knows: what ran and why, config, versions.

No stage: the program calls `complete` when it puts the report beside its model. So the report is
the same artifact whether its steps ran or were reused. Standard library only.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from vision.report_nodes import node_ids
from vision.report_table import Cell, Column, Row, badge, number, table
from vision.report_units import plural

REPORT = "report.html"
REUSED = "reused"
"""What a step did that did not run."""
TONES = {REUSED: "none", "built": "good", "repaired": "look", "different": "look", "failed": "bad"}
"""What a step did -> the badge's tone; any other word is told without judging."""
RAN_STYLE = "fill:var(--good-back)!important;stroke:var(--good)!important;stroke-width:2!important"
REUSED_STYLE = "stroke-dasharray:4 3!important"
REASONS = 3
"""Told of each step; another toolchain alone brings one a package."""
SHORT = 8
"""Characters of a digest that tell steps apart."""

Json = Mapping[str, Any]


def complete(folder: Path, facts: Json) -> None:
    """Replaces the markers of report.html in `folder`.

    `facts`: `config` (nested) and `steps`, in order: stage, label, digest, outcome, seconds, why,
    parents, toolchain, packages. Without a report, or without its markers, nothing happens.
    """
    path = folder / REPORT
    if not path.is_file():
        return
    text = path.read_text(encoding="utf-8")
    steps = list({(step["stage"], step["digest"]): step for step in facts["steps"]}.values())
    for marker, filling in (
        ("graph", _graph_style(steps)),
        ("steps", _steps(steps)),
        ("config", _config(facts["config"])),
        ("provenance", _provenance(steps)),
    ):
        text = text.replace(f"<!-- edgemake:{marker} -->", filling, 1)
    path.write_text(text, encoding="utf-8")


def _graph_style(steps: Sequence[Json]) -> str:
    """What ran is filled and framed thickly; what was reused has a dashed frame."""
    ids = node_ids((step["stage"], step["label"]) for step in steps)
    ran = [name for name, step in zip(ids, steps, strict=True) if step["outcome"] != REUSED]
    reused = [name for name in ids if name not in ran]
    rules = "".join(
        ",".join(f"#{name} path" for name in names) + f"{{{style}}}"
        for style, names in ((RAN_STYLE, ran), (REUSED_STYLE, reused))
        if names
    )
    return f"<style>{rules}</style>"


def _steps(steps: Sequence[Json]) -> str:
    ran = [step for step in steps if step["outcome"] != REUSED]
    seconds = sum(step["seconds"] for step in ran)
    told = f"{plural(len(ran), 'step')} ran in {_time(seconds)}, {len(steps) - len(ran)} reused."
    columns = [Column("step"), Column("what"), Column("in this build")]
    columns += [Column("seconds", True, about="of a reused step: when it was built")]
    columns.append(Column("why", wide=True))
    columns += [Column("made of"), Column("toolchain"), Column("digest")]
    rows = [
        [
            Cell(step["stage"], sort=float(place), strong=True),
            step["label"],
            Cell(step["outcome"], tone=TONES.get(step["outcome"], "none")),
            number(step["seconds"], 1),
            _why(step),
            ", ".join(parent.partition(":")[0] for parent in step["parents"]),
            (step.get("toolchain") or {}).get("name", ""),
            Cell(step["digest"][:SHORT], code=True),
        ]
        for place, step in enumerate(steps)
    ]
    legend = (
        f'<p class="legend"><span>{badge("good", "filled")} ran in this build</span>'
        f"<span>{badge('none', 'dashed')} reused: all it was made of is unchanged</span></p>"
    )
    caption = "Steps in the order in which they can run"
    return f"<p>{html.escape(told)}</p>{legend}{table(caption, columns, rows, 'steps-table')}"


def _why(step: Json) -> str:
    """The reasons why it ran; those of a reused step are of the day when it was built."""
    if step["outcome"] == REUSED:
        return "all it is made of is unchanged"
    more = len(step["why"]) - REASONS
    return "; ".join(step["why"][:REASONS]) + (f"; and {more} more" if more > 0 else "")


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min"


def _config(config: Json) -> str:
    """A table a section; sections that are one value come first, together."""
    plain = {key: value for key, value in config.items() if not isinstance(value, Mapping)}
    parts: list[tuple[str, Json]] = [("general", plain)] if plain else []
    parts += [(key, value) for key, value in config.items() if isinstance(value, Mapping)]
    return "".join(_section(name, dict(_leaves(value, ""))) for name, value in parts)


def _section(name: str, leaves: Mapping[str, str]) -> str:
    columns = [Column("key"), Column("value")]
    prefix = "" if name == "general" else f"{name}."
    rows = [
        [Cell(prefix + key, code=True), Cell(value, code=True)] for key, value in leaves.items()
    ]
    return (
        f"<details><summary>{html.escape(name)} ({plural(len(rows), 'key')})</summary>"
        f"{table(f'Configuration: {name}', columns, rows)}</details>"
    )


def _leaves(value: Any, key: str) -> Iterable[tuple[str, str]]:
    """Dotted key and value of everything below `value`, in order of keys."""
    if isinstance(value, Mapping) and value:
        for name in sorted(value, key=str):
            yield from _leaves(value[name], f"{key}.{name}" if key else str(name))
    else:
        yield key, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _provenance(steps: Sequence[Json]) -> str:
    """Versions of all packages by toolchain, and every output's digest."""
    locks: dict[str, str] = {}
    packages: dict[tuple[str, str], set[str]] = {}
    for step in steps:
        if toolchain := step.get("toolchain"):
            locks[toolchain["name"]] = toolchain["lock"]
            for package, version in step["packages"].items():
                packages.setdefault((package, version), set()).add(toolchain["name"])
    tools: list[Row] = [
        [Cell(package, code=True), Cell(version, code=True), ", ".join(sorted(names))]
        for (package, version), names in sorted(packages.items())
    ]
    outputs: list[Row] = [
        [f"{step['stage']}: {step['label']}", Cell(name, code=True), Cell(_digest(said), code=True)]
        for step in steps
        for name, said in step.get("outputs", {}).items()
    ]
    used: list[Row] = [[name, Cell(lock, code=True)] for name, lock in sorted(locks.items())]
    two = [Column("toolchain"), Column("lock")]
    three = [Column("package"), Column("version"), Column("toolchains")]
    made = [Column("step"), Column("output"), Column("SHA-256")]
    return (
        table("Toolchains and the digests of their locks", two, used)
        + _folded(f"Versions of {plural(len(tools), 'package')}", table("Packages", three, tools))
        + _folded(f"{plural(len(outputs), 'output')} of steps", table("Outputs", made, outputs))
    )


def _digest(said: Any) -> str:
    return said if isinstance(said, str) else json.dumps(said, sort_keys=True)


def _folded(title: str, content: str) -> str:
    return (
        f"<details><summary>{html.escape(title)}</summary>"
        f'<div class="tall">{content}</div></details>'
    )
