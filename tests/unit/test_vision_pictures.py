"""Looking for the pictures that people name, before any library is there to read them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision.pictures import find, is_video, result_names

PNG = b"\x89PNG\r\n\x1a\n and so on"
JPEG = b"\xff\xd8\xff\xe0 and so on"


def test_a_folder_is_its_pictures_by_name(tmp_path: Path) -> None:
    for name in ("b.png", "a.JPG", "c d ä.jpeg"):
        (tmp_path / name).write_bytes(JPEG)
    (tmp_path / "notes.txt").write_text("none")
    (tmp_path / "clip.mp4").write_bytes(b"none")
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper/d.png").write_bytes(PNG)
    assert [path.name for path in find(str(tmp_path))] == ["a.JPG", "b.png", "c d ä.jpeg"]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.txt", b"text", "kind of file is not known; give a picture (bmp, jpeg"),
        ("a.heic", b"\0\0\0\x18ftypheic", "kind of file is not known"),
        ("a.jpg", b"", "the file is empty"),
        ("a.jpg", b"<html>not found</html>", "its content is no picture"),
        ("a.mp4", b"", "the file is empty"),
    ],
)
def test_what_cannot_be_looked_at(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=re.escape(words)):
        find(str(tmp_path / name))


def test_faults_in_a_folder_are_named(tmp_path: Path) -> None:
    (tmp_path / "good.png").write_bytes(PNG)
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.jpg").write_text("text")
    with pytest.raises(ValueError, match=r"(?s)empty\.png: the file is empty.*text\.jpg: its"):
        find(str(tmp_path))


@pytest.mark.parametrize("name", ["nowhere", "nowhere.jpg"])
def test_what_is_not_there(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="no such file or folder"):
        find(str(tmp_path / name))
    with pytest.raises(ValueError, match="subfolders are not searched"):
        find(str(tmp_path))


def test_a_picture_may_have_another_pictures_name(tmp_path: Path) -> None:
    (tmp_path / "really.png").write_bytes(JPEG)
    assert find(str(tmp_path / "really.png")) == [tmp_path / "really.png"]


stems = st.sampled_from(["a", "A", "b", "a-2", "a-3", "ä b"])
suffixes = st.sampled_from([".jpg", ".png", ".mp4", ".MOV"])


@given(st.lists(st.tuples(stems, suffixes), max_size=12))
def test_results_never_share_a_name(parts: list[tuple[str, str]]) -> None:
    paths = [Path(f"/some/{i}/{stem}{suffix}") for i, (stem, suffix) in enumerate(parts)]
    names = result_names(paths)
    assert len({name.lower() for name in names}) == len(paths)
    for path, name in zip(paths, names, strict=True):
        assert name.startswith(path.stem)
        assert Path(name).suffix == (".mp4" if is_video(path) else ".jpg")
