"""Tables of a report: what is escaped, what sorts by what."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from vision.report_table import Cell, Column, badge, number, table
from vision.report_units import of_limit, plural, points, size


class Read(HTMLParser):
    """What a browser sees: the tags, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.words.append(data)


TEXT = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1)


@given(text=TEXT, tone=st.sampled_from(["", "good", "bad"]), code=st.booleans())
def test_any_text_comes_out_as_it_went_in(text: str, tone: str, code: bool) -> None:
    plain = Read(table("x", [Column("y")], [[Cell("z", tone=tone, code=code)]]))
    odd = Read(table(text, [Column(text)], [[Cell(text, tone=tone, code=code)]], name=text))
    assert odd.tags == plain.tags, "no markup of its own"
    assert sum(text in words for words in odd.words) >= 3, "caption, heading and cell"


def test_a_badge_is_not_told_by_colour_alone() -> None:
    told = {tone: Read(badge(tone, "x")).words for tone in ("good", "look", "bad", "none")}
    assert len({words[0] for words in told.values()}) == 4


def test_figures_sort_by_value_and_gaps_below_all() -> None:
    rows = [[number(0.5)], [number(None)], [number(-1234.5, 1)]]
    text = table("t", [Column("c", number=True)], rows)
    assert 'data-sort="0.5"' in text
    assert 'data-sort="-1234.5"' in text
    assert "−1,234.5" in text
    assert 'data-sort="-1e99"' in text
    assert float("-1e99") < -1234.5


def test_headings_are_buttons_with_an_order() -> None:
    text = table("t", [Column("a"), Column("b", True)], [["x", "1"]])
    assert text.count('aria-sort="none"') == text.count('<button type="button">') == 2
    assert '<th scope="row">x</th>' in text
    assert "<caption>t</caption>" in text


def test_signs() -> None:
    assert [number(v, 1, sign=True).text for v in (1.26, -1.26, 0.04, -0.04, 0.0)] == [
        "+1.3", "−1.3", "±0.0", "±0.0", "±0.0",
    ]  # fmt: skip
    assert [points(drop) for drop in (1.8, -0.2, 0.0, 0.04)] == [
        "−1.8 points", "+0.2 points", "±0.0 points", "±0.0 points",
    ]  # fmt: skip


def test_sizes() -> None:
    assert [size(n) for n in (371, 299936, 1135736, 2857472)] == [
        "371 bytes", "293 KiB", "1,109 KiB", "2.73 MiB",
    ]  # fmt: skip
    assert of_limit(299936, 1135736) == "293 of 1,109 KiB"
    assert of_limit(2857472, 10485760) == "2.73 of 10.00 MiB"
    assert (plural(1, "class", "classes"), plural(2, "class", "classes"), plural(1000, "rule")) == (
        "1 class", "2 classes", "1,000 rules",
    )  # fmt: skip
