"""What a reader must know of the figures of several models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from vision.compare_figures import Entry, final
from vision.compare_groups import Plain, describe

RUN = 3
"""Numbers in a row that are told by the first and the last."""


def data_notes(data: Sequence[Plain]) -> Iterator[str]:
    """That accuracies of several data sets are no comparison."""
    if len(data) < 2:
        return
    told = "; ".join(f"{listed(group['entries'])}: {describe(group)}" for group in data)
    yield (
        f"accuracy was not measured on the same thing ({told}). Such figures say nothing about one "
        "another: none of them is marked as best, and each has charts of its own"
    )
    if len({describe(group) for group in data}) < len(data):
        yield (
            "where the words are the same, the labels are not: other classes, other objects, or "
            "another evaluate.score"
        )


def cost_notes(pairs: Mapping[str, Entry]) -> Iterator[str]:
    """Whose figures latency and arena are: estimates of several tools are not one measure."""
    figures = {label: entry["model"]["figures"] for label, entry in pairs.items()}
    timed = [label for label in pairs if figures[label].get("latency_ms") is not None]
    untimed = [label for label in pairs if label not in timed]
    if timed:
        yield f"{listed(timed)}: latency is vela's estimate, not measured on a board"
    if untimed:
        yield (
            f"{listed(untimed)}: no latency; nothing here estimates it for a board without an "
            "Ethos-U, measure it there"
        )
    sources: dict[str, list[str]] = {}
    for label in pairs:
        if figures[label].get("arena_bytes") is not None:
            source = figures[label].get("arena_source") or "its source is not told"
            sources.setdefault(source, []).append(label)
    for source, labels in sources.items():
        yield f"{listed(labels)}: arena as told by {source}"
    unknown = [label for label in pairs if figures[label].get("arena_bytes") is None]
    if unknown:
        yield f"{listed(unknown)}: no arena; the runtime takes its memory as it goes"


def runtimes(pairs: Mapping[str, Entry]) -> Iterator[str]:
    """What stood for the board where accuracy was measured; all of `pairs` have it."""
    runs: dict[str, list[str]] = {}
    for label, entry in pairs.items():
        runs.setdefault(final(entry)["runtime"], []).append(label)
    for runtime, labels in runs.items():
        yield (
            f"{listed(labels)}: accuracy of the int8 file in {runtime} on a PC, with the board's "
            "preprocessing and decoding; the board may round otherwise"
        )


def listed(labels: Sequence[str]) -> str:
    """'A', 'A and B', 'A, B and C'; numbers in a row as '1 to 4'."""
    parts = list(_in_runs(labels))
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))


def _in_runs(labels: Sequence[str]) -> Iterator[str]:
    run: list[str] = []
    for label in labels:
        if run and not (label.isdigit() and run[-1].isdigit() and int(label) == int(run[-1]) + 1):
            yield from _told(run)
            run = []
        run.append(label)
    yield from _told(run)


def _told(run: Sequence[str]) -> Sequence[str]:
    return (f"{run[0]} to {run[-1]}",) if len(run) >= RUN else run
