"""A diagnosis in words: what stands out, the evidence, and what to try. docs/diagnose.md has the
measurements behind the limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, TypeAlias

from vision.image_checks import FEW, NEAR
from vision.remedies import Chosen, more_images, other_ways

BAD, LOOK, GOOD = "bad", "look", "good"
BAD_DB, LOOK_DB = 10.0, 15.0
"""Below, the middle activation of a branch makes a finding of that level."""
GAP_DB = 5.0
"""So much better on calibration than on validation images: the ranges fit only the former."""
WEIGHTS_DB = 10.0
"""Weights that are less than this above their branch add a tenth or more of its noise."""
FAR = 0.15
"""Histogram distance that no two parts of one data set reach."""
STRETCHED = 0.6
"""Few channels stretch the range when the others would do with this part of it."""
COARSE = 0.5
"""Pixels: boxes that move in larger steps lose mAP at high overlaps."""
NORMALISED = 0.1
"""Scales above are those of boxes in pixels."""
PARTS = ("backbone", "neck", "box", "class", "keypoint", "decode")
NAMES = {"decode": "decoding"}

Entry: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Finding:
    """One sentence each."""

    level: str
    what: str
    evidence: str
    advice: str = ""

    def plain(self) -> dict[str, str]:
        """Its entry in diagnosis.json."""
        return {
            "level": self.level, "what": self.what, "evidence": self.evidence, "try": self.advice,
        }  # fmt: skip


def findings(diagnosis: Entry, chosen: Chosen) -> list[dict[str, str]]:
    """diagnosis.json's `findings`, worst first; `diagnosis` is all the rest of it."""
    judged = "val" if diagnosis["images"]["val"] else "calibration"
    found = [
        *_images(diagnosis["calibration"], chosen),
        *_branches(diagnosis, judged, chosen),
        *_scores(diagnosis["outputs"], chosen),
        *_steps(diagnosis["outputs"], diagnosis["imgsz"]),
    ]
    found = found or [_nothing(diagnosis, judged)]
    found.sort(key=lambda finding: (BAD, LOOK, GOOD).index(finding.level))
    return [finding.plain() for finding in found]


# --- the calibration images -----------------------------------------------------------------


def _images(seen: Entry, chosen: Chosen) -> Iterator[Finding]:
    count, black, copies = seen["count"], seen["black"], seen["duplicates"]
    if black:
        yield Finding(
            BAD if 2 * black >= count else LOOK,
            f"{black} of {count} calibration images show nothing",
            "all their values lie within 4 of 255 levels",
            more_images(count, chosen)
            if black == count
            else f"remove them from {_place(chosen)}, and {more_images(count, chosen)}",
        )
    if copies:
        yield Finding(
            LOOK,
            f"{copies} of {count} calibration images repeat another",
            "they are equal pixel by pixel at the network's size",
            "take different pictures: copies add nothing to the ranges",
        )
    if count < FEW:
        yield Finding(
            LOOK,
            f"{count} calibration {_images_of(count)}: too few to stand for what the camera sees",
            "what none of them shows is cut off by an int8 network",
            more_images(count, chosen),
        )
    if seen["lowest"] > NEAR or seen["highest"] < 255 - NEAR:
        yield Finding(
            LOOK,
            "the calibration images leave out the dark or the bright end",
            f"their values reach from {seen['lowest']} to {seen['highest']}, of 0 to 255",
            "add pictures in brighter and darker light",
        )
    if (seen["histogram_distance"] or 0) > FAR:
        yield Finding(
            LOOK,
            "the calibration images do not look like the validation split",
            f"their values lie {seen['histogram_distance']:.2f} of the whole range apart "
            f"(Wasserstein distance of the histograms; parts of one data set stay below {FAR})",
            more_images(count, chosen),
        )
    if seen["swapped_colours"]:
        yield Finding(
            LOOK,
            "red and blue of the calibration images seem to have changed places",
            "red minus blue fits that of the validation split much better the other way round",
            "write the pictures as RGB (OpenCV's imread gives BGR)",
        )


