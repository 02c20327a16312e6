"""Toy stage: numbers from a text file of the user's."""

import time
from dataclasses import dataclass

from edgemake.work import Work


@dataclass(frozen=True)
class Params:
    seed: int
    sleep: float


def run(params: Params, work: Work) -> None:
    text = work.inputs["text"].read_text()
    time.sleep(params.sleep)
    folder = work.out / "numbers"
    folder.mkdir()
    for i in range(5):
        (folder / f"{i}.txt").write_text(f"{text.strip()} {params.seed} {i}\n")
