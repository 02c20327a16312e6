"""Toy stage: a page about the result, with a gap for what only the build knows."""

from typing import Any

from edgemake.work import Work


def run(params: dict[str, Any], work: Work) -> None:
    words = work.inputs["model"].read_text().split()
    (work.out / "report.txt").write_text(f"{len(words)} words\n<steps>\n")
