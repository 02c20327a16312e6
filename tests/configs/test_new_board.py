"""A board is one YAML file: the one that docs/tutorials/add_a_board.md shows."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from composed import ROOT, keys, plain

from edgemake.compose import composed
from edgemake.config import validated
from edgemake.errors import UserError
from stages import pipeline
from stages.schema import Config

BOARD = "corstone_300"


def shown() -> str:
    """The file of the tutorial."""
    page = (ROOT / "docs/tutorials/add_a_board.md").read_text()
    return page.partition("```yaml\n")[2].partition("```")[0]


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    """The project's conf/ with one file more."""
    shutil.copytree(ROOT / "conf", tmp_path / "conf")
    (tmp_path / f"conf/target/{BOARD}.yaml").write_text(shown())
    return tmp_path / "conf"


def values(conf: Path, *overrides: str) -> dict[str, Any]:
    return composed(conf, [f"target={BOARD}", *overrides])


def test_all_of_it_plans_and_only_the_boards_own_steps_are_new(conf: Path) -> None:
    before, after = keys(plain()), keys(values(conf))
    assert after.keys() == before.keys()
    assert {stage for stage in before if before[stage] != after[stage]} == {
        *("compile", "check", "package", "report")
    }


def test_what_it_does_not_say_is_as_on_the_board_it_resembles(conf: Path) -> None:
    config = validated(values(conf), Config)
    assert config.target.name == BOARD
    target: Any = config.target
    assert target.vela.accelerator == "ethos-u55-128"
    assert target.vela.ini.system["Sram_burst_length"] == 32
    assert target.contract.strides == [8, 16, 32]
    planned = pipeline.plan(config)
    assert planned.folder == BOARD
    assert list(planned.deliver_commands) == ["firmware"]


def test_a_slip_of_the_pen_is_named(conf: Path) -> None:
    file = conf / f"target/{BOARD}.yaml"
    file.write_text(shown().replace("arena_bytes", "arena_byte"))
    with pytest.raises(UserError, match=r"target\.memory\.arena_byte\b.*arena_bytes"):
        validated(values(conf), Config)
