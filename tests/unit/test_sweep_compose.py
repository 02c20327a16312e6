"""Points of a sweep are composed faster than Hydra composes them, and never to anything else."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from edgemake.compose import REFUSALS, composed, unresolved
from edgemake.compose_many import Composer
from edgemake.errors import UserError

FILES = {
    "config.yaml": """
defaults:
  - _self_
  - kind: one
  - kind@extra.kind: one
  - deep/er: x
count: 8
more: [1, 2]
none: null
extra: {word: hello, some: {a: 1, b: 2}, numbers: {64: a, "8": b}, flag: true, 'x.y': 1}
""",
    "kind/one.yaml": "{name: one, size: 1}",
    "kind/two.yaml": "{name: two, size: 2, only: 3}",
    "seed/low.yaml": "value: 3",
    "deep/er/x.yaml": "{depth: 1}",
}
LINKS = "linked: {to: '${count}', text: 'n${extra.word}', relative: '${.to}'}\n"
KEYS = (
    "count", "extra.word", "extra.some", "extra.some.a", "extra.flag", "more", "more.0", "more[0]",
    "none", "kind", "kind.size", "kind.only", "kind@extra.kind", "extra.numbers.64",
    "extra.numbers.8", "extra.x.y", "seed", "deep", "deep.er.depth", "deep/er", "nothing",
    "extra.nothing", "extra", "linked.to", "linked",
)  # fmt: skip
VALUES = (
    "5", "-7", "1e3", "1.5", "true", "null", "", "''", "'a b'", "one", "two", "x", "[1,2]", "[]",
    "[a,[1]]", "[{a:1}]", "{a:1}", "{}", "???", "${count}", "'${extra.word}'", "low", "'8'", "nan",
    "'\\${count}'", "${nothing}", "a\\,b", "[${count}]", "['???']", "inf", "1_000", "0x1f", "on",
)  # fmt: skip
OVERRIDES = st.one_of(
    st.builds("{}={}".format, st.sampled_from(KEYS), st.sampled_from(VALUES)),
    st.builds("{}{}={}".format, st.sampled_from(["+", "++"]), st.sampled_from(KEYS),
              st.sampled_from(VALUES)),
    st.builds("~{}".format, st.sampled_from(KEYS)),
)  # fmt: skip
POINTS = st.lists(st.lists(OVERRIDES, max_size=4), min_size=1, max_size=3)


@pytest.fixture(scope="module", params=["", LINKS], ids=["plain", "linked"])
def conf(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("conf")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    with (folder / "config.yaml").open("a") as file:
        file.write(request.param)
    return folder


def _by_hydra(conf: Path, overrides: list[str]) -> str | None:
    """The config that Hydra alone makes; None for an error."""
    with initialize_config_dir(str(conf), version_base="1.3"):
        try:
            config = compose("config", overrides)
            plain = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
        except REFUSALS:
            return None
    return repr(plain)  # of 1, 1.0 and true each looks different, and nan like nan


def _by_us(composer: Composer, overrides: list[str]) -> str | None:
    try:
        return repr(composer.composed(overrides))
    except UserError as error:
        assert "\n" not in str(error)
        return None


@given(points=POINTS)
@settings(
    deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@example(points=[["count=5"], ["count=6", "extra.word=x"], ["count=7", "kind=two"]])
@example(points=[["extra={word:x}", "extra.word=y"], ["extra.word=y", "extra={word:x}"]])
@example(points=[["kind.size=4", "kind=two"], ["kind.only=4"], ["kind=two", "kind.only=4"]])
@example(points=[["linked.to=4"], ["count=${linked.text}"], ["extra.word=${count}"]])
@example(points=[["count='\\${extra.word}'"], ["more=['\\${count}']"]])
@example(points=[["+new=1", "count=2"], ["count=2", "+new=1"], ["~none", "count=3"]])
@example(points=[["more=[3]"], ["more=4", "more=[5]"], ["none=[1]"], ["more=null"]])
@example(points=[["kind=two", "kind=one", "kind.size=3"], ["kind@extra.kind=two"]])
@example(points=[["extra.numbers.64=c"], ["extra.numbers.8=c"], ["extra.x.y=2"]])
@example(points=[["deep=1"], ["seed=low"], ["seed=1"], ["+seed=low"], ["deep.er.depth=2"]])
def test_the_same_as_hydra(conf: Path, points: list[list[str]]) -> None:
    composer = Composer(conf)
    for overrides in points:
        assert _by_us(composer, overrides) == _by_hydra(conf, overrides), overrides


def test_points_share_nothing_that_one_of_them_changes(conf: Path) -> None:
    composer = Composer(conf)
    first = composer.composed(["extra.some.a=5"])
    kept = deepcopy(first)
    composer.composed(["extra.some.a=6", "extra.word=x"])
    assert first == kept


def test_hydra_composes_once_for_values_and_once_for_each_choice(
    conf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def counted(conf: Path, names: Any) -> dict[str, Any]:
        asked.append(tuple(names))
        return unresolved(conf, names)

    monkeypatch.setattr("edgemake.compose_many.unresolved", counted)
    monkeypatch.setattr(
        "edgemake.compose_many.composed", lambda *_: pytest.fail("composed in full")
    )
    composer = Composer(conf)
    for kind in ("one", "two"):
        for count in range(50):
            config = composer.composed([f"kind={kind}", f"count={count}", "extra.word=x"])
            assert (config["kind"]["name"], config["count"]) == (kind, count)
    assert asked == [("kind=one",), ("kind=two",)]


def test_a_mistake_of_all_points_is_explained_once(
    conf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def counted(conf: Path, overrides: list[str]) -> dict[str, Any]:
        asked.append(overrides)
        return composed(conf, overrides)

    monkeypatch.setattr("edgemake.compose_many.composed", counted)
    composer = Composer(conf)
    for count in range(50):
        with pytest.raises(UserError, match="'cuont'; did you mean 'count'"):
            composer.composed([f"cuont={count}"])
        with pytest.raises(UserError, match="kind has no option 'on'"):
            composer.composed(["kind=on", f"count={count}"])
    assert len(asked) == 1
