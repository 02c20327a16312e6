"""Lists and folders of images as people have them: each works, or is named precisely."""

from __future__ import annotations

import codecs
import os
import unicodedata
from pathlib import Path

import pytest

from vision.image_list import Found, choose, user_images


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "my pictures"
    folder.mkdir()
    for name in ("b.jpg", "a b.PNG", "größe.jpeg", "notes.txt"):
        (folder / name).write_bytes(b"x")
    return folder


def listed(folder: Path, content: bytes | str) -> Path:
    path = folder / "list ü.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def found(source: Path) -> Found:
    return user_images(str(source))


def names(source: Path) -> list[str]:
    return [image.name for image in found(source).images]


def refusal(source: Path) -> str:
    with pytest.raises(ValueError, match=r".") as fault:
        found(source)
    return str(fault.value)


def test_a_list_may_be_relative_to_itself_or_absolute(images: Path) -> None:
    path = listed(images, f"b.jpg\n{images / 'a b.PNG'}\n")
    assert names(path) == ["b.jpg", "a b.PNG"]
    assert [image.path for image in found(path).images] == [images / "b.jpg", images / "a b.PNG"]


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lists_from_any_editor(images: Path, mark: bytes, end: str) -> None:
    lines = ["# mine", "", "größe.jpeg", "  a b.PNG  ", "b.jpg", "b.jpg"]
    path = listed(images, mark + end.join(lines).encode())
    assert names(path) == ["größe.jpeg", "a b.PNG", "b.jpg"]


def test_a_utf16_list(images: Path) -> None:
    assert names(listed(images, "größe.jpeg\r\n".encode("utf-16"))) == ["größe.jpeg"]


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ('"a b.PNG"', "a b.PNG"),
        ("'b.jpg'", "b.jpg"),
        (r"..\my pictures\b.jpg", "../my pictures/b.jpg"),
        (r".\b.jpg", "./b.jpg"),
        (unicodedata.normalize("NFD", "größe.jpeg"), "größe.jpeg"),
        ("../my pictures/./b.jpg", "../my pictures/./b.jpg"),
    ],
)
def test_lines_of_other_systems(images: Path, line: str, name: str) -> None:
    assert names(listed(images, f"{line}\n")) == [name]


def test_home(images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(images.parent))
    path = listed(images, "~/my pictures/b.jpg\n")
    assert [image.path for image in found(path).images] == [images / "b.jpg"]
    assert user_images(f"~/my pictures/{path.name}") == found(path)


def test_a_name_that_looks_like_a_home_or_has_strange_spaces(images: Path) -> None:
    for name in ("~nobody_of_this_name.jpg", "Bildschirmfoto 9.41\u202fAM.png", "写真\u30002.jpg"):
        (images / name).write_bytes(b"x")
        assert names(listed(images, f"{name}\n")) == [name]


@pytest.mark.parametrize("again", ["b.jpg", "./b.jpg", "../my pictures/b.jpg", "{folder}/b.jpg"])
def test_an_image_named_twice_counts_once_and_is_reported(images: Path, again: str) -> None:
    path = listed(images, "b.jpg\na b.PNG\n" + again.format(folder=images) + "\n")
    assert names(path) == ["b.jpg", "a b.PNG"]
    assert found(path).repeated == ["b.jpg"]


def test_the_order_of_a_list_is_kept(images: Path) -> None:
    assert names(listed(images, "größe.jpeg\na b.PNG\nb.jpg\n")) == [
        "größe.jpeg",
        "a b.PNG",
        "b.jpg",
    ]


def test_names_hold_no_place(images: Path, tmp_path: Path) -> None:
    (tmp_path / "lists").mkdir()
    (images / "more").mkdir()
    (images / "more/c.jpg").write_bytes(b"x")
    path = listed(tmp_path / "lists", f"{images}/b.jpg\n{images}/more/c.jpg\n{images}/b.jpg\n")
    assert names(path) == ["b.jpg", "more/c.jpg"]
    assert found(path).repeated == ["b.jpg"]
    (tmp_path / "lists/d.jpg").write_bytes(b"x")
    mixed = listed(tmp_path / "lists", f"{tmp_path}/lists/d.jpg\n{images}/more/c.jpg\n")
    assert names(mixed) == ["d.jpg", "c.jpg"]


