"""Overrides to composed configs, by Hydra. The only module that imports Hydra or OmegaConf."""

from __future__ import annotations

import contextlib
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import yaml
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Glob, Override, RangeSweep
from hydra.errors import ConfigCompositionException, HydraException
from hydra.types import RunMode
from omegaconf import OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from edgemake.compose_hints import full_name, groups, keys_of, other_options, unreadable
from edgemake.errors import UserError, did_you_mean

_PYTHONS = (ValueError, TypeError, AttributeError, AssertionError)
REFUSALS = (HydraException, ConfigCompositionException, OmegaConfBaseException, *_PYTHONS)
"""What Hydra raises of a wrong override. Some it has no words for: a group that is given a number
or a dict, for instance."""
PARAMS = "hydra.sweeper.params"
"""Where a config defines sweeps: key -> what could stand after its = on the command line."""


def composed(conf: Path, overrides: Sequence[str]) -> dict[str, Any]:
    """The config that Hydra makes of `conf`/config.yaml and the overrides, as plain values.

    Raises UserError that names the override, what is wrong with it, and the nearest right one.
    """
    parsed = [parse(text) for text in overrides]
    with _opened(conf, parsed):
        config = compose("config", list(overrides))
        _refuse_resolvers(OmegaConf.to_container(config, resolve=False))
        return _without_hydra(OmegaConf.to_container(config, resolve=True, throw_on_missing=True))


def unresolved(conf: Path, overrides: Sequence[str]) -> dict[str, Any]:
    """As `composed`, with interpolations and `???` as they are written."""
    with _opened(conf, [parse(text) for text in overrides]):
        config = compose("config", list(overrides))
        return _without_hydra(OmegaConf.to_container(config, resolve=False))


def resolved(plain: dict[str, Any]) -> dict[str, Any] | None:
    """What `unresolved` gave, with its interpolations replaced; None where one has no answer."""
    try:
        _refuse_resolvers(plain)
        config = OmegaConf.create(plain)
        return _without_hydra(OmegaConf.to_container(config, resolve=True, throw_on_missing=True))
    except (UserError, OmegaConfBaseException):
        return None


@contextlib.contextmanager
def _opened(conf: Path, parsed: list[Override]) -> Iterator[None]:
    """While Hydra composes configs of `conf` with these overrides; its errors become UserError."""
    with initialize_config_dir(str(conf.absolute()), version_base="1.3"):
        for override in parsed:
            _check_group(conf, override)
        try:
            yield
        except REFUSALS as error:
            raise _explained(conf, parsed, error) from None
        except yaml.MarkedYAMLError as error:
            raise UserError(unreadable(error)) from None


def _without_hydra(config: Any) -> dict[str, Any]:
    assert isinstance(config, dict)
    return {str(key): value for key, value in config.items() if key != "hydra"}


def axes(conf: Path, overrides: Sequence[str], most: int) -> list[list[str]]:
    """Of each override those that it stands for: several of a sweep, else itself. In the order
    written, after the sweeps of PARAMS, whose place a later word for the same key
    takes, as in Hydra's own sweeper. An axis ends after `most` values and one more.

    A shuffled axis comes in an order that its own words decide. Raises UserError.
    """
    given = [_parse(text) for text in overrides]
    if swept := [o for o in given if o.is_hydra_override() and o.is_sweep_override()]:
        raise UserError(f"{swept[0].input_line!r}: Hydra's own settings cannot be swept")
    params = [_parse(text) for text in _sweeper_params(conf, given)]
    found: list[Override] = []
    for override in [*params, *(o for o in given if not o.is_hydra_override())]:
        place = (override.key_or_group, override.package)
        same = [i for i, o in enumerate(found) if (o.key_or_group, o.package) == place]
        if same and (override.is_sweep_override() or _is_swept(found[same[-1]], params)):
            found[same[-1]] = override
        else:
            found.append(override)
    return [_values(conf, override, most) for override in found]


