"""Toy stage: which words of a file of the user's were chosen."""

from typing import Any

from edgemake.work import StageError, Work


def run(params: dict[str, Any], work: Work) -> None:
    words = work.inputs["picture"].read_text().split()
    if "torn" in words:
        raise StageError("image: the file is torn")
    chosen = work.inputs["chosen"].read_text().split()
    lines = [f"{word}: {chosen.count(word)} times" for word in words]
    (work.out / "seen.txt").write_text("\n".join(lines))
