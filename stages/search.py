"""Keeps the best of several ways to quantize: the most accurate that board and gates take."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from edgemake.errors import UserError
from edgemake.step import Input, Step
from edgemake.work import Work

if TYPE_CHECKING:
    from stages.schema import Config

SCHEMA = 1
"""Version of search.json; see docs/search.md."""
MOST = 100
"""Ways to try; more are a slip of the keyboard, or a sweep."""
CALIBRATION = ("count",)
"""Keys of quant.calibration among those of quant.search; the others are quant's own."""


@dataclass(frozen=True)
class Try:
    """One way to quantize, built and measured."""

    values: Mapping[str, Any]
    """Key of quant.search -> the value tried."""
    files: Mapping[str, Input]
    """What is handed on of the best, by name."""
    metrics: Input
    verdicts: Mapping[str, Input]
    """The board's, and the gates' where there are any, by name."""


@dataclass(frozen=True)
class Params:
    """What was tried, in order, and the names of the files that are handed on."""

    tries: list[dict[str, Any]]
    files: list[str]
    verdicts: list[str]


def candidates(config: Config) -> list[tuple[dict[str, Any], Config]]:
    """Every combination of the lists in quant.search, as (values, the config that says so).

    Empty when all lists are. Raises UserError for a value twice, or for too many combinations.
    """
    from msgspec.structs import asdict, replace

    lists = {key: values for key, values in asdict(config.quant.search).items() if values}
    for key, values in lists.items():
        if len(set(values)) < len(values):
            raise UserError(f"quant.search.{key}={values} names a value twice; leave one out")
    if not lists:
        return []
    combinations = [dict(zip(lists, values, strict=True)) for values in product(*lists.values())]
    if len(combinations) > MOST:
        raise UserError(
            f"quant.search asks for {len(combinations)} tries, more than {MOST}; shorten its lists"
        )
    found = []
    for values in combinations:
        own = {key: value for key, value in values.items() if key not in CALIBRATION}
        other = {key: value for key, value in values.items() if key in CALIBRATION}
        calibration = replace(config.quant.calibration, **other)
        quant = replace(config.quant, calibration=calibration, **own)
        found.append((values, replace(config, quant=quant)))
    return found


def plan(tries: Sequence[Try]) -> Step:
    """The step that leaves the best try's files under their own names, and search.json."""
    first = tries[0]
    inputs: dict[str, Input] = {}
    for i, tried in enumerate(tries):
        inputs |= {f"{i}.{name}": edge for name, edge in tried.files.items()}
        inputs |= {f"{i}.{name}": edge for name, edge in tried.verdicts.items()}
        inputs[f"{i}.metrics.json"] = tried.metrics
    files, verdicts = sorted(first.files), sorted(first.verdicts)
    return Step(
        stage="search",
        params=Params([dict(tried.values) for tried in tries], files, verdicts),
        inputs=inputs,
        outputs=(*files, *verdicts, "search.json"),
        label=f"{len(tries)} tries",
    )


def run(params: Params, work: Work) -> None:
    """Copies the best try's files and verdicts; search.json tells of all."""
    tries = []
    for i, values in enumerate(params.tries):
        metrics = json.loads(work.inputs[f"{i}.metrics.json"].read_bytes())
        verdicts = [json.loads(work.inputs[f"{i}.{name}"].read_bytes()) for name in params.verdicts]
        tries.append(describe(values, metrics, verdicts))
    chosen = best(tries)
    for name in (*params.files, *params.verdicts):
        shutil.copyfile(work.inputs[f"{chosen}.{name}"], work.out / name)
    text = json.dumps({"schema": SCHEMA, "chosen": chosen, "tries": tries}, indent=1)
    (work.out / "search.json").write_text(text + "\n", encoding="utf-8")


def describe(
    values: dict[str, Any], metrics: dict[str, Any], verdicts: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """What is known of one try."""
    board = metrics["board"]
    final = board["tiers"][board["final"]]
    kinds = [kind for kind in ("box", "keypoints") if kind in final]
    return {
        "quant": values,
        "map50_95": {kind: final[kind]["map50_95"] for kind in kinds},
        "drop": {kind: board["drop"][kind]["map50_95"] for kind in kinds},
        "passed": all(verdict["passed"] for verdict in verdicts),
        "refusals": [
            f"{line['rule']}: {line['found']}, demanded {line['demanded']}"
            for verdict in verdicts
            for line in verdict["lines"]
            if line["result"] == "fail"
        ],
    }


def best(tries: Sequence[Mapping[str, Any]]) -> int:
    """Index of the most accurate try that is not refused; of all, when every one is.

    Of boxes and keypoints the mean of both counts; the earlier wins a tie.
    """

    def accuracy(i: int) -> float:
        values = [value or 0.0 for value in tries[i]["map50_95"].values()]
        return sum(values) / len(values)

    passed = [i for i, tried in enumerate(tries) if tried["passed"]]
    return max(passed or range(len(tries)), key=accuracy)
