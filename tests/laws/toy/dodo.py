"""A project of three toy stages, on the real engine: source -> choose -> pack."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from edgemake.config import load
from edgemake.delivery import Delivery, Measures
from edgemake.plan import Errand, Plan
from edgemake.project import Project
from edgemake.step import Step, UserFile
from edgemake.sweep import plan_each
from stages import choose, source

PROJECT = Project(Path(__file__).resolve().parent)
FIGURES = ("length", "words", "pages")


class Sleep(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    source: float
    choose: float


class Toy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    seed: int
    count: int
    more: list[int]
    limit: int
    text: str
    sleep: Sleep
    proof: Literal["none", "after", "before"]
    toolchain: str | None


def plan(overrides: Sequence[str], *, keep: bool = True) -> Plan:
    words = [word for word in overrides if word.startswith("image=")]
    config = load(PROJECT, [word for word in overrides if word not in words], Toy, keep=keep)
    return _plan_one(config, words)


def _plan_one(config: Toy, words: Sequence[str] = ()) -> Plan:
    numbers = Step(
        "source",
        source.Params(config.seed, config.sleep.source),
        {"text": UserFile(PROJECT.root / config.text)},
        ("numbers",),
        label="numbers",
    )
    deliveries = [_delivery(config, numbers, count) for count in (config.count, *config.more)]
    return Plan(deliveries, errand=_errand(deliveries[0], words[-1]) if words else None)


def plan_points(points: Sequence[Sequence[str]], *, keep: bool = True) -> Plan:
    return plan_each(PROJECT, points, Toy, _plan_one, keep=keep)


def _errand(delivery: Delivery, word: str) -> Errand:
    """`doit infer image=FILE`: looks for the words of a file among the chosen ones."""
    picture = PROJECT.root / word.removeprefix("image=")
    inputs = {"chosen": delivery.package.inputs["chosen"], "picture": UserFile(picture)}
    step = Step("look", {}, inputs, ("seen.txt",), label=picture.name)
    return Errand(step, lambda folder: (folder / "seen.txt").read_text().splitlines())


def _delivery(config: Toy, numbers: Step, count: int) -> Delivery:
    chosen = Step(
        "choose",
        choose.Params(count, config.sleep.choose),
        {"numbers": numbers["numbers"]},
        ("chosen.txt",),
        label=f"n{count}",
        resumable=True,
    )
    packed = Step(
        "pack",
        {"limit": config.limit},
        {"chosen": chosen["chosen.txt"]},
        ("model.txt", "verdict.json"),
        toolchain=config.toolchain,
        label=f"n{count}",
    )
    verdicts = (packed["verdict.json"],)
    plain = msgspec.to_builtins(config)
    if config.proof == "none":
        return Delivery("board", f"toy-{count}", packed, verdicts, plain, measures=lambda: SHORT)
    page = Step("tally", {}, {"model": packed["model.txt"]}, ("report.txt",), label=f"n{count}")
    return Delivery(
        "board",
        f"toy-{count}",
        packed,
        verdicts,
        plain,
        appendix=(page["report.txt"],),
        waits=config.proof == "before",
        complete=_complete,
        measures=lambda: LONG,
    )


def _complete(folder: Path, facts: Mapping[str, Any]) -> None:
    page = folder / "report.txt"
    steps = "\n".join(f"{step['stage']} {step['outcome']}" for step in facts["steps"])
    page.write_text(page.read_text().replace("<steps>", steps))


def _measured(folder: Path, name: str) -> float | None:
    """`length` and `words` of what was delivered, `pages` of its appendix."""
    text = (folder / "model.txt").read_text()
    if name == "pages":
        return 1.0 if (folder / "report.txt").exists() else None
    return float(len(text) if name == "length" else len(text.split()))


SHORT, LONG = Measures(FIGURES[:2], _measured), Measures(FIGURES, _measured)


if __name__ == "__main__":
    import sys

    from edgemake.hydra_app import main

    sys.exit(main(PROJECT, FIGURES))
