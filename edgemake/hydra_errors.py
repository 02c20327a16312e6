"""What Hydra and its plugins say no to, in our words; and what they would say too late."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from itertools import islice, product
from math import prod
from pathlib import Path
from subprocess import CalledProcessError
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, Glob, IntervalSweep, Override
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from edgemake.compose import composed
from edgemake.compose_hints import groups
from edgemake.errors import StepFailed, UserError, did_you_mean

_TRIED = 50
"""Combinations of options that are composed to see whether any is possible."""
_EXTRAS = {
    "hydra/sweeper/optuna": "optuna",
    "hydra/launcher/joblib": "joblib",
    "hydra/launcher/submitit_local": "submitit",
    "hydra/launcher/submitit_slurm": "submitit",
}
"""A plugin's option -> the extra that installs it."""
_HERE = "hydra/launcher=submitit_local runs the jobs on this machine"
NO_FIGURE = "no trial of the study came to a figure; why stands above"
_THEY_SAY = {
    "No trials are completed yet": StepFailed(NO_FIGURE),
    "Record does not exist": StepFailed(NO_FIGURE),
    "`Study.stop` is supposed to be": StepFailed("the grid's last trial failed; why stands above"),
    "does not support dynamic value space": UserError(
        "this study has tried other values of these keys; give hydra.sweeper.study_name another "
        "name"
    ),
    "Only one of --run": UserError("give one of --multirun (-m), --run, --cfg, --info"),
    'Could not detect "srun"': UserError(
        f"hydra/launcher=submitit_slurm needs SLURM's commands, and srun is not here; {_HERE}"
    ),
}
"""What ends in a traceback of Hydra's, Optuna's or submitit's -> what it means."""


@contextlib.contextmanager
def in_our_words(conf: Path, words: Sequence[str]) -> Iterator[None]:
    """What Hydra, Optuna and submitit say no to becomes UserError and StepFailed."""
    try:
        yield
    except (HydraException, OmegaConfBaseException) as error:
        raise _explained(conf, words, error) from None
    except (ValueError, RuntimeError) as error:
        raise _theirs(error) from None


def _theirs(error: Exception) -> Exception:
    """What Optuna and submitit mean; the error itself where we do not know."""
    for theirs, ours in _THEY_SAY.items():
        if theirs in str(error):
            return ours
    if not type(error).__module__.startswith("submitit."):
        return error
    last = str(error).strip().rpartition("\n")[2]
    if isinstance(error.__cause__, CalledProcessError):  # of sbatch
        return UserError(f"SLURM takes no jobs ({last}); {_HERE}")
    return StepFailed(f"a job of submitit's: {last}")


def demand_possible(conf: Path, words: Sequence[str]) -> None:
    """Raises UserError unless every option that is swept exists, and some combination of them has
    every key. A sweeper that searches would find that out anew in each trial."""
    known, axes = groups(conf), []
    for override in parsed(words):
        options = known.get(override.key_or_group)
        axis = list(_values(override, every=options is not None))
        for text in axis if options else ():
            option = text.partition("=")[2]
            if options and override.is_sweep_override() and option not in options:
                hint = did_you_mean(option, options)
                raise UserError(f"{override.key_or_group} has no option {option!r}{hint}")
        axes += [axis] if axis else []
    fault: UserError | None = None
    for point in islice(product(*axes), _TRIED):
        try:
            composed(conf, point)
            return
        except UserError as error:
            fault = fault or error
    if fault is not None:
        raise fault


def samples(conf: Path, words: Sequence[str]) -> list[tuple[str, ...]]:
    """A point for each combination of the values that are named, whether or not it is possible,
    with one value of every range; none where there are too many to look at each."""
    known, axes = groups(conf), []
    for override in parsed(words):
        every = override.key_or_group in known or isinstance(override.value(), ChoiceSweep)
        if axis := list(_values(override, every=every)):
            axes.append(axis)
    return list(product(*axes)) if prod(map(len, axes)) <= _TRIED else []


def parsed(words: Sequence[str]) -> list[Override]:
    """The words as Hydra reads them. Raises HydraException."""
    return list(OverridesParser.create().parse_overrides(list(words)))


def _explained(conf: Path, words: Sequence[str], error: Exception) -> UserError:
    """Hydra's message, or ours where we see the fault as well."""
    text = str(error).strip()
    for option, extra in _EXTRAS.items():
        if f"Could not find '{option}'" in text:
            return UserError(f"{option} is not installed: pip install -e '.[{extra}]'")
    with contextlib.suppress(HydraException):
        try:
            demand_possible(conf, words)
        except UserError as ours:
            return ours
    return UserError(text)


def _values(override: Override, *, every: bool) -> Iterator[str]:
    """The override with each value of its sweep, or the first; none for Hydra's own settings, and
    for what can only be known with the config at hand."""
    value: Any = override.value()
    if override.is_hydra_override() or isinstance(value, Glob):
        return
    if not override.is_sweep_override():
        yield str(override.input_line)
    elif isinstance(value, IntervalSweep):
        yield f"{override.get_key_element()}={value.start}"
    else:
        found = (f"{override.get_key_element()}={v}" for v in override.sweep_string_iterator())
        yield from found if every else islice(found, 1)
