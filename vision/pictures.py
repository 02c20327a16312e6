"""Pictures and videos that people name: looked for while planning, gone through in a stage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vision.image_list import SUFFIXES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

VIDEOS = frozenset({".avi", ".mkv", ".mov", ".mp4"})
SIGNATURES = (
    b"\xff\xd8\xff",  # JPEG
    b"\x89PNG\r\n\x1a\n",
    b"BM",
    b"II*\0", b"MM\0*", b"II+\0", b"MM\0+",  # TIFF, BigTIFF
    b"RIFF",  # WebP
)  # fmt: skip
"""How files of the accepted kinds of picture begin."""
USUAL_FPS = 25.0
"""Frames a second of a video that does not say."""


def is_video(path: Path) -> bool:
    """Whether the name is that of a video."""
    return path.suffix.lower() in VIDEOS


def accepted() -> str:
    """In words, what can be looked at."""
    return f"a picture ({_kinds(SUFFIXES)}), a folder of pictures, or a video ({_kinds(VIDEOS)})"


def find(source: str) -> list[Path]:
    """The picture or video that `source` names, or the pictures of a folder, sorted by name.

    Core Python only. Raises ValueError, without the name of `source`, when there is nothing to
    look at or a file cannot be what its name says.
    """
    path = Path(source).expanduser()
    if path.is_dir():
        return _in_folder(path)
    if not path.exists():
        raise ValueError(f"no such file or folder; give {accepted()}")
    if path.suffix.lower() not in SUFFIXES | VIDEOS:
        raise ValueError(f"this kind of file is not known; give {accepted()}")
    _look_at(path)
    return [path.absolute()]


def _in_folder(folder: Path) -> list[Path]:
    files = sorted((path for path in folder.iterdir() if path.is_file()), key=lambda p: p.name)
    found = [path for path in files if path.suffix.lower() in SUFFIXES]
    if not found:
        raise ValueError(
            f"no picture in this folder ({_kinds(SUFFIXES)}; its subfolders are not searched)"
        )
    faults = []
    for path in found:
        try:
            _look_at(path)
        except ValueError as fault:
            faults.append(f"{path.name}: {fault}")
    if faults:
        raise ValueError("\n  ".join(["not all of it can be read:", *faults]))
    return [path.absolute() for path in found]


def _look_at(path: Path) -> None:
    """A first look, which needs no library: what it refuses need not wait for a build."""
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as fault:
        raise ValueError(fault.strerror) from None
    if not head:
        raise ValueError("the file is empty")
    if not is_video(path) and not head.startswith(SIGNATURES):
        raise ValueError(f"its content is no picture of a known kind ({_kinds(SUFFIXES)})")


def result_names(paths: Sequence[Path]) -> list[str]:
    """Names of the drawn results, one a picture or video, each different, in small letters too."""
    names, seen = [], Counter[str]()
    for path in paths:
        suffix = ".mp4" if is_video(path) else ".jpg"
        stem = path.stem
        while (key := f"{stem}{suffix}".lower()) in seen:
            seen[key] += 1
            stem = f"{path.stem}-{seen[key]}"
        seen[key] = 1
        names.append(stem + suffix)
    return names


def _kinds(suffixes: frozenset[str]) -> str:
    return ", ".join(sorted(suffixes)).replace(".", "")


class Video:
    """A video file that is being read."""

    def __init__(self, capture: Any) -> None:
        import cv2

        self._capture = capture
        self.frames = max(0, int(capture.get(cv2.CAP_PROP_FRAME_COUNT)))
        """How many the file says it has; 0: it does not say."""
        fps = float(capture.get(cv2.CAP_PROP_FPS))
        self.fps = fps if 0 < fps < 1000 else USUAL_FPS

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        """The frames, `[h, w, 3]` uint8 RGB, turned upright."""
        while True:
            more, frame = self._capture.read()
            if not more:
                return
            yield frame[..., ::-1]


@contextmanager
def reading(path: Path) -> Iterator[Video]:
    """Opens a video. Raises ValueError when it is none."""
    import cv2

    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    try:
        if not capture.isOpened():
            raise ValueError("not a video that can be read")
        yield Video(capture)
    finally:
        capture.release()


class Writer:
    """An MP4 file that is being written; its size is that of the first frame."""

    def __init__(self, path: Path, fps: float) -> None:
        self._path, self._fps = path, fps
        self._writer: Any = None

    def write(self, frame: NDArray[np.uint8]) -> None:
        """`[h, w, 3]` uint8 RGB. Raises ValueError when no video can be written."""
        import cv2

        if self._writer is None:
            height, width = frame.shape[:2]
            code = cv2.VideoWriter.fourcc(*"mp4v")
            self._writer = cv2.VideoWriter(
                str(self._path), cv2.CAP_FFMPEG, code, self._fps, (width, height)
            )
            if not self._writer.isOpened():
                raise ValueError(f"no video of {width} x {height} pixels can be written")
        self._writer.write(frame[..., ::-1])

    def close(self) -> None:
        """Ends the file."""
        if self._writer is not None:
            self._writer.release()
