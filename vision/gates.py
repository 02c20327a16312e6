"""The user's own limits on a model, held against what was measured. Standard library only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

KIB = 1024
DIAGNOSE = "report.html shows where the loss is"
KINDS = {"box": "boxes", "keypoints": "keypoints"}
"""What a model is judged by, in metrics.json -> in words."""

Figures = Mapping[str, Any]
"""verdict.json's `figures`."""
Metrics = Mapping[str, Any]
"""metrics.json's `board`."""


@dataclass(frozen=True)
class Build:
    """How the model was made, as far as remedies depend on it."""

    quant: str
    """`per_tensor` or `per_channel` weights; `quick` or `tuned` rounding of an ONNX quantizer."""
    calibration: int
    """Images that set the int8 ranges."""
    imgsz: int
    """Side of the input, pixels."""
    multiple: int
    """Sides are multiples of it."""
    activation: str
    trained: bool
    """Whether this build trained the network."""


@dataclass(frozen=True)
class Line:
    """One limit applied."""

    rule: str
    result: Literal["pass", "fail"]
    found: str
    demanded: str
    remedy: str
    """Empty when the limit is kept."""
    source: str
    """The config key."""


def judge(
    limits: Mapping[str, float], build: Build, figures: Figures, metrics: Metrics | None
) -> list[Line]:
    """A line for each limit, in the order in which they are given; two where a model has
    keypoints and its accuracy is judged. `metrics`: None where no limit needs them.

    Raises KeyError for an unknown limit.
    """
    lines: list[Line] = []
    for key, limit in limits.items():
        if key in ACCURACY:
            assert metrics is not None
            lines += ACCURACY[key](limit, build, metrics)
        else:
            lines.append(_figure(key, limit, build, figures))
    return lines


# --- accuracy -----------------------------------------------------------------------------


def _map_drop(limit: float, build: Build, metrics: Metrics) -> Iterator[Line]:
    before, after = (metrics["tiers"][metrics[which]] for which in ("reference", "final"))
    for kind, lost in metrics["drop"].items():
        yield _line(
            _rule("max_map_drop", kind, metrics["drop"]),
            "max_map_drop",
            lost["map50_95"] <= limit,
            f"{_number(lost['map50_95'])} points of mAP50-95 lost "
            f"({before[kind]['map50_95']:.4f} float, {after[kind]['map50_95']:.4f} int8)",
            f"at most {_number(limit)}",
            _against_loss(build),
        )


def _min_map(limit: float, build: Build, metrics: Metrics) -> Iterator[Line]:
    final = metrics["tiers"][metrics["final"]]
    floats = metrics["tiers"].get(metrics["reference"], {})
    for kind in filter(final.__contains__, KINDS):
        value, before = final[kind]["map50_95"], floats.get(kind, {}).get("map50_95")
        costs = before is not None and before >= limit
        yield _line(
            _rule("min_map", kind, final),
            "min_map",
            value >= limit,
            f"mAP50-95 of {value:.4f} ({metrics['final']})",
            f"at least {_number(limit)}",
            _against_loss(build) if costs else _better_network(build, before),
        )


ACCURACY: Mapping[str, Callable[[float, Build, Metrics], Iterator[Line]]] = {
    "max_map_drop": _map_drop,
    "min_map": _min_map,
}
"""Limit that needs metrics.json -> its lines."""


def _rule(key: str, kind: str, judged: Mapping[str, Any]) -> str:
    return f"gate.{key} ({KINDS[kind]})" if "keypoints" in judged else f"gate.{key}"


def _against_loss(build: Build) -> str:
    """What makes int8 lose less, the likeliest first."""
    finer = {
        "per_tensor": "quant=int8_per_channel, ",
        "quick": "quant=xslim_accurate (minutes), ",
    }.get(build.quant, "")
    more = f"more calibration images (quant.calibration.count={4 * build.calibration})"
    return f"try {finer}{more}; {DIAGNOSE}"


def _better_network(build: Build, before: float | None) -> str:
    """What makes the float network itself better."""
    itself = "" if before is None else f"the float network itself reaches {before:.4f}: "
    ways = "train longer (train.epochs) or with more images" if build.trained else "better weights"
    return f"{itself}{ways}, a larger model.imgsz or a larger model"


# --- figures of the file ------------------------------------------------------------------


@dataclass(frozen=True)
class _Figure:
    """A limit on one of the file's figures."""

    name: str
    """In verdict.json."""
    unit: str
    scale: float
    """What the figure is divided by to be of that unit."""
    least: bool
    """Whether the limit is the least that is demanded, and not the most."""
    remedy: Callable[[float, float, Build], str]
    """Of the figure, the limit (both of that unit), and how the model was made."""


def _for_npu(found: float, limit: float, build: Build) -> str:
    return (
        "the line `operators` of contract.json names what the compiler left to the CPU; take an "
        "architecture without them, or another of the board's target.output"
    )


def _for_memory(found: float, limit: float, build: Build) -> str:
    """Feature maps fill the arena, and grow with the square of the side."""
    sides = range(build.imgsz - build.multiple, 0, -build.multiple)
    fitting = next((s for s in sides if found * (s / build.imgsz) ** 2 <= limit), None)
    smaller = "a smaller model" if fitting is None else f"model.imgsz={fitting} or less"
    lighter = "model.activation=relu6, " if build.activation == "silu" and build.trained else ""
    return f"try {lighter}{smaller}"


def _for_flash(found: float, limit: float, build: Build) -> str:
    return (
        "weights make the file large, not the image's size: take a model with fewer of them "
        "(yolov8n and yolov8n_pose have the fewest of those in conf/model)"
    )


def _for_latency(found: float, limit: float, build: Build) -> str:
    lighter = "model.activation=relu6, " if build.activation == "silu" and build.trained else ""
    smaller = f"model.imgsz={build.imgsz - build.multiple} or less"
    return f"try {lighter}{smaller}, or a smaller model"


FIGURES = {
    "min_npu": _Figure("npu_percent", "% on the NPU", 1, True, _for_npu),
    "max_sram_kib": _Figure("arena_bytes", "KiB of tensor arena", KIB, False, _for_memory),
    "max_flash_kib": _Figure("flash_bytes", "KiB", KIB, False, _for_flash),
    "max_latency_ms": _Figure("latency_ms", "ms a run, estimated", 1, False, _for_latency),
}
"""Limit -> the figure it is on."""


def _figure(key: str, limit: float, build: Build, figures: Figures) -> Line:
    """A figure that is not known keeps no limit."""
    one = FIGURES[key]
    demanded = f"at {'least' if one.least else 'most'} {_number(limit)}"
    value = figures.get(one.name)
    if value is None:
        remedy = "see the lines of contract.json: the model could not be laid out"
        return _line(f"gate.{key}", key, False, "not known", demanded, remedy)
    found = value / one.scale
    kept = found >= limit if one.least else found <= limit
    text = f"{_number(found)} {one.unit}"
    return _line(f"gate.{key}", key, kept, text, demanded, one.remedy(found, limit, build))


def _line(rule: str, key: str, kept: bool, found: str, demanded: str, remedy: str) -> Line:
    return Line(
        rule=rule,
        result="pass" if kept else "fail",
        found=found,
        demanded=demanded,
        remedy="" if kept else remedy,
        source=f"gate.{key}",
    )


def _number(value: float) -> str:
    """As few digits as say it; at most four decimals."""
    return f"{value:.4f}".rstrip("0").rstrip(".")