def _place(chosen: Chosen) -> str:
    """Where the calibration images come from."""
    return "quant.calibration.source" if chosen.source == "user" else "the data set"


def _images_of(count: int) -> str:
    return "image" if count == 1 else "images"


def _steps(outputs: Sequence[Entry], imgsz: int) -> Iterator[Finding]:
    """Boxes that share the scale of the scores, 0..1: their steps are parts of the side."""
    for output in outputs:
        scale = output["scale"] or 0.0
        step = scale * imgsz
        if output["role"] == "decoded" and scale < NORMALISED and step > COARSE:
            yield Finding(
                LOOK,
                f"boxes move in steps of {step:.2f} pixels of {imgsz}",
                "their decoding runs in int8 and its output shares one scale with the scores, "
                f"{scale:.5f} of the side a step",
                "small objects suffer most: let them fill more of the picture, or take "
                "target.output=raw where the board decodes raw outputs",
            )


# --- the branches ---------------------------------------------------------------------------


def _branches(diagnosis: Entry, judged: str, chosen: Chosen) -> Iterator[Finding]:
    for part in PARTS:
        rows = [row for row in diagnosis["tensors"] if row["branch"] == part]
        low = {
            stride: level
            for stride in sorted({row["stride"] for row in rows}, key=lambda s: s or 0)
            if (level := _level(rows, stride, judged)) is not None and level < LOOK_DB
        }
        if low:
            weak = [row for row in rows if row["stride"] in low]
            yield Finding(
                BAD if min(low.values()) < BAD_DB else LOOK,
                _weak(part, low),
                "; ".join(_evidence(weak, diagnosis, judged)),
                _advice(weak, diagnosis, judged, chosen),
            )


def _level(rows: Sequence[Entry], stride: int | None, judged: str) -> float | None:
    """The middle activation's ratio, decibels."""
    ratios = [
        row["snr_db"][judged]
        for row in rows
        if row["stride"] == stride and row["snr_db"][judged] is not None
    ]
    return median(ratios) if ratios else None


def _weak(part: str, low: Mapping[int | None, float]) -> str:
    """For instance: box branch of stride 8 is at 11.2 dB, of stride 16 at 9.1 dB."""
    what = f"{part} branch" if part in PARTS[2:5] else f"the {NAMES.get(part, part)}"
    levels = [
        f"of stride {stride} {verb}at {level:.1f} dB" if stride else f"{verb}at {level:.1f} dB"
        for verb, (stride, level) in zip(("is ", *[""] * len(low)), low.items(), strict=False)
    ]
    return f"{what} {', '.join(levels)}"


def _evidence(rows: Sequence[Entry], diagnosis: Entry, judged: str) -> Iterator[str]:
    number = diagnosis["images"][judged]
    of = "validation" if judged == "val" else "calibration"
    worst = min(rows, key=lambda row: _or(row["snr_db"][judged], 999.0))
    yield (
        f"the middle activation on {number} {of} {_images_of(number)}; the worst is "
        f"{worst['layer']} ({worst['kind']}) with {_or(worst['snr_db'][judged], 0):.1f} dB"
    )
    if judged == "val":
        yield f"on calibration images {_middle(rows, 'calibration'):.1f} dB"
    clipped = max(row["clipped"][judged] for row in rows)
    if clipped >= 0.001:
        yield f"up to {100 * clipped:.1f} % of an activation's values lie beyond its range"
    layers = {row["layer"] for row in rows}
    for output in diagnosis["outputs"]:
        spread = output["channels_over_range"]
        if output["layer"] in layers and spread and 0 < spread["rest"] < STRETCHED:
            yield (
                f"{spread['channels']} of {spread['of']} channels of {output['name']} take "
                f"{100 * (1 - spread['rest']):.0f} % of the range for themselves"
            )
    weights = _weak_weights(rows, judged)
    if weights is not None:
        yield (
            f"weights of {weights['layer']} are at {weights['weights_db']['found']:.0f} dB, with "
            f"one scale a channel at {weights['weights_db']['per_channel']:.0f} dB"
        )


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value


