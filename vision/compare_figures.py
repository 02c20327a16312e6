"""The figures that models are compared by: where each is read, and which end of it is good."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Entry = Mapping[str, Any]
"""`model`: model.json; `metrics`: metrics.json, or None where accuracy was not measured."""
KIB = 1024


@dataclass(frozen=True)
class Figure:
    """One row of a comparison."""

    key: str
    label: str
    read: Callable[[Entry], Any]
    """The value (a number, or a word), None for one that the entry does not have; a KeyError or a
    TypeError says so too."""
    digits: int = 0
    """Places behind the point, of a number."""
    best: Literal["high", "low", None] = None
    """Which end is good; None: the row is for reading."""
    accuracy: bool = False
    """Whether it depends on the images, so that only equal data sets can be compared."""

    def exact(self, entry: Entry) -> Any:
        """The value as it was measured; None for an entry that has none."""
        try:
            return self.read(entry)
        except (KeyError, TypeError):
            return None

    def of(self, entry: Entry) -> Any:
        """The value, rounded as it is shown; None for an entry that has none."""
        value = self.exact(entry)
        return round(value, self.digits) if isinstance(value, float) else value


def measured(entry: Entry) -> bool:
    """Whether it is known how accurate int8 is as on the board. Raises KeyError for metrics that
    are not what they should be."""
    metrics = entry["metrics"]
    return metrics is not None and metrics["board"] is not None and bool(metrics["board"]["final"])


def final(entry: Entry) -> Mapping[str, Any]:
    """The accuracy of what comes closest to the board's own run. Raises TypeError without any."""
    board = entry["metrics"]["board"]
    found: Mapping[str, Any] = board["tiers"][board["final"]]
    return found


def reference(entry: Entry) -> Mapping[str, Any]:
    """The accuracy of the float network, decoded as the board does."""
    board = entry["metrics"]["board"]
    found: Mapping[str, Any] = board["tiers"][board["reference"]]
    return found


def _accuracy(kind: str, words: str) -> tuple[Figure, ...]:
    """Rows of `box` or `keypoints`."""

    def drop(entry: Entry) -> Any:
        return entry["metrics"]["board"]["drop"][kind]["map50_95"]

    return (
        _measured(f"{kind}.map50_95", f"mAP50-95, {words}", lambda e: final(e)[kind]["map50_95"]),
        _measured(f"{kind}.map50", f"mAP50, {words}", lambda e: final(e)[kind]["map50"]),
        _measured(
            f"{kind}.float", f"float mAP50-95, {words}", lambda e: reference(e)[kind]["map50_95"]
        ),
        Figure(
            f"{kind}.drop",
            f"lost to int8, points, {words}",
            drop,
            digits=2,
            best="low",
            accuracy=True,
        ),
    )


def _measured(key: str, label: str, read: Callable[[Entry], Any]) -> Figure:
    return Figure(key, label, read, digits=3, best="high", accuracy=True)


def _at_threshold(name: str) -> Callable[[Entry], Any]:
    return lambda entry: final(entry)["at_threshold"][name]


def _cost(name: str, per: float = 1.0) -> Callable[[Entry], Any]:
    return lambda entry: entry["model"]["figures"][name] / per


def _share(used: str, limit: str) -> Callable[[Entry], Any]:
    def share(entry: Entry) -> float:
        figures = entry["model"]["figures"]
        return 100.0 * float(figures[used] / figures[limit])

    return share


def _warnings(entry: Entry) -> int:
    return sum(line["result"] == "warn" for line in entry["model"]["contract"]["lines"])


BOARD = (
    *_accuracy("box", "boxes"),
    *_accuracy("keypoints", "keypoints"),
    _measured("precision", "precision", _at_threshold("precision")),
    _measured("recall", "recall", _at_threshold("recall")),
    _measured("f1", "F1", _at_threshold("f1")),
    Figure("threshold", "at a score of", _at_threshold("threshold"), digits=2),
    Figure("final", "run by", lambda entry: entry["metrics"]["board"]["final"]),
)
COMPARABLE = (
    _measured(
        "pytorch.box",
        "PyTorch mAP50-95, boxes",
        lambda e: e["metrics"]["comparable"]["tiers"]["pytorch"]["box"]["map50_95"],
    ),
    _measured(
        "pytorch.keypoints",
        "PyTorch mAP50-95, keypoints",
        lambda e: e["metrics"]["comparable"]["tiers"]["pytorch"]["keypoints"]["map50_95"],
    ),
)
COST = (
    Figure("latency_ms", "latency, ms", _cost("latency_ms"), digits=1, best="low"),
    Figure("arena_kib", "arena, KiB", _cost("arena_bytes", KIB), digits=1, best="low"),
    Figure("arena_share", "arena, % of the board's", _share("arena_bytes", "arena_limit_bytes")),
    Figure("file_kib", "file, KiB", _cost("flash_bytes", KIB), digits=1, best="low"),
    Figure("file_share", "file, % of the flash", _share("flash_bytes", "flash_limit_bytes")),
    Figure("npu_percent", "operators on the NPU, %", _cost("npu_percent"), 1, "high"),
    Figure("int8_percent", "work in int8, %", _cost("int8_percent"), 1, "high"),
)
FACTS = (
    Figure("task", "task", lambda entry: entry["model"]["task"]),
    Figure("imgsz", "input, pixels", lambda entry: max(entry["model"]["input"]["shape"])),
    Figure("preprocess", "preprocessing", lambda entry: entry["model"]["input"]["preprocess"]),
    Figure(
        "contract",
        "the board's contract",
        lambda entry: "kept" if entry["model"]["contract"]["passed"] else "REFUSED",
    ),
    Figure("warnings", "its warnings", _warnings, best="low"),
)
SECTIONS = (
    ("Accuracy, int8 as on the board", BOARD),
    ("Accuracy, float, comparable", COMPARABLE),
    ("Cost", COST),
    ("What it is", FACTS),
)
"""Title -> rows, in the order in which they are read."""
COSTS = (
    ("latency_ms", "latency, ms"),
    ("arena_kib", "arena, KiB"),
    ("file_kib", "file, KiB"),
)
"""What accuracy is drawn against: (key of a figure of COST, the axis' title)."""
