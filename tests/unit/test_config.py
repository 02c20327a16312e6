"""Which words of a command line are overrides, and refusals of the schema in words."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta

from edgemake.config import is_override, load, overrides_of, validated
from edgemake.errors import UserError, did_you_mean
from edgemake.project import Project


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    count: Annotated[int, Meta(ge=1, description="how many", examples=[5])]
    rate: float = 0.5


class Two(msgspec.Struct, tag_field="kind", tag="two", forbid_unknown_fields=True):
    size: int


class Three(msgspec.Struct, tag_field="kind", tag="three", forbid_unknown_fields=True):
    depth: int


class Outer(msgspec.Struct, forbid_unknown_fields=True):
    inner: Inner
    shape: Two | Three
    names: list[str] = []
    tiers: list[Literal["float", "int8"]] | None = None


GOOD: dict[str, Any] = {"inner": {"count": 1}, "shape": {"kind": "two", "size": 3}}


@pytest.mark.parametrize("word", ["a=1", "+a.b=c", "++a=[1,2]", "~a", "~a=b", "a='x y'", "a="])
def test_overrides(word: str) -> None:
    assert is_override(word)


@pytest.mark.parametrize("word", ["train", "-n", "--db-file=x", "-na=1", "train:n8-0123", "*"])
def test_no_overrides(word: str) -> None:
    assert not is_override(word)


def test_their_order_is_kept() -> None:
    assert overrides_of(["b=1", "train", "~a", "-n", "2", "b=2"]) == ["b=1", "~a", "b=2"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"inner": {"cuont": 1}}, "there is no key inner.cuont; did you mean 'count'?"),
        ({"inner": {"count": "x"}}, "inner.count: expected `int`, got `str`, found 'x'"),
        ({"inner": {"count": 1.5}}, "inner.count: expected `int`, got `float`, found 1.5"),
        ({"inner": {"count": None}}, "inner.count is not set: how many (>= 1). Say inner.count=5"),
        ({"inner": {"count": 1, "rate": None}}, "inner.rate is not set. Say inner.rate=…"),
        ({"inner": {}}, "inner.count is missing; it was removed, and has no default"),
        ({"names": ["a", 5]}, "names[1]: expected `str`, got `int`, found 5"),
        ({"tiers": ["imt8"]}, "tiers[0]: 'imt8' is none of its values; did you mean 'int8'?"),
        ({"shape": {"kind": "four"}}, "shape.kind: 'four' is not a kind of it"),
        ({"shape": {"kind": "two", "siez": 1}}, "there is no key shape.siez; did you mean 'size'?"),
        ({"outer": 1}, "there is no key outer"),
    ],
)
def test_refusals(change: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError) as refused:
        validated({**GOOD, **change}, Outer)
    assert str(refused.value).startswith(words)


def test_a_good_one() -> None:
    config = validated(GOOD, Outer)
    assert (config.inner.rate, config.shape) == (0.5, Two(3))


def test_it_is_composed_once_for_a_line_and_a_conf(tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    conf = tmp_path / "conf/config.yaml"
    conf.write_text("count: 1\n")
    project = Project(tmp_path)
    project.prepare()
    kept = project.state / "configs"
    assert load(project, [], Inner, keep=False).count == 1
    assert not kept.exists(), "a command that only looks leaves nothing"
    assert load(project, [], Inner).count == 1
    assert load(project, ["count=5"], Inner).count == 5
    assert len(list(kept.iterdir())) == 2
    load(project, ["count=5"], Inner)
    assert len(list(kept.iterdir())) == 2
    conf.write_text("count: 7\n")
    assert load(project, [], Inner).count == 7
    for path in kept.iterdir():
        path.write_text("damaged")
    assert load(project, [], Inner).count == 7


@pytest.mark.parametrize(
    ("word", "known", "hint"),
    [
        ("cuont", ["count", "size"], "; did you mean 'count'?"),
        ("cuont", ["quant.calibration.count"], "; did you mean 'quant.calibration.count'?"),
        ("zzz", ["count", "size"], "; there are: count, size"),
        ("zzz", [f"name{i}" for i in range(40)], ""),
        ("zzz", [], ""),
    ],
)
def test_suggestions(word: str, known: list[str], hint: str) -> None:
    assert did_you_mean(word, known) == hint


class Many(msgspec.Struct):
    boards: dict[str, dict[str, Inner]]


def test_a_value_inside_mappings_is_named_with_its_keys() -> None:
    boards = {"one": {"a": {"count": 2}}, "two": {"b": {"count": 3}, "c": {"count": 0}}}
    with pytest.raises(UserError, match=r"^boards\.two\.c\.count: .*>= 1, found 0$"):
        validated({"boards": boards}, Many)
