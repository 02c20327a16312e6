"""Guarantee 20: every override form gives the config that Hydra alone gives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hydra import compose, initialize_config_dir
from lab import Lab
from omegaconf import OmegaConf

from edgemake.config import load
from edgemake.project import Project

FORMS = [
    [],
    ["count=5"],
    ["count=5", "count=6"],
    ["++count=5"],
    ["sleep.choose=0.25"],
    ["more=[1,2]"],
    ["more=[]"],
    ["text='a b.txt'"],
    ['text="it\\"s, a=b"'],
    ["text=a b.txt"],
    ["text='naïve.txt'"],
    ["text=${extra.word}"],
    ["extra.word=null"],
    ["extra.word='null'"],
    ["extra.word=true"],
    ["extra.word='1'"],
    ["extra.word=1e3"],
    ["extra.word=-7"],
    ["extra.word="],
    ["extra.word=''"],
    ["+extra.new=1"],
    ["++extra.new.deep=[a,{b:c}]"],
    ["+extra.other={a:1,b:[2,3]}"],
    ["extra.some={b:5}", "extra.some={a:6}"],
    ["~extra.word"],
    ["~extra.some.a"],
    ["~extra.some"],
    ["kind=two"],
    ["kind=two", "kind.size=9"],
    ["kind@extra.kind=two"],
    ["+kind@extra.more=one"],
    ["~kind"],
    ["+seed@extra.seed=low"],
    ["extra={word:x}"],
]
EXTRA = """
defaults:
  - _self_
  - kind: one
  - kind@extra.kind: one
extra: {word: hello, some: {a: 1, b: 2}}
"""


class Loose(msgspec.Struct):
    """Takes what Hydra gives, unchecked: this is about the values alone."""

    seed: Any = None
    count: Any = None
    more: Any = None
    limit: Any = None
    text: Any = None
    sleep: Any = None
    proof: Any = None
    toolchain: Any = None
    extra: Any = None
    kind: Any = None


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """A project with groups, whose dodo.py writes down the config that it got."""
    lab = Lab.make(tmp_path_factory.mktemp("hydra") / "toy")
    lab.write("conf/config.yaml", EXTRA + (lab.root / "conf/config.yaml").read_text())
    lab.write("conf/kind/one.yaml", "{name: one, size: 1}")
    lab.write("conf/kind/two.yaml", "{name: two, size: 2, count: '${count}'}")
    lab.write("conf/seed/low.yaml", "value: 3")
    for name in ("a b.txt", "naïve.txt", "hello", 'it"s, a=b'):
        lab.write(name, "words")
    fields = "\n    extra: object = None\n    kind: object = None\n"
    lab.edit("dodo.py", "toolchain: str | None\n", f"toolchain: str | None{fields}")
    tell = '    (PROJECT.root / "seen.json").write_bytes(msgspec.json.encode(config))\n'
    lab.edit("dodo.py", "    numbers = Step(", f"{tell}    numbers = Step(")
    return lab


def _by_hydra(conf: Path, overrides: list[str]) -> dict[str, Any]:
    with initialize_config_dir(str(conf), version_base="1.3"):
        config = OmegaConf.to_container(compose("config", overrides), resolve=True)
    assert isinstance(config, dict)
    return {str(key): value for key, value in config.items()}


@pytest.mark.parametrize("overrides", FORMS, ids=" ".join)
def test_the_composed_config(lab: Lab, overrides: list[str]) -> None:
    expected = {**msgspec.to_builtins(Loose()), **_by_hydra(lab.root / "conf", overrides)}
    project = Project(lab.root)
    for _ in range(2):  # composed, then remembered
        assert msgspec.to_builtins(load(project, overrides, Loose)) == expected


@pytest.mark.parametrize(
    "arguments",
    [
        ["plan", "count=5"],
        ["plan", "choose", "count=5", "more=[1,2]"],
        ["plan", "count=5", "choose", "++count=6"],
        ["count=5", "plan"],
        ["plan", "~extra.word", "choose"],
        ["plan", "+extra.new={a:[1,'b c']}", "text='a b.txt'"],
        ["plan", "kind=two", "~extra.some.a", "extra.word=''"],
        ["list", "count=5", "~extra.word"],
        ["why", "choose", "count=5", "~extra.word"],
        ["run", "-n", "2", "source", "extra.some={b:5}", "extra.some={a:6}"],
        ["-n", "2", "--continue", "~extra.word", "source"],
        ["~extra.word", "source"],
        ["source", "count=-5"],
        ["clean", "source", "count=5"],
        ["forget", "source", "~extra.word"],
    ],
    ids=" ".join,
)
def test_the_command_line(lab: Lab, arguments: list[str]) -> None:
    """Before and after task names, with every command."""
    overrides = [a for a in arguments if "=" in a or a.startswith("~")]
    (lab.root / "seen.json").unlink(missing_ok=True)
    said = lab.doit(*arguments)
    assert said.code == 0, said.text
    seen = json.loads((lab.root / "seen.json").read_bytes())
    loose = {"extra": None, "kind": None}
    assert seen == {**loose, **_by_hydra(lab.root / "conf", overrides)}