def _middle(rows: Sequence[Entry], judged: str) -> float:
    ratios = [row["snr_db"][judged] for row in rows if row["snr_db"][judged] is not None]
    return median(ratios) if ratios else 0.0


def _weak_weights(rows: Sequence[Entry], judged: str) -> Entry | None:
    """The layer whose weights add most to the noise, if any adds noticeably."""
    limit = _middle(rows, judged) + WEIGHTS_DB
    stated = [r for r in rows if r.get("weights_db") and r["weights_db"]["found"] is not None]
    if not stated:
        return None
    worst = min(stated, key=lambda row: row["weights_db"]["found"])
    return worst if worst["weights_db"]["found"] < limit else None


def _advice(rows: Sequence[Entry], diagnosis: Entry, judged: str, chosen: Chosen) -> str:
    """What fits the evidence first: images, weights, the quantizer's ways, the network."""
    weights = _weak_weights(rows, judged)
    if weights is not None and chosen.settings.get("weights") == "per_tensor":
        return "try quant=int8_per_channel"
    gap = judged == "val" and _middle(rows, "calibration") - _middle(rows, "val") > GAP_DB
    if gap:
        return more_images(diagnosis["calibration"]["count"], chosen)
    return other_ways(chosen) or more_images(diagnosis["calibration"]["count"], chosen)


# --- the scores -----------------------------------------------------------------------------


def _scores(outputs: Sequence[Entry], chosen: Chosen) -> Iterator[Finding]:
    """Scores that int8 cannot express: what `check` warns of, with the figures."""
    scored = [output for output in outputs if output["largest_score"] is not None]
    coarse = [o for o in scored if o["role"] == "decoded" and o["scale"] >= o["threshold"]]
    for output in coarse:
        yield Finding(
            BAD,
            f"the scores in {output['name']} have no steps left",
            f"they share their scale with boxes in pixels: one step is {output['scale']:.2g}, and "
            f"the threshold {output['threshold']:g}",
            "try quant.truncate=true, which leaves the decoding in float",
        )
    # What is decoded of logits can be no surer than they are.
    logits = [output for output in scored if output["role"] == "class"] or scored
    mute = [output for output in logits if output["largest_score"] < output["threshold"]]
    if mute:
        names = ", ".join(f"{o['name']} up to {o['largest_score']:.3f}" for o in mute)
        yield Finding(
            BAD if len(mute) == len(logits) else LOOK,
            "no score can pass the firmware's threshold"
            if len(mute) == len(logits)
            else "scores of some strides cannot pass the firmware's threshold",
            f"{names}; the threshold is {mute[0]['threshold']:g}",
            "calibrate with images that show the objects large and clear, or train longer",
        )


def _nothing(diagnosis: Entry, judged: str) -> Finding:
    """What there is to say of a sound network."""
    rows = diagnosis["tensors"]
    levels = [
        (level, part, stride)
        for part in PARTS
        for stride in {row["stride"] for row in rows if row["branch"] == part}
        if (level := _level([r for r in rows if r["branch"] == part], stride, judged)) is not None
    ]
    scores = [o["largest_score"] for o in diagnosis["outputs"] if o["largest_score"] is not None]
    said = []
    if levels:
        level, part, stride = min(levels, key=lambda entry: entry[0])
        branch = " branch" if part in PARTS[2:5] else ""
        where = f"the {NAMES.get(part, part)}{branch}{f' of stride {stride}' if stride else ''}"
        said.append(f"the weakest part is {where} at {level:.1f} dB")
    if scores:
        said.append(f"scores reach {max(scores):.2f}")
    return Finding(GOOD, "nothing stands out", "; ".join(said) or "no tensor to compare")
