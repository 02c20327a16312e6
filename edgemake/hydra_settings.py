"""What `python dodo.py` tells Hydra beside the user's words: where to write, what to search by."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode
from omegaconf import OmegaConf

from edgemake import sweep_words
from edgemake.digest import digest_of
from edgemake.doit_plugin import CONFIRM
from edgemake.doit_points import demand_measured
from edgemake.errors import StepFailed, UserError
from edgemake.hydra_errors import NO_FIGURE, demand_possible, parsed, samples
from edgemake.objective import WORD, Objective
from edgemake.project import Project
from edgemake.sweep import expanded

LITTER = "artifacts/.state/hydra"
"""Where Hydra writes what it writes of a run, seen from the project's folder."""
STUDIES = "sqlite:///artifacts/.state/studies.sqlite3"
"""Where Optuna keeps its studies, unless the user says where."""
_INSTEAD = {"hydra/launcher": ("basic", "edgemake"), "hydra/job_logging": ("default", "stdout")}
"""Group -> (Hydra's choice, ours): one graph for all points; no log file beside the terminal."""
_OPTUNA = "hydra_plugins.hydra_optuna_sweeper."
_LAUNCHERS = "hydra.launcher."
_AIM = "edgemake.objective"
"""Attribute of a study: the objective that it was begun with."""


@dataclass(frozen=True)
class Study:
    """A study of Optuna's."""

    name: str
    storage: str | None
    """None: an object that the config describes, which only Optuna opens."""

    def demand_fruit(self) -> None:
        """Raises StepFailed when none of its trials came to a model that is accepted."""
        if self.storage is None:
            return
        import optuna

        trials = optuna.load_study(study_name=self.name, storage=self.storage).get_trials()
        figures = [trial.values for trial in trials if trial.values]
        if not figures:
            raise StepFailed(NO_FIGURE)
        if not any(all(map(isfinite, values)) for values in figures):
            raise StepFailed(
                "no trial gave a model that the board and your gates accept; why stands above"
            )


@dataclass(frozen=True)
class Settings:
    """How Hydra is started."""

    words: list[str]
    """What stands on its command line."""
    searches: bool = False
    """Whether a sweeper chooses points by what the last ones came to."""
    study: Study | None = None
    """Where the sweeper is Optuna's."""


@dataclass(frozen=True)
class Asked:
    """What the user's command line says."""

    words: Sequence[str]
    goal: Objective | None = None
    multirun: bool = False
    yes: bool = False
    """Whether a large sweep is meant."""


def settings(project: Project, asked: Asked) -> Settings:
    """The user's words behind settings of Hydra's own: what he says of them comes later, and wins.
    Only the directions of a search stand last, for the objective has said them.

    Raises UserError for a search that can come to nothing and for a sweep that is too large, and
    what Hydra raises.
    """
    conf, words, goal = project.root / "conf", asked.words, asked.goal
    found = _hydras(conf, [word for word in words if not word.startswith(_LAUNCHERS)])
    choices, sweeper = found["runtime"]["choices"], found["sweeper"]
    said = {override.key_or_group for override in parsed(words)}
    chosen = [
        f"{group}={mine}"
        for group, (its, mine) in _INSTEAD.items()
        if group not in said and choices[group] == its
    ]
    searches = not str(sweeper["_target_"]).endswith(".BasicSweeper")  # that one looks itself
    many = asked.multirun or "MULTIRUN" in str(found["mode"])
    if searches:
        _demand_sense(project, words, sweeper, goal)
    elif many:
        _demand_meant(project, words, yes=asked.yes)
    place, aim, study = LITTER, list[str](), None
    if str(sweeper["_target_"]).startswith(_OPTUNA):
        study, kept = _studied(words, sweeper, goal)
        place = f"{LITTER}/{re.sub(r'[^A-Za-z0-9_.-]', '_', study.name)}"
        chosen += kept
        aim = [f"hydra.sweeper.direction=[{','.join(goal.directions)}]"] if goal else []
    ours = [
        *chosen,
        f"hydra.run.dir={LITTER}",
        f"hydra.sweep.dir={place}",
        "hydra.sweep.subdir=.",
        "hydra.output_subdir=null",
        "hydra.job.name=edgemake",
    ]
    return Settings([*ours, *words, *aim], searches and many, study if many else None)


def _studied(
    words: Sequence[str], sweeper: dict[str, Any], goal: Objective | None
) -> tuple[Study, list[str]]:
    """The study that a search makes or goes on with, and what Optuna must be told of it. Raises
    UserError for a search without a goal or with another than its study's."""
    if goal is None:
        raise UserError(
            "Optuna searches for something: say which figure of the model, and which way is "
            f"better, {WORD}NAME:max or :min (docs/sweeps.md)"
        )
    name = sweeper["study_name"] or _study(words, sweeper["params"], goal)
    kept = sweeper["storage"] or STUDIES
    study = Study(name, kept if isinstance(kept, str) else None)
    if study.storage is not None:
        _demand_same(study.storage, name, goal)
    told = {"study_name": name, "storage": f"'{kept}'", "max_failure_rate": 1}
    return study, [f"hydra.sweeper.{key}={to}" for key, to in told.items() if not sweeper[key]]


def _demand_sense(
    project: Project, words: Sequence[str], sweeper: dict[str, Any], goal: Objective | None
) -> None:
    """Raises UserError for a search in which no point can be built, or be searched by."""
    given = [f"{key}={value}" for key, value in (sweeper.get("params") or {}).items()]
    conf, space = project.root / "conf", [*given, *words]
    demand_possible(conf, space)
    points = samples(conf, space) if goal else None
    if goal and points:
        demand_measured(project.root, points, goal.names)


def _demand_meant(project: Project, words: Sequence[str], *, yes: bool) -> None:
    """Raises UserError for a sweep that is too large, as `doit -m` does."""
    asked = [word for word in words if not word.startswith(_LAUNCHERS)]
    count = len(expanded(project, asked, keep=False).points)
    if count > CONFIRM and not yes:
        raise UserError(sweep_words.too_many(count, CONFIRM, None))


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