def _is_swept(override: Override, params: list[Override]) -> bool:
    return override.is_sweep_override() or any(override is param for param in params)


def _values(conf: Path, override: Override, most: int) -> list[str]:
    """What one axis names."""
    text, key = override.input_line or "", override.key_or_group
    if not override.is_sweep_override():
        return [text]
    if not override.is_discrete_sweep():
        raise UserError(
            f"{text!r} is for sweepers that search, such as Optuna's (python dodo.py --multirun); "
            "give values (a,b) or a range(start,stop,step)"
        )
    value: Any = override.value()
    if isinstance(value, Glob):
        options = groups(conf).get(key)
        if options is None:
            raise UserError(
                f"{text!r}: glob() chooses from a config group, and {key} is none"
                f"{did_you_mean(key, groups(conf))}"
            )
        words = value.filter(options)
    else:
        words = _enumerated(override, value, most)
    if key in groups(conf):
        _demand_no_sweep(conf, key, words)
    if not words:
        known = groups(conf).get(key)
        hint = f"; there are: {', '.join(known)}" if known else ""
        raise UserError(f"{text!r} names no value at all{hint}")
    return [f"{override.get_key_element()}={word}" for word in words]


def _demand_no_sweep(conf: Path, group: str, options: Sequence[str]) -> None:
    """Options of an axis bring no axes themselves: those would be of one point alone."""
    for option in options:
        file = conf / group / f"{option.partition('=')[2] or option}.yaml"
        if file.is_file() and "\nhydra:" in file.read_text():
            raise UserError(
                f"{group}={file.stem} brings settings of Hydra's (a sweep of its own?): say it "
                f"alone, without other values of {group}"
            )


def _enumerated(override: Override, value: Any, most: int) -> list[str]:
    if isinstance(value, RangeSweep) and value.shuffle:
        ordered = replace(override, _value=replace(value, shuffle=False))
        if len(_enumerated(ordered, ordered.value(), most)) > most:
            raise UserError(f"{override.input_line!r} names more than {most} values")
    before = random.getstate()
    random.seed(override.input_line)
    try:
        return list(islice(override.sweep_string_iterator(), most + 1))
    except (HydraException, ValueError) as error:
        raise UserError(f"{override.input_line!r}: {str(error).splitlines()[0]}") from None
    finally:
        random.setstate(before)


def _sweeper_params(conf: Path, given: list[Override]) -> list[str]:
    """The sweeps that the config defines, as overrides. What the command line says of them is read
    here: put into Hydra's own schema, which has no params, it ends in an AttributeError."""
    known = groups(conf)
    chosen = [o for o in given if not o.is_sweep_override() and not _is_param(o)]
    chosen = [o for o in chosen if o.is_hydra_override() or o.key_or_group in known]
    with _opened(conf, chosen):
        lines = [o.input_line or "" for o in chosen]
        hydra = GlobalHydra.instance().hydra
        assert hydra is not None
        multirun = RunMode.MULTIRUN
        config = hydra.compose_config("config", lines, multirun, with_log_configuration=False)
        found: Any = OmegaConf.to_container(config.hydra.sweeper, resolve=True)
    if not str(found["_target_"]).endswith(".BasicSweeper"):
        raise UserError(
            f"hydra.sweeper is {found['_target_']}: `doit -m` builds all points of a plain "
            "sweep; a sweeper that chooses its points runs with `python dodo.py --multirun`"
        )
    params: dict[str, Any] = dict(found["params"] or {})
    for override in (o for o in given if _is_param(o)):
        key, value = override.key_or_group.removeprefix(PARAMS), override.value()
        if not key and not isinstance(value, dict):
            raise UserError(f"{override.input_line!r}: give keys with their sweeps: {{a:'1,2'}}")
        params |= value if isinstance(value, dict) and not key else {key[1:]: value}
    return [f"{key}={value}" for key, value in params.items()]


