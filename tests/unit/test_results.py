"""What `doit infer` is asked for, what it prints, and where it puts its files."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from edgemake.errors import UserError
from stages.results import hand_out, wanted

PNG = b"\x89PNG\r\n\x1a\n and so on"
FOUND = {"class": "röd", "index": 1, "score": 0.9, "box": [1.0, 2.0, 30.5, 40.0]}


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "in" / "desk.png"
    path.parent.mkdir()
    path.write_bytes(PNG)
    return path


def artifact(folder: Path, *entries: dict[str, Any]) -> Path:
    """What the stage leaves, with files of any content; read-only, as the store keeps it."""
    (folder / "result").mkdir(parents=True)
    for entry in entries:
        drawn = folder / "result" / entry["file"]
        drawn.write_bytes(entry["name"].encode())
        drawn.chmod(0o444)
    report = {
        "schema": 1,
        "made_by": "doit infer",
        "runtime": "an interpreter 1.0",
        "preprocess": "stretch",
        "thresholds": {"score": 0.3, "iou": 0.45},
        "results": entries,
    }
    (folder / "result.json").write_text(json.dumps(report))
    (folder / "log.txt").write_text("something\ntimed: 0.200 s an image\n")
    return folder


def entry(name: str, file: str, *found: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "file": file, "width": 64, "height": 48, "detections": list(found)}


def test_one_picture(tmp_path: Path, picture: Path) -> None:
    out = tmp_path / "new" / "out"
    asked = wanted([f"image={picture}", f"out={out}"])
    made = artifact(tmp_path / "made", entry("desk.png", "desk.jpg", FOUND))
    for _ in range(2):  # results of an earlier call are replaced
        told = list(hand_out(asked, "model_int8.tflite", "model_vela.tflite", made))
    assert told[:2] == [
        "desk.png (64 x 48): 1 found",
        "  röd  0.90  box     1.0     2.0    30.5    40.0",
    ]
    assert "the int8 file that model_vela.tflite was compiled from" in told[2]
    assert "stand-in for the board" in told[2]
    assert "0.200 s an image" in told
    assert told[-1] == f"wrote {out / 'result.jpg'} and {out / 'result.json'}"
    assert sorted(path.name for path in out.iterdir()) == ["result.jpg", "result.json"]
    assert (out / "result.jpg").stat().st_mode & stat.S_IWUSR
    assert json.loads((out / "result.json").read_text())["results"][0]["file"] == "result.jpg"


def test_several_pictures_and_a_video(tmp_path: Path, picture: Path) -> None:
    other = picture.with_name("other.png")
    other.write_bytes(PNG)
    clip = tmp_path / "clip.mov"
    clip.write_bytes(b"not looked into here")
    asked = wanted(
        [f"image={picture.parent}", f"image={clip}", f"image={other}", f"out={tmp_path}"]
    )
    assert list(asked.pictures) == [picture, other, clip]
    frames = [{"frame": 0, "detections": [FOUND, FOUND]}, {"frame": 1, "detections": []}]
    video = entry("clip.mov", "clip.mp4") | {"frames": frames}
    entries = entry("desk.png", "desk.jpg"), entry("other.png", "other.jpg", FOUND), video
    told = "\n".join(hand_out(asked, "a.q.onnx", "a.q.onnx", artifact(tmp_path / "m", *entries)))
    assert "desk.png (64 x 48): nothing found" in told
    assert "clip.mov (64 x 48, 2 frames): something found on 1 of them\n  röd: 2 times" in told
    assert "a.q.onnx, the very file that the board runs" in told
    names = sorted(path.name for path in (tmp_path / "result").iterdir())
    assert names == ["clip.mp4", "desk.jpg", "other.jpg"]
    report = json.loads((tmp_path / "result.json").read_text())
    assert [e["file"] for e in report["results"]] == [f"result/{name}" for name in (
        "desk.jpg", "other.jpg", "clip.mp4")]  # fmt: skip


def test_a_pose_is_told_in_lines_one_can_read(tmp_path: Path, picture: Path) -> None:
    found = FOUND | {"keypoints": [[i + 0.4, 2.0 * i, 0.05 * i] for i in range(17)]}
    made = artifact(tmp_path / "made", entry("desk.png", "desk.jpg", found))
    told = list(hand_out(wanted([f"image={picture}", f"out={tmp_path}"]), "m", "m", made))
    assert told[2].split() == ["keypoints", *(
        word for i in range(6) for word in (f"{i},{2 * i}", f"({0.05 * i:.2f})"))]  # fmt: skip
    assert all(len(line) <= 110 for line in told[2:5])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["out=."], "needs image="),
        (["image="], "image= is empty"),
        (["image={picture}", "out=a", "out=b"], "given 2 times"),
        (["image={picture}", "out={picture}"], "is a file; give a folder"),
        (["image={picture}", "out={picture}/deeper"], "is a file; give a folder"),
        (["image=nowhere.png"], "image=nowhere.png: no such file"),
    ],
)
def test_refused(words: list[str], said: str, picture: Path) -> None:
    with pytest.raises(UserError) as refused:
        wanted([word.format(picture=picture) for word in words])
    assert said in str(refused.value)


def test_a_picture_is_never_written_over(picture: Path) -> None:
    mine = picture.with_name("result.jpg")
    mine.write_bytes(PNG)
    with pytest.raises(UserError, match="would be written over it"):
        wanted([f"image={mine}", f"out={picture.parent}"])
    folder = picture.parent / "result"
    folder.mkdir()
    for name in ("a.jpg", "b.jpg"):
        (folder / name).write_bytes(PNG)
    with pytest.raises(UserError, match="would be written over it"):
        wanted([f"image={folder}", f"out={picture.parent}"])


@pytest.mark.parametrize("text", ["{}", "[1]", "no JSON"])
def test_a_report_of_someone_else_stays(picture: Path, text: str) -> None:
    (picture.parent / "result.json").write_text(text)
    with pytest.raises(UserError, match="was not made by doit infer"):
        wanted([f"image={picture}", f"out={picture.parent}"])
    (picture.parent / "result.json").write_text('{"made_by": "doit infer"}')
    assert wanted([f"image={picture}", f"out={picture.parent}"]).pictures == (picture,)
