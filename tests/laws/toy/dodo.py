"""A project of three toy stages, on the real engine: source -> choose -> pack."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from edgemake.build import Plan
from edgemake.config import load
from edgemake.deliver import Delivery
from edgemake.project import Project
from edgemake.step import Step, UserFile
from stages import choose, source

PROJECT = Project(Path(__file__).resolve().parent)


class Sleep(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    source: float
    choose: float


class Toy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    seed: int
    count: int
    limit: int
    text: str
    sleep: Sleep


def plan(overrides: Sequence[str], *, keep: bool = True) -> Plan:
    config = load(PROJECT, overrides, Toy, keep=keep)
    numbers = Step(
        "source",
        source.Params(config.seed, config.sleep.source),
        {"text": UserFile(PROJECT.root / config.text)},
        ("numbers",),
        label="numbers",
    )
    chosen = Step(
        "choose",
        choose.Params(config.count, config.sleep.choose),
        {"numbers": numbers["numbers"]},
        ("chosen.txt",),
        label=f"n{config.count}",
    )
    packed = Step(
        "pack", {"limit": config.limit}, {"chosen": chosen["chosen.txt"]},
        ("model.txt", "verdict.json"), label="pack",
    )  # fmt: skip
    name = f"toy-{config.count}"
    verdicts = (packed["verdict.json"],)
    return Plan([Delivery("board", name, packed, verdicts, msgspec.to_builtins(config))])