def _is_param(override: Override) -> bool:
    return f"{override.key_or_group}.".startswith(f"{PARAMS}.")


def _refuse_resolvers(config: Any, key: str = "") -> None:
    """A config is a value: what the environment or the clock says has no place in it."""
    if isinstance(config, dict):
        for name, value in config.items():
            _refuse_resolvers(value, f"{key}.{name}" if key else str(name))
    elif isinstance(config, list):
        for value in config:
            _refuse_resolvers(value, key)
    elif isinstance(config, str) and (found := re.search(r"\$\{\s*([\w.]+)\s*:", config)):
        raise UserError(
            f"{key}={config!r}: the resolver {found[1]} is not allowed, since equal commands must "
            "build equal things; give the value itself"
        )


def parse(text: str) -> Override:
    """One override that is no sweep. Raises UserError."""
    override = _parse(text)
    if override.is_sweep_override():
        raise UserError(
            f"{text!r} names several values; give one value for one build, or add -m to build "
            "with each of them"
        )
    return override


def _parse(text: str) -> Override:
    try:
        override: Override = OverridesParser.create().parse_override(text)
    except HydraException as error:
        raise UserError(f"cannot read {text!r}: {str(error).splitlines()[0]}") from None
    return override


def _check_group(conf: Path, override: Override) -> None:
    """Group choices are checked before Hydra sees them: its words do not name the nearest."""
    known, group = groups(conf), override.key_or_group
    value = override.value()
    if group in known and isinstance(value, str) and value not in known[group]:
        hint = did_you_mean(value, known[group])
        raise UserError(f"{group} has no option {value!r}{hint}")


def _explained(conf: Path, parsed: list[Override], error: Exception) -> UserError:
    words = str(error)
    known = groups(conf)
    for override in parsed:
        if problem := _unknown_key(conf, parsed, override):
            return UserError(problem)
    if isinstance(error, MissingMandatoryValue):
        return UserError(f"{error.full_key}=??? stands for a value; say {error.full_key}=…")
    missing = re.search(r"You must specify '(\w+)'", words)
    if missing:
        options = known.get(missing[1], [])
        hint = f"one of {', '.join(options)}, for instance: doit {missing[1]}={options[0]}"
        return UserError(f"no {missing[1]} was chosen; say {hint}")
    for override in parsed:
        if str(override.key_or_group) in words or str(override.input_line) in words:
            return UserError(f"{override.input_line!r}: {words.splitlines()[0]}")
    return UserError(words.splitlines()[0])


def _unknown_key(conf: Path, parsed: list[Override], override: Override) -> str | None:
    """What to say if the override names a key that the config without it does not have."""
    key = override.key_or_group or ""
    known = groups(conf)
    if key in known or override.is_force_add():
        return None
    config = _without(conf, parsed, override)
    if config is None:  # another choice is missing or wrong: only the first level is known
        config = OmegaConf.load(conf / "config.yaml")
        config = {name: None for name in config if name not in ("defaults", "hydra")}
        if "." in key:
            return None
    missing = object()
    tree = OmegaConf.create(config)
    there = OmegaConf.select(tree, key, default=missing, throw_on_missing=False) is not missing
    if there and override.is_add():
        return f"{override.input_line!r}: {key} exists already; leave the + away"
    if there or override.is_add():
        return None
    kind = "key" if "." in key else "config group or key"
    hint = (
        other_options(conf, key)
        or full_name(key, config)
        or did_you_mean(key, [*known, *keys_of(config)])
    )
    return f"there is no {kind} {key!r}{hint}"


def _without(conf: Path, parsed: list[Override], override: Override) -> Any:
    """The config that the other group choices give, as plain values; None when they give none."""
    known = groups(conf)
    base = [o.input_line or "" for o in parsed if o.key_or_group in known and o is not override]
    try:
        return OmegaConf.to_container(compose("config", base), resolve=False)
    except REFUSALS:
        return None
