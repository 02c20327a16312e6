"""Optuna on the real chain: what it searches by is what was measured, and a study goes on."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import optuna

from e2e.checkout import LONGEST, ROOT, Checkout, Delivered, read
from e2e.conftest import BASE
from edgemake.compose import composed
from edgemake.config import validated
from stages import measures, pipeline
from stages.schema import Config

SEARCH = (
    "--multirun", "hydra/sweeper=optuna", "hydra.sweeper.n_jobs=1", "hydra.sweeper.sampler.seed=1",
    "objective=[board.final.box.map50_95:max,figures.arena_bytes:min]",
    "quant.weights=per_tensor,per_channel", "quant.calibration.count=8,16",
    "evaluate.count=8", "evaluate.tiers=[litert]", "gate.max_flash_kib=9999",
)  # fmt: skip


def search(project: Checkout, trials: int) -> list[Any]:
    """So many trials more; all that the study has then."""
    done = subprocess.run(
        [sys.executable, "dodo.py", *project.base, *SEARCH, f"hydra.sweeper.n_trials={trials}"],
        cwd=project.root,
        env=project.environment,
        capture_output=True,
        text=True,
        timeout=LONGEST,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    places = re.findall(r"^board\.final.* of .*: \[.*\], in (artifacts/\S+)$", done.stdout, re.M)
    assert len(places) == trials
    storage = f"sqlite:///{project.root}/artifacts/.state/studies.sqlite3"
    [name] = optuna.get_all_study_names(storage)
    found = optuna.load_study(study_name=name, storage=storage).get_trials()
    for trial, place in zip(found[-trials:], places, strict=True):
        assert trial.values == figures(project.root / place), place
    return found


def figures(folder: Path) -> list[float]:
    """The same two, read as a person would read them."""
    metrics, model = read(folder / "metrics.json"), read(folder / "model.json")
    assert metrics["images"] == 8
    accuracy = metrics["board"]["tiers"]["litert"]["box"]["map50_95"]
    return [accuracy, float(model["figures"]["arena_bytes"])]


def test_every_name_is_a_figure_and_every_figure_has_a_name(chain: Delivered) -> None:
    said = Checkout(ROOT, ()).plainly(*BASE, "attach")
    assert said.code == 0, said.text
    config = validated(composed(ROOT / "conf", list(BASE)), Config)
    names = measures.of(config, pipeline.plan(config).appendix).names
    found = {name for name in measures.every() if measures.look(chain.path, name) is not None}
    assert found == set(names)


def test_a_search_over_quantization_is_kept_and_goes_on(workshop: Checkout) -> None:
    before = len(workshop.executions())
    found = search(workshop, 3)
    assert [trial.number for trial in found] == [0, 1, 2]
    found = search(workshop, 1)
    assert [trial.state.name for trial in found] == ["COMPLETE"] * 4
    lines = workshop.executions()[before:]
    assert set(Counter(line["digest"] for line in lines).values()) == {1}
    stages = Counter(line["stage"] for line in lines)
    tried = {tuple(sorted(trial.params.items())) for trial in found}
    assert stages["quantize"] == len(tried)
    assert not {"dataset", "train", "export", "head", "convert"} & set(stages)
    assert not (workshop.root / "multirun").exists()
    assert not (workshop.root / "outputs").exists()
