"""Which charts a sweep gets: those that have something to show."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from vision.charts_sweep import SIGNS, Dot, Side, effect, parallel, trade
from vision.compare_figures import COSTS
from vision.compare_groups import describe, shown
from vision.compare_notes import listed

Plain = Mapping[str, Any]

SCORES = {"keypoints_map50_95": "mAP50-95 of keypoints", "box_map50_95": "mAP50-95 of boxes"}
"""What models are judged by; the first that all points of a chart have."""
SIDES = 3, 10
"""Parallel axes of one chart: of fewer another chart says the same, more are not told apart."""
VARIABLES = ("float", "int8", "third", "fourth", "good", "muted")
"""CSS variables of the series, as vision.charts orders them."""


def drawn(found: Plain, tell: Callable[[str], None]) -> dict[str, Any]:
    """`legend`, and `parts`: the charts of each set of points whose accuracy was measured on the
    same thing; without any accuracy one part, of costs alone."""
    key = _coloured(found)
    series = [axis["values"] for axis in found["axes"] if axis["key"] == key]
    parts: list[dict[str, Any]] = []
    groups: Sequence[int | None] = range(len(found["data"])) or (None,)
    for group in groups:
        tell(f"charts {len(parts) + 1} of {max(1, len(found['data']))}")
        parts.append(_Part(found, group, key, series[0] if series else []).told())
    return {
        "legend": {
            "key": key,
            "items": [
                {"sign": SIGNS[i], "colour": VARIABLES[i], "text": text}
                for i, text in enumerate(series[0] if series else [])
            ],
        },
        "parts": [part for part in parts if part["trades"] or part["effects"] or part["parallel"]],
    }


def _coloured(found: Plain) -> str | None:
    """The key whose values are told by colour: the first of few words, else of few numbers."""
    few = [axis for axis in found["axes"] if 1 < len(axis["values"]) <= len(SIGNS)]
    few.sort(key=lambda axis: bool(axis["numbers"]))
    return few[0]["key"] if few else None


class _Part:
    """The charts of some points of a sweep."""

    def __init__(
        self, found: Plain, group: int | None, key: str | None, series: Sequence[str]
    ) -> None:
        self.found, self.group, self.key = found, group, key
        self.name = "costs" if group is None else f"data{group}"
        self.rows = [
            row for row in found["points"]
            if row["passed"] and (group is None or row["data"] == group)
        ]  # fmt: skip
        self.columns = {column["key"]: column for column in found["columns"]}
        self.series = {value: i for i, value in enumerate(series)}
        self.score = next(
            (key for key in SCORES if self.rows and all(key in r["figures"] for r in self.rows)),
            None,
        )
        self.dots = [self._dot(row) for row in self.rows]

    def told(self) -> dict[str, Any]:
        """The charts as SVG, and what stands beside them."""
        data = None if self.group is None else self.found["data"][self.group]
        return {
            "title": describe(data) if data else None,
            "trades": list(self._trades()),
            "effects": list(self._effects()),
            "parallel": self._parallel(),
        }

    def _dot(self, row: Plain) -> Dot:
        figures = [self.score, *dict(COSTS)]
        words = [f"{key}={value}" for key, value in row["values"].items()]
        for key in figures:
            if key in row["figures"]:
                column = self.columns[key]
                words.append(f"{column['label']} {shown(row['figures'][key], column['digits'])}")
        series = self.series.get(row["values"].get(self.key, ""), 0)
        return Dot(row["point"], " · ".join(words), series, bool(row["fronts"]))

    def _trades(self) -> Iterator[dict[str, Any]]:
        """Accuracy against each cost; words instead where all points cost the same."""
        dots = {dot.number: dot for dot in self.dots}
        for chart in self.found["charts"]:
            if chart["data"] != self.group:
                continue
            points = [one for one in chart["points"] if int(one["letter"]) in dots]
            varies = len({(point["x"]) for point in points}) > 1
            name = f"trade-{self.name}-{chart['cost']}"
            yield {
                "label": chart["label"],
                "svg": trade(name, chart | {"points": points}, dots) if varies else None,
                "same": points[0]["x"] if points and not varies else None,
                "front": listed(chart["front"]) if chart["front"] else "",
                "without": _without(chart),
            }

    def _effects(self) -> Iterator[dict[str, Any]]:
        """Accuracy over each parameter that has several values here."""
        if self.score is None:
            return
        score = self._side(self.score, SCORES[self.score])
        for place, axis in enumerate(self.found["axes"]):
            side = self._parameter(axis)
            if len({value for value in side.values if value is not None}) > 1:
                name = f"effect-{self.name}-{place}"
                yield {"label": axis["key"], "svg": effect(name, side, score, self.dots)}

    def _parallel(self) -> str | None:
        """Parameters, costs, accuracy: those that differ."""
        sides = [self._parameter(axis) for axis in self.found["axes"]]
        titles = dict(COSTS) | dict.fromkeys(SCORES, "mAP50-95")
        wanted = [*dict(COSTS), *([self.score] if self.score else [])]
        sides += [self._side(key, titles[key]) for key in wanted if key in self.columns]
        telling = [side for side in sides if len({v for v in side.values if v is not None}) > 1]
        if len(telling) < SIDES[0]:
            return None
        return parallel(f"parallel-{self.name}", telling[-SIDES[1] :], self.dots)

    def _parameter(self, axis: Plain) -> Side:
        return Side(axis["short"], [row["values"].get(axis["key"]) or None for row in self.rows])

    def _side(self, key: str, title: str) -> Side:
        column = self.columns[key]
        values = [row["figures"].get(key) for row in self.rows]
        return Side(title, values, column["good"], column["digits"])


def _without(chart: Plain) -> list[str]:
    """Who is not in a chart, and why."""
    reasons: dict[str, list[str]] = {}
    for one in chart["without"]:
        reasons.setdefault(one["why"], []).append(one["letter"])
    return [f"{listed(labels)} ({why})" for why, labels in reasons.items()]
