"""What `python dodo.py` tells Hydra beside the user's words: where to write, what to search by."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode
from omegaconf import OmegaConf

from edgemake.digest import digest_of
from edgemake.errors import UserError
from edgemake.hydra_errors import demand_possible, parsed
from edgemake.objective import WORD, Objective

LITTER = "artifacts/.state/hydra"
"""Where Hydra writes what it writes of a run, seen from the project's folder."""
STUDIES = "sqlite:///artifacts/.state/studies.sqlite3"
"""Where Optuna keeps its studies, unless the user says where."""
_INSTEAD = {"hydra/launcher": ("basic", "edgemake"), "hydra/job_logging": ("default", "stdout")}
"""Group -> (Hydra's choice, ours): one graph for all points; no log file beside the terminal."""
_OPTUNA = "hydra_plugins.hydra_optuna_sweeper."
_AIM = "edgemake.objective"
"""Attribute of a study: the objective that it was begun with."""


def settings(conf: Path, words: Sequence[str], goal: Objective | None) -> list[str]:
    """The user's words behind settings of Hydra's own: what he says of them comes later, and wins.
    Only the directions of a search stand last, for the objective has said them.

    Raises UserError for a search that can come to nothing, and what Hydra raises.
    """
    found = _hydras(conf, [word for word in words if not word.startswith("hydra.launcher.")])
    choices, sweeper = found["runtime"]["choices"], found["sweeper"]
    said = {override.key_or_group for override in parsed(words)}
    chosen = [
        f"{group}={ours}"
        for group, (its, ours) in _INSTEAD.items()
        if group not in said and choices[group] == its
    ]
    place, aim = LITTER, []
    if not str(sweeper["_target_"]).endswith(".BasicSweeper"):  # that one looks itself
        given = [f"{key}={value}" for key, value in (sweeper.get("params") or {}).items()]
        demand_possible(conf, [*given, *words])
    if str(sweeper["_target_"]).startswith(_OPTUNA):
        if goal is None:
            raise UserError(
                "Optuna searches for something: say which figure of the model, and which way is "
                f"better, {WORD}NAME:max or :min (docs/sweeps.md)"
            )
        study = sweeper["study_name"] or _study(words, sweeper["params"], goal)
        place = f"{LITTER}/{re.sub(r'[^A-Za-z0-9_.-]', '_', study)}"
        kept = sweeper["storage"] or STUDIES
        if isinstance(kept, str):
            _demand_same(kept, study, goal)
        chosen += [f"hydra.sweeper.{key}={value}" for key, value in (
            ("study_name", study), ("storage", f"'{kept}'"), ("max_failure_rate", 1),
        ) if not sweeper[key]]  # fmt: skip
        aim = [f"hydra.sweeper.direction=[{','.join(goal.directions)}]"]
    return [
        *chosen,
        f"hydra.run.dir={LITTER}",
        f"hydra.sweep.dir={place}",
        "hydra.sweep.subdir=.",
        "hydra.output_subdir=null",
        "hydra.job.name=edgemake",
        *words,
        *aim,
    ]


def _demand_same(storage: str, name: str, goal: Objective) -> None:
    """Raises UserError when the study aims at something else: Optuna itself would not say so."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    ways = list(goal.directions)
    study = optuna.create_study(
        storage=storage, study_name=name, directions=ways, load_if_exists=True
    )
    aim = study.user_attrs.get(_AIM) or ",".join(way.name.lower() for way in study.directions)
    if not study.user_attrs and not study.trials:
        study.set_user_attr(_AIM, aim := str(goal))
    if aim != str(goal):
        raise UserError(
            f"the study {name!r} aims at {aim}, and not at {goal}; give the same objective, or "
            "hydra.sweeper.study_name another name"
        )


def _hydras(conf: Path, words: Sequence[str]) -> dict[str, Any]:
    """What `hydra.*` is with these overrides, unresolved."""
    with initialize_config_dir(str(conf), version_base="1.3"):
        app = GlobalHydra.instance().hydra
        assert app is not None
        config = app.compose_config(
            "config",
            list(words),
            RunMode.MULTIRUN,
            with_log_configuration=False,
            validate_sweep_overrides=False,
        )
        found: Any = OmegaConf.to_container(config.hydra, resolve=False)
    return dict(found)


def _study(words: Sequence[str], params: object, goal: Objective) -> str:
    """A study's name: the same for the same search, whatever is said of how to search."""
    asked = [o for o in parsed(words) if not o.is_hydra_override()]
    space = sorted(str(override.input_line) for override in asked)
    given = [word for word in words if word.startswith("hydra.sweeper.params")]
    return f"{goal.names[0]}-{digest_of([space, given, repr(params), str(goal)])[:8]}"
