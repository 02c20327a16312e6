"""What `doit infer` is asked for, and what it leaves: lines to read, and files where one is."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgemake.errors import UserError
from vision.networks import TIMED
from vision.pictures import accepted, find, result_names

ARGUMENTS = ("image=", "out=")
"""What of the command line is the command's own, and no key of the config."""
REPORT = "result.json"
FOLDER = "result"
POINTS_A_LINE = 6


@dataclass(frozen=True)
class Wanted:
    """What to look at, and where to put what was found."""

    pictures: tuple[Path, ...]
    out: Path

    def targets(self) -> list[Path]:
        """Where the drawn result of each picture goes: result.jpg, or result/… for several."""
        names = result_names(self.pictures)
        if len(names) == 1:
            return [self.out / f"{FOLDER}{Path(names[0]).suffix}"]
        return [self.out / FOLDER / name for name in names]


def wanted(words: Sequence[str]) -> Wanted:
    """The `image=…` and `out=…` of a command line. Raises UserError before anything is built."""
    sources = [word.removeprefix("image=") for word in words if word.startswith("image=")]
    places = [word.removeprefix("out=") for word in words if word.startswith("out=")]
    if not sources:
        raise UserError(f"out= belongs to doit infer, which needs image=…: {accepted()}")
    if len(places) > 1:
        raise UserError(f"out= is given {len(places)} times; give one folder")
    pictures: dict[Path, None] = {}
    for source in sources:
        if not source:
            raise UserError(f"image= is empty; give {accepted()}")
        try:
            pictures |= dict.fromkeys(find(source))
        except ValueError as fault:
            raise UserError(f"image={source}: {fault}") from None
    asked = Wanted(tuple(pictures), Path(places[0] if places else ".").expanduser())
    _check_place(asked)
    return asked


def _check_place(asked: Wanted) -> None:
    """Refuses a place that cannot be written to, or whose files are not `doit infer`'s."""
    out = asked.out
    there = next(path for path in (out, *out.absolute().parents) if path.exists())
    if not there.is_dir():
        raise UserError(f"out={out}: {there} is a file; give a folder")
    if not os.access(there, os.W_OK):
        raise UserError(f"out={out}: {there.absolute()} cannot be written to; give another folder")
    for target in asked.targets():
        if target.exists() and any(target.samefile(picture) for picture in asked.pictures):
            raise UserError(
                f"image={target}: its result would be written over it; say out=FOLDER to put the "
                "results elsewhere"
            )
    report = out / REPORT
    if report.exists() and not _is_ours(report):
        raise UserError(
            f"{report.absolute()} is there already and was not made by doit infer; move it, or say "
            "out=FOLDER to put the results elsewhere"
        )


def _is_ours(report: Path) -> bool:
    try:
        told = json.loads(report.read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(told, dict) and "made_by" in told


def hand_out(asked: Wanted, model: str, board: str, artifact: Path) -> Iterator[str]:
    """Copies the results where the user wants them; what to tell him, line by line.

    `model`: the name of the file that was run; `board`: of the file that the board runs.
    """
    report = json.loads((artifact / REPORT).read_text(encoding="utf-8"))
    for entry in report["results"]:
        yield from (_video(entry) if "frames" in entry else _picture(entry))
    yield from _what_ran(report, model, board, artifact)
    targets = asked.targets()
    try:
        for entry, target in zip(report["results"], targets, strict=True):
            target.parent.mkdir(parents=True, exist_ok=True)
            _copy(artifact / FOLDER / entry["file"], target)
            entry["file"] = target.relative_to(asked.out).as_posix()
        text = json.dumps(report, indent=1, ensure_ascii=False) + "\n"
        (asked.out / REPORT).write_text(text, encoding="utf-8")
    except OSError as fault:
        raise UserError(
            f"{fault.filename}: {fault.strerror}; say out=FOLDER to put the results elsewhere"
        ) from None
    shown = targets[0] if len(targets) == 1 else asked.out / FOLDER
    yield f"wrote {shown} and {asked.out / REPORT}"


def _copy(source: Path, target: Path) -> None:
    """A plain copy that people may change, whatever the store's permissions."""
    target.unlink(missing_ok=True)
    shutil.copyfile(source, target)


def _picture(entry: dict[str, Any]) -> Iterator[str]:
    found = entry["detections"]
    size = f"{entry['width']} x {entry['height']}"
    yield f"{entry['name']} ({size}): {len(found) or 'nothing'} found"
    width = max((len(one["class"]) for one in found), default=0)
    for one in found:
        box = " ".join(f"{value:7.1f}" for value in one["box"])
        yield f"  {one['class']:<{width}}  {one['score']:.2f}  box {box}"
        points = one.get("keypoints", ())
        for start in range(0, len(points), POINTS_A_LINE):
            row = points[start : start + POINTS_A_LINE]
            told = "  ".join(f"{x:.0f},{y:.0f} ({seen:.2f})" for x, y, seen in row)
            yield f"    {'keypoints' if start == 0 else '         '} {told}"


def _video(entry: dict[str, Any]) -> Iterator[str]:
    """Frames are too many to list: they stand in result.json."""
    frames = entry["frames"]
    hits = sum(1 for frame in frames if frame["detections"])
    yield (
        f"{entry['name']} ({entry['width']} x {entry['height']}, {len(frames)} frames): something "
        f"found on {hits or 'none'} of them"
    )
    counts = Counter(one["class"] for frame in frames for one in frame["detections"])
    for name, count in counts.most_common():
        yield f"  {name}: {count} times"


def _what_ran(report: dict[str, Any], model: str, board: str, artifact: Path) -> Iterator[str]:
    limits = report["thresholds"]
    if model == board:
        what = f"{model}, the very file that the board runs"
    else:
        what = f"{model}, the int8 file that {board} was compiled from"
    yield (
        f"ran {what}, on this PC: the closest stand-in for the board, whose processor may round "
        "otherwise"
    )
    yield f"score >= {limits['score']:g}, NMS IoU {limits['iou']:g}, {report['preprocess']}"
    log = (artifact / "log.txt").read_text(errors="replace").splitlines()
    yield from (line.removeprefix(TIMED) for line in log if line.startswith(TIMED))
