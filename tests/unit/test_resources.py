"""What the stages need of the machine: a table that is part of no digest."""

from __future__ import annotations

from pathlib import Path

import pytest
from stage_configs import config

from edgemake.digest import Digests
from edgemake.resources import Machine
from edgemake.sources import Sources
from stages import resources

ROOT = Path(__file__).resolve().parents[2]


def stages() -> set[str]:
    modules = (ROOT / "stages").glob("*.py")
    return {path.stem for path in modules if "\ndef run(" in path.read_text()}


def test_the_table_names_stages() -> None:
    known = resources.needs(config())
    assert set(known) <= stages()
    assert not set(resources.STAGES) & set(resources.BRIEF)


def test_a_corrected_figure_runs_nothing_again(tmp_path: Path) -> None:
    sources = Sources((ROOT,), Digests(tmp_path / "digests.sqlite3"))
    for stage in stages():
        covered = set(sources.of_stage(stage))
        assert f"stages.{stage}" in covered
        assert not covered & {
            "stages.resources", "edgemake.resources", "edgemake.tokens", "edgemake.grants",
        }  # fmt: skip


@pytest.mark.parametrize(
    ("device", "gpus", "cores"),
    [("auto", ("0", "1"), 3), ("cpu", (), 16), (1, ("1",), 3), ("0", ("0",), 3), ("7", (), 16)],
)
def test_a_training_takes_one_gpu_and_what_feeds_it(
    device: str | int, gpus: tuple[str, ...], cores: int
) -> None:
    needs = resources.needs(config(f"train.device={device}", "train.workers=2"))["train"]
    machine = Machine(16, 2**36, ("0", "1"))
    assert machine.gpus_for(needs.gpu) == gpus
    assert machine.most_cores(needs, 4, gpu=bool(gpus)) == cores


def test_without_training_there_is_none() -> None:
    assert "train" not in resources.needs(config("train=none"))
