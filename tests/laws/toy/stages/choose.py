"""Toy stage: the first `count` words of the numbers; goes on where a killed run stopped."""

import time
from dataclasses import dataclass

from edgemake.work import Work


@dataclass(frozen=True)
class Params:
    count: int
    sleep: float


def run(params: Params, work: Work) -> None:
    words = [w for p in sorted(work.inputs["numbers"].iterdir()) for w in p.read_text().split()]
    kept = work.scratch / "kept.txt"
    done = kept.read_text().splitlines() if kept.exists() else []
    print("starts at", len(done))
    with (work.out / "chosen.txt").open("w") as out, kept.open("a") as keep:
        out.writelines(line + "\n" for line in done)
        for i in range(len(done), params.count):
            for stream in (out, keep):
                stream.write(words[i % len(words)] + "\n")
                stream.flush()
            time.sleep(params.sleep / params.count)
            work.progress(i, params.count, f"word {i}")
