"""Overrides to one composed config, by Hydra. The only module that imports Hydra or OmegaConf."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import ConfigCompositionException, HydraException
from omegaconf import OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from edgemake.errors import UserError, did_you_mean


def composed(conf: Path, overrides: Sequence[str]) -> dict[str, Any]:
    """The config that Hydra makes of `conf`/config.yaml and the overrides, as plain values.

    Raises UserError that names the override, what is wrong with it, and the nearest right one.
    """
    parsed = [_parse(text) for text in overrides]
    with initialize_config_dir(str(conf.absolute()), version_base="1.3"):
        for override in parsed:
            _check_group(conf, override)
        try:
            config = compose("config", list(overrides))
            _refuse_resolvers(OmegaConf.to_container(config, resolve=False))
            plain = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
        except (HydraException, ConfigCompositionException, OmegaConfBaseException) as error:
            raise _explained(conf, parsed, error) from None
        except yaml.MarkedYAMLError as error:
            raise UserError(_unreadable(error)) from None
    assert isinstance(plain, dict)
    return {str(key): value for key, value in plain.items() if key != "hydra"}


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


def groups(conf: Path) -> dict[str, list[str]]:
    """Config groups and their options: folder -> files."""
    found: dict[str, list[str]] = {}
    for path in sorted(conf.rglob("*.yaml")):
        if path.parent != conf:
            found.setdefault(path.parent.relative_to(conf).as_posix(), []).append(path.stem)
    return found


def _unreadable(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark
    place = f"{mark.name}, line {mark.line + 1}" if mark is not None else "a file of conf/"
    return f"cannot read {place}: {error.problem}"


def _parse(text: str) -> Override:
    try:
        override: Override = OverridesParser.create().parse_override(text)
    except HydraException as error:
        raise UserError(f"cannot read {text!r}: {str(error).splitlines()[0]}") from None
    if override.is_sweep_override():
        raise UserError(f"{text!r} names several values; give one value for one build")
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
        _other_options(conf, key)
        or _full_name(key, config)
        or did_you_mean(key, [*known, *_keys(config)])
    )
    return f"there is no {kind} {key!r}{hint}"


def _without(conf: Path, parsed: list[Override], override: Override) -> Any:
    """The config that the other group choices give, as plain values; None when they give none."""
    known = groups(conf)
    base = [o.input_line or "" for o in parsed if o.key_or_group in known and o is not override]
    try:
        return OmegaConf.to_container(compose("config", base), resolve=False)
    except (HydraException, ConfigCompositionException, OmegaConfBaseException):
        return None


def _other_options(conf: Path, key: str) -> str:
    """A hint for a key that only other options of its group have."""
    group, _, rest = key.partition(".")
    found = [
        f"{group}={option}"
        for option in groups(conf).get(group, [])
        if rest in _keys(OmegaConf.to_container(OmegaConf.load(conf / group / f"{option}.yaml")))
    ]
    return f"; it belongs to {' and '.join(found)}" if found else ""


def _full_name(key: str, config: Any) -> str:
    """A hint for a key without its section: imgsz -> model.imgsz."""
    found = [repr(name) for name in _keys(config) if name.rpartition(".")[2] == key]
    return f"; did you mean {' or '.join(found)}?" if 0 < len(found) <= 4 else ""


def _keys(config: Any, prefix: str = "") -> Iterator[str]:
    if isinstance(config, dict):
        for key, value in config.items():
            if f"{prefix}{key}" != "hydra":
                yield f"{prefix}{key}"
                yield from _keys(value, f"{prefix}{key}.")