def test_a_folder_gives_its_pictures_and_those_below(images: Path) -> None:
    (images / "more").mkdir()
    (images / "more" / "c.webp").write_bytes(b"x")
    assert names(images) == ["a b.PNG", "b.jpg", "größe.jpeg", "more/c.webp"]


def test_a_folder_without_what_other_systems_leave_behind(images: Path) -> None:
    (images / "._b.jpg").write_bytes(b"x")
    (images / ".thumbnails").mkdir()
    (images / ".thumbnails/b.jpg").write_bytes(b"x")
    assert names(images) == ["a b.PNG", "b.jpg", "größe.jpeg"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "list ü.txt: the list is empty"),
        ("# nothing\n\n", "list ü.txt: the list is empty"),
        ("b.jpg\n\nno such.jpg\n", "list ü.txt, line 3: no such image: no such.jpg"),
        ("B.JPG\n", "line 1: no such image: B.JPG; did you mean b.jpg?"),
        ("größ.jpeg\n", "line 1: no such image: größ.jpeg; did you mean größe.jpeg?"),
        ("b.jpg 0\n", "line 1: more than an image's path: b.jpg 0"),
        ("b.jpg\n../my pictures\n", "line 2: a folder, not an image: ../my pictures; "),
        ("C:\\pictures\\b.jpg\n", "line 1: a path of another system: C:\\pictures\\b.jpg; "),
        ("~nobody/b.jpg\n", "line 1: no such image: ~nobody/b.jpg"),
        ("b.jpg\nnull.jpg\n", "line 2: the file is empty (0 bytes): null.jpg"),
        ("x" * 5000, "line 1: no such image: " + "x" * 120 + "…"),
        (b"b.jpg\ngr\xf6\xdfe.jpeg\n", "list ü.txt is not a UTF-8 text file with one image path "
            "a line (line 2)"),
        (b"\xff\xd8\xff\xe0", "list ü.txt is not a UTF-8 text file"),
        ("b.jpg\n".encode("utf-16-le"), "list ü.txt is not a text file"),
    ],
    ids=lambda value: None,
)  # fmt: skip
def test_a_faulty_list_is_refused_with_list_line_and_file(
    images: Path, content: bytes | str, words: str
) -> None:
    (images / "null.jpg").touch()
    assert words in refusal(listed(images, content))


def test_many_missing_images_are_counted(images: Path) -> None:
    words = refusal(listed(images, "".join(f"{i}.jpg\n" for i in range(50))))
    assert "line 1: " in words
    assert words.endswith("… and 30 more")
    assert len(words.splitlines()) == 21


def test_other_things_than_a_list_or_a_folder_of_images(images: Path) -> None:
    assert "no such list file or folder; give train, val" in refusal(images / "none.txt")
    assert "no such list file or folder" in refusal(images / ("x" * 5000))
    assert "is an image; give a list file or a folder" in refusal(images / "b.jpg")
    (images / "my.yaml").write_text("train: images\n")
    assert "is a data set's YAML; give dataset=custom" in refusal(images / "my.yaml")
    (images / "empty").mkdir()
    assert "no image in this folder" in refusal(images / "empty")


@pytest.mark.parametrize("name", [b"a\nb.jpg", b"gr\xf6\xdfe.jpg"])
def test_names_that_no_list_can_hold(images: Path, name: bytes) -> None:
    (images / os.fsdecode(name)).write_bytes(b"x")
    words = refusal(images)
    assert "no usable file name: " in words
    assert words.isprintable()


def test_an_empty_file_in_a_folder(images: Path) -> None:
    (images / "c.jpg").touch()
    assert "the file is empty (0 bytes): c.jpg" in refusal(images)


def test_choosing_keeps_the_order_and_depends_on_the_seed() -> None:
    items = list(range(100))
    chosen = choose(items, 10, 0)
    assert chosen == sorted(chosen)
    assert chosen == choose(items, 10, 0) != choose(items, 10, 1)
    assert choose(items, 100, 0) == choose(items, 1000, 0) == items


def test_without_a_seed_the_first_are_chosen() -> None:
    assert choose("dcba", 2, None) == ["d", "c"]
    assert choose("dcba", 9, None) == ["d", "c", "b", "a"]
