"""Which pictures a report shows, and where their labels lie."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vision.report_pictures import Find, _side, most_different

BOX = (10.0, 10.0, 50.0, 50.0)


def find(kind: int = 0, score: float = 0.8, box: tuple[float, ...] = BOX) -> Find:
    x1, y1, x2, y2 = box
    return Find(kind, score, (x1, y1, x2, y2), ())


def test_the_most_different_come_first_then_by_name() -> None:
    names = ["d", "c", "b", "a"]
    one = [[find()], [find()], [find()], [find()]]
    other = [[find()], [find(score=0.5)], [], [find()]]
    pairs = most_different(names, one, other)
    assert [pair.name for pair in pairs] == ["b", "c", "a", "d"]
    assert pairs[0].alone == ({0}, set())
    assert [pair.difference for pair in pairs[2:]] == [0.0, 0.0]


def test_another_class_or_place_is_another_find() -> None:
    for changed in (find(kind=1), find(box=(60.0, 60.0, 90.0, 90.0))):
        [pair] = most_different(["x"], [[find()]], [[changed]])
        assert pair.alone == ({0}, {0})
    [pair] = most_different(["x"], [[find()]], [[find(box=(12.0, 10.0, 52.0, 50.0))]])
    assert pair.alone == (set(), set())
    assert 0 < pair.difference < 0.2


def test_each_find_has_one_partner() -> None:
    twice = [find(), find(score=0.4, box=(11.0, 10.0, 51.0, 50.0))]
    [pair] = most_different(["x"], [[find()]], [twice])
    assert pair.alone == (set(), {1}), "the closer one is the partner"


CORNER = st.floats(-20, 210)


@given(
    boxes=st.lists(st.tuples(CORNER, CORNER, CORNER, CORNER), max_size=6),
    alone=st.sets(st.integers(0, 5)),
)
def test_labels_begin_inside_the_picture(
    boxes: list[tuple[float, float, float, float]], alone: set[int]
) -> None:
    finds = [find(box=(min(a, c), min(b, d), max(a, c), max(b, d))) for a, b, c, d in boxes]
    shapes = _side(finds, alone, ["cat", "dog"], (192, 192))
    assert [shape["text"] for shape in shapes] == ["cat 0.80"] * len(boxes)
    for shape in shapes:
        assert 0 <= shape["text_x"] <= 192
        assert 0 <= shape["text_y"] <= 192
        assert shape["width"] >= 0 <= shape["height"]


def test_labels_of_one_place_keep_apart() -> None:
    finds = [find(), find(kind=1, score=0.7)]
    shapes = _side(finds, set(), ["cat", "dog"], (192, 192))
    assert len({shape["text_y"] for shape in shapes}) == 2
    assert [shape["text"] for shape in shapes] == ["dog 0.70", "cat 0.80"], "the surest on top"


def test_one_class_needs_no_name() -> None:
    [shape] = _side([find()], set(), ["person"], (192, 192))
    assert shape["text"] == "0.80"
