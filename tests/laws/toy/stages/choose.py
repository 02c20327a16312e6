"""Toy stage: the first `count` words of the numbers."""

import time
from dataclasses import dataclass

from edgemake.work import Work


@dataclass(frozen=True)
class Params:
    count: int
    sleep: float


def run(params: Params, work: Work) -> None:
    words = [w for p in sorted(work.inputs["numbers"].iterdir()) for w in p.read_text().split()]
    with (work.out / "chosen.txt").open("w") as out:
        for i in range(params.count):
            out.write(words[i % len(words)] + "\n")
            out.flush()
            time.sleep(params.sleep / params.count)
            work.progress(i, params.count, f"word {i}")
