"""Models side by side: the rows, what may be compared, the fronts, and what must be said of it.

Plain values in, plain values out: what a page and a terminal show.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vision.compare_figures import COST, COSTS, SECTIONS, Entry, Figure, final, measured
from vision.pareto import front

SCHEMA = 1
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
DASH = "–"
_DATA = ("task", "dataset", "split", "images", "classes", "instances")
"""Of metrics.json: what makes two measurements of accuracy measurements of the same thing."""
_SCORES = {"box": "mAP50-95 of boxes", "keypoints": "mAP50-95 of keypoints"}

Plain = dict[str, Any]


def compared(names: Sequence[str], entries: Sequence[Entry]) -> Plain:
    """compare.json but for `differences`; its fields are explained in docs/compare.md.

    Raises KeyError, TypeError or ValueError for files that are not what they should be.
    """
    data = _data(entries)
    return {
        "schema": SCHEMA,
        "made_by": "doit compare",
        "entries": [_entry(i, name, entries[i], data) for i, name in enumerate(names)],
        "data": data,
        "sections": list(_sections(entries, comparable=len(data) < 2)),
        "charts": list(_charts(entries, data)),
        "notes": list(_notes(entries, data)),
    }


def check(entry: Entry) -> None:
    """Raises KeyError, TypeError or ValueError for files that cannot be compared."""
    compared([""], [entry])
    if measured(entry):
        final(entry)["box"]["map50_95"]


def _entry(index: int, name: str, entry: Entry, data: Sequence[Plain]) -> Plain:
    model = entry["model"]
    letter = LETTERS[index]
    return {
        "letter": letter,
        "name": name,
        "target": model["target"]["name"],
        "title": model["target"]["title"],
        "task": model["task"],
        "passed": _passed(entry),
        "data": next((i for i, group in enumerate(data) if letter in group["entries"]), None),
    }


def _data(entries: Sequence[Entry]) -> list[Plain]:
    """What accuracy was measured on, in order of appearance, and by which entries."""
    found: dict[str, Plain] = {}
    for letter, entry in zip(LETTERS, entries, strict=False):
        if not measured(entry):
            continue
        metrics = entry["metrics"]
        same = [metrics[name] for name in _DATA] + [metrics["board"]["score"]]
        told = {name: metrics[name] for name in _DATA[:4]} | {"entries": []}
        found.setdefault(json.dumps(same), told)["entries"].append(letter)
    return list(found.values())


def _sections(entries: Sequence[Entry], *, comparable: bool) -> Iterator[Plain]:
    for title, figures in SECTIONS:
        rows = [_row(figure, entries, comparable=comparable) for figure in figures]
        known = [row for row in rows if any(value is not None for value in row["values"])]
        if known:
            yield {"title": title, "rows": known}


def _row(figure: Figure, entries: Sequence[Entry], *, comparable: bool) -> Plain:
    values = [figure.of(entry) for entry in entries]
    usable = [value if _passed(e) else None for value, e in zip(values, entries, strict=True)]
    best = _best(usable, figure.best) if comparable or not figure.accuracy else []
    return {
        "key": figure.key,
        "label": figure.label,
        "values": values,
        "texts": [_text(value, figure.digits) for value in values],
        "best": best,
    }


def _passed(entry: Entry) -> bool:
    """Whether the board would run it; what it refuses is best at nothing."""
    return bool(entry["model"]["contract"]["passed"])


def _best(values: Sequence[Any], end: str | None) -> list[int]:
    """Positions of the best values; none where all are as good."""
    known = [value for value in values if value is not None]
    if end is None or len(set(known)) < 2:
        return []
    best = max(known) if end == "high" else min(known)
    return [i for i, value in enumerate(values) if value == best]


def _text(value: Any, digits: int) -> str:
    if value is None:
        return DASH
    if isinstance(value, float):
        return f"{value + 0.0:,.{digits}f}"  # + 0.0: no -0.00
    return str(value)


def _charts(entries: Sequence[Entry], data: Sequence[Plain]) -> Iterator[Plain]:
    """Accuracy against each cost, of each data set that was measured on."""
    costs = {figure.key: figure for figure in COST}
    for number, group in enumerate(data):
        letters: list[str] = group["entries"]
        chosen = [entries[LETTERS.index(letter)] for letter in letters]
        kind = "keypoints" if all("keypoints" in final(entry) for entry in chosen) else "box"
        values = [final(entry)[kind]["map50_95"] for entry in chosen]
        refused = [not _passed(entry) for entry in chosen]
        for key, label in COSTS:
            paid = [costs[key].of(entry) for entry in chosen]
            yield {
                "data": number,
                "cost": key,
                "label": label,
                "accuracy": _SCORES[kind],
                **_points(letters, paid, values, refused),
            }


def _points(
    letters: Sequence[str], costs: Sequence[Any], values: Sequence[Any], refused: Sequence[bool]
) -> Plain:
    """The points with both figures, which of them no other beats, and why the others are none."""
    known, without = [], []
    for i, letter in enumerate(letters):
        if refused[i] or costs[i] is None or values[i] is None:
            why = "refused" if refused[i] else "no such cost" if costs[i] is None else "no mAP"
            without.append({"letter": letter, "why": why})
        else:
            known.append(i)
    best = [known[i] for i in front([(costs[i], values[i]) for i in known])]
    return {
        "points": [
            {"letter": letters[i], "x": costs[i], "y": values[i], "front": i in best} for i in known
        ],
        "front": [letters[i] for i in best],
        "without": without,
    }


def _notes(entries: Sequence[Entry], data: Sequence[Plain]) -> Iterator[str]:
    """What a reader must know of the figures, worst first."""
    yield from _data_notes(data)
    pairs = dict(zip(LETTERS, entries, strict=False))
    counted = [letter for letter, entry in pairs.items() if measured(entry)]
    refused = [letter for letter, entry in pairs.items() if not _passed(entry)]
    if refused:
        yield f"{_list(refused)}: the board would refuse the file, so it is best at nothing"
    for letter, entry in pairs.items():
        if letter not in counted:
            yield f"{letter}: {_unmeasured(entry)}"
    yield from _cost_notes(pairs)
    yield from _runtimes({letter: pairs[letter] for letter in counted})


def _unmeasured(entry: Entry) -> str:
    """Why there is no accuracy of int8, and what to do about it."""
    if entry["metrics"] is not None:
        return "the accuracy of int8 was not measured: evaluate.tiers left it out; null takes all"
    target = entry["model"]["target"]["name"]
    return (
        f"accuracy was not measured, there is no metrics.json; `doit target={target}` with the "
        "overrides of its build measures it"
    )


def _data_notes(data: Sequence[Plain]) -> Iterator[str]:
    if len(data) < 2:
        return
    told = "; ".join(f"{_list(group['entries'])}: {describe(group)}" for group in data)
    yield (
        f"accuracy was not measured on the same thing ({told}). Such figures say nothing about one "
        "another: none of them is marked as best, and each has charts of its own"
    )
    if len({describe(group) for group in data}) < len(data):
        yield (
            "where the words are the same, the labels are not: other classes, other objects, or "
            "another evaluate.score"
        )


def describe(group: Mapping[str, Any]) -> str:
    """What accuracy was measured on, in words."""
    return f"{group['task']} on {group['images']} images of {group['dataset']} ({group['split']})"


def _cost_notes(pairs: Mapping[str, Entry]) -> Iterator[str]:
    """Whose figures latency and arena are: estimates of several tools are not one measure."""
    figures = {letter: entry["model"]["figures"] for letter, entry in pairs.items()}
    timed = [letter for letter in pairs if figures[letter].get("latency_ms") is not None]
    untimed = [letter for letter in pairs if letter not in timed]
    if timed:
        yield f"{_list(timed)}: latency is vela's estimate, not measured on a board"
    if untimed:
        yield (
            f"{_list(untimed)}: no latency; nothing here estimates it for a board without an "
            "Ethos-U, measure it there"
        )
    sources: dict[str, list[str]] = {}
    for letter in pairs:
        if figures[letter].get("arena_bytes") is not None:
            source = figures[letter].get("arena_source") or "its source is not told"
            sources.setdefault(source, []).append(letter)
    for source, letters in sources.items():
        yield f"{_list(letters)}: arena as told by {source}"
    unknown = [letter for letter in pairs if figures[letter].get("arena_bytes") is None]
    if unknown:
        yield f"{_list(unknown)}: no arena; the runtime takes its memory as it goes"


def _runtimes(pairs: Mapping[str, Entry]) -> Iterator[str]:
    runs: dict[str, list[str]] = {}
    for letter, entry in pairs.items():
        runs.setdefault(final(entry)["runtime"], []).append(letter)
    for runtime, letters in runs.items():
        yield (
            f"{_list(letters)}: accuracy of the int8 file in {runtime} on a PC, with the board's "
            "preprocessing and decoding; the board may round otherwise"
        )


def _list(letters: Sequence[str]) -> str:
    """'A', 'A and B', 'A, B and C'."""
    return " and ".join(filter(None, (", ".join(letters[:-1]), letters[-1])))
