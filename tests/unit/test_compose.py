"""Refusals of Hydra, in one sentence with the nearest right word."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgemake.compose import composed
from edgemake.compose_hints import groups
from edgemake.errors import UserError


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    (tmp_path / "model").mkdir()
    (tmp_path / "config.yaml").write_text(
        "defaults:\n  - model: ???\n  - _self_\nsize: 1\ndeep: {word: a, list: [1]}\n"
    )
    (tmp_path / "model/small.yaml").write_text("{name: small, layers: 3}\n")
    (tmp_path / "model/large.yaml").write_text("{name: large, layers: 30, extra: 1}\n")
    return tmp_path


def test_a_good_one(conf: Path) -> None:
    config = composed(conf, ["model=large", "deep.word=b"])
    assert config == {
        "model": {"name": "large", "layers": 30, "extra": 1},
        "size": 1,
        "deep": {"word": "b", "list": [1]},
    }
    assert groups(conf) == {"model": ["large", "small"]}


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ([], "no model was chosen; say one of large, small"),
        (["model=smal"], "model has no option 'smal'; did you mean 'small'?"),
        (["modle=small"], "there is no config group or key 'modle'; did you mean 'model'?"),
        (["model=small", "deep.wrod=1"], "there is no key 'deep.wrod'; did you mean 'deep.word'?"),
        (["model=small", "model.extra=1"], "there is no key 'model.extra'"),
        (["model=small", "siez=1"], "there is no config group or key 'siez'; did you mean 'size'?"),
        (["model=small", "+size=2"], "'+size=2': size exists already; leave the + away"),
        (["model=small,large"], "'model=small,large' names several values"),
        (["model=small", "size=range(3)"], "'size=range(3)' names several values"),
        (["model=small", "size=[1"], "cannot read 'size=[1'"),
        (["model=small", "deep.word=???"], "deep.word=??? stands for a value; say deep.word=…"),
        (["model=small", "size=${nothing}"], "'size=${nothing}'"),
    ],
)
def test_refusals(conf: Path, overrides: list[str], words: str) -> None:
    with pytest.raises(UserError) as refused:
        composed(conf, overrides)
    assert str(refused.value).startswith(words), refused.value
    assert "\n" not in str(refused.value)


def test_a_file_that_is_no_yaml(conf: Path) -> None:
    (conf / "model/small.yaml").write_text("name: small\nlayers: [3\n")
    with pytest.raises(UserError, match=r"cannot read .*small\.yaml, line 3: "):
        composed(conf, ["model=small"])
