import codecs
from pathlib import Path

import pytest

from vision.image_list import choose, user_images


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "my pictures"
    folder.mkdir()
    for name in ("b.jpg", "a b.PNG", "größe.jpeg", "notes.txt"):
        (folder / name).write_bytes(b"x")
    return folder


def listed(folder: Path, content: bytes) -> Path:
    path = folder / "list ü.txt"
    path.write_bytes(content)
    return path


def names(source: Path) -> list[str]:
    return [path.name for path in user_images(str(source))]


def test_a_list_may_be_relative_to_itself_or_absolute(images: Path) -> None:
    path = listed(images, f"b.jpg\n{images / 'a b.PNG'}\n".encode())
    assert sorted(names(path)) == ["a b.PNG", "b.jpg"]


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lists_from_any_editor(images: Path, mark: bytes, end: str) -> None:
    lines = ["# mine", "", "größe.jpeg", "  a b.PNG  ", "b.jpg", "b.jpg"]
    path = listed(images, mark + end.join(lines).encode())
    assert names(path) == ["a b.PNG", "b.jpg", "größe.jpeg"]


def test_a_utf16_list(images: Path) -> None:
    assert names(listed(images, "größe.jpeg\r\n".encode("utf-16"))) == ["größe.jpeg"]


def test_a_folder_gives_its_pictures_and_those_below(images: Path) -> None:
    (images / "more").mkdir()
    (images / "more" / "c.webp").write_bytes(b"x")
    assert names(images) == ["a b.PNG", "b.jpg", "größe.jpeg", "c.webp"]


def test_the_order_of_a_list_does_not_matter(images: Path) -> None:
    one = names(listed(images, b"b.jpg\na b.PNG\n"))
    assert one == names(listed(images, b"a b.PNG\nb.jpg\n"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "list ü.txt: the list is empty"),
        (b"# nothing\n\n", "list ü.txt: the list is empty"),
        (b"b.jpg\n\nno such.jpg\n", "list ü.txt, line 3: no such image: no such.jpg"),
        (b"\xff\xd8\xff\xe0", "list ü.txt is not a UTF-8 text file"),
    ],
)
def test_a_faulty_list_is_refused_with_list_line_and_file(
    images: Path, content: bytes, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        user_images(str(listed(images, content)))


def test_many_missing_images_are_counted(images: Path) -> None:
    path = listed(images, "".join(f"{i}.jpg\n" for i in range(50)).encode())
    with pytest.raises(ValueError, match=r"line 1: .*\n") as fault:
        user_images(str(path))
    assert str(fault.value).endswith("… and 30 more")
    assert len(str(fault.value).splitlines()) == 21


def test_a_missing_source_an_image_and_an_empty_folder_are_refused(images: Path) -> None:
    with pytest.raises(ValueError, match="no such list file or folder; give train, val"):
        user_images(str(images / "none.txt"))
    with pytest.raises(ValueError, match="is an image; give a list file or a folder"):
        user_images(str(images / "b.jpg"))
    (images / "empty").mkdir()
    with pytest.raises(ValueError, match="no image in this folder"):
        user_images(str(images / "empty"))


def test_choosing_keeps_the_order_and_depends_on_the_seed() -> None:
    items = list(range(100))
    chosen = choose(items, 10, 0)
    assert chosen == sorted(chosen)
    assert chosen == choose(items, 10, 0) != choose(items, 10, 1)
    assert choose(items, 100, 0) == choose(items, 1000, 0) == items
