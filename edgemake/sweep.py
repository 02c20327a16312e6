"""A sweep: the points that a command line stands for, and all of them planned as one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import prod
from typing import TypeVar

import msgspec

from edgemake.config import Remembered, load_each
from edgemake.delivery import Delivery
from edgemake.digest import digest_of
from edgemake.errors import UserError
from edgemake.plan import Plan, Refused
from edgemake.project import Project
from edgemake.resolve import Resolver

T = TypeVar("T", bound=msgspec.Struct)

MOST = 100_000
"""Points of one sweep; a plan of more does not fit into memory."""
_REMEMBERED = 2000
"""The points of a larger sweep are worked out anew each time."""
_KEPT = 20


@dataclass(frozen=True)
class Sweep:
    """What a command line with sweeps stands for."""

    points: list[tuple[str, ...]]
    """Overrides of each point, in Hydra's order: the last axis goes fastest."""
    repeated: int = 0
    """How many more were said, each equal to one of `points`."""


def expanded(project: Project, overrides: Sequence[str], *, keep: bool = True) -> Sweep:
    """The points of a command line. With `keep` they are remembered. Raises UserError."""
    known = Remembered(project, "sweeps", ["axes", *overrides], keep=keep)
    try:
        return msgspec.json.decode(known.read(), type=Sweep)
    except (OSError, msgspec.DecodeError):
        pass
    from edgemake.compose import axes

    sides = axes(project.root / "conf", overrides, MOST)
    size = prod(len(side) for side in sides)
    if size > MOST:
        shown = " x ".join(
            f"more than {MOST:,}" if len(side) > MOST else str(len(side))
            for side in sides
            if len(side) > 1
        )
        raise UserError(
            f"that is a sweep of more than {MOST:,} points ({shown}); give the axes fewer values"
        )
    points = list(dict.fromkeys(product(*sides)))
    sweep = Sweep(points, size - len(points))
    if size <= _REMEMBERED:
        known.write(msgspec.to_builtins(sweep), most=_KEPT)
    return sweep


def plan_each(
    project: Project,
    points: Sequence[Sequence[str]],
    schema: type[T],
    plan_one: Callable[[T], Plan],
    *,
    keep: bool = True,
) -> Plan:
    """One plan of all points, deliveries in their order; those that raise UserError are refused.

    What a plan says of the machine (variables, where toolchains lie) is the same for all points:
    the first says it, a point that says otherwise is refused.
    """
    deliveries: list[Delivery] = []
    refused: list[Refused] = []
    whole: Plan | None = None
    configs = load_each(project, points, schema, keep=keep)
    for word, config in zip(varying(points), configs, strict=True):
        try:
            if isinstance(config, UserError):
                raise config
            plan = plan_one(config)
            whole = plan if whole is None else _together(whole, plan)
        except UserError as error:
            refused.append(Refused(word, str(error)))
            continue
        deliveries += [replace(delivery, point=word) for delivery in plan.deliveries]
    return replace(whole or Plan([]), deliveries=deliveries, refused=refused)


def told_apart(
    deliveries: Sequence[Delivery], resolver: Resolver, *, always: bool = False
) -> tuple[list[Delivery], list[Refused]]:
    """The deliveries; those of one package that differ in what is measured or demanded of it get
    folders of their own, or the last would take the place of all. With `always` so does each:
    others of its package may come later. And the points whose inputs cannot be read."""
    packages: dict[tuple[str, str, str], set[str]] = {}
    keys, refused = [], []
    for one in deliveries:
        try:
            place = one.folder, one.name, resolver.key(one.package)
            beside = [*one.verdicts, *one.appendix]
            roots = [[resolver.key(output.step), output.path] for output in beside]
        except UserError as error:
            if not one.point:
                raise
            refused.append(Refused(one.point, str(error)))
            continue
        keys.append((one, place, digest_of(roots)[:8]))
        packages.setdefault(place, set()).add(keys[-1][2])
    return [
        replace(one, apart=key) if always or len(packages[place]) > 1 else one
        for one, place, key in keys
    ], refused


def varying(points: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    """Of each point the overrides that not all points share."""
    if len(points) < 2:
        return [() for _ in points]
    shared = set(points[0]).intersection(*points[1:])
    return [tuple(word for word in point if word not in shared) for point in points]


def _together(whole: Plan, plan: Plan) -> Plan:
    """How the machine is used, of both. Raises UserError where they contradict each other."""
    for name, value in plan.environment.items():
        said = whole.environment.get(name, value)
        if said != value:
            raise UserError(
                f"{name}={value}, but {said} for the points before it: such settings of the "
                "machine change no result and cannot be swept; give one value"
            )
    if plan.toolchain_dir != whole.toolchain_dir:
        raise UserError(
            f"toolchain.dir={plan.toolchain_dir}, but {whole.toolchain_dir} for the points before "
            "it: toolchains lie in one place; give one value"
        )
    if plan.executor != whole.executor:
        raise UserError(
            "executor is another than for the points before it: all points of a sweep run in one "
            "place; give one value for each key of executor"
        )
    return replace(
        whole,
        environment={**plan.environment, **whole.environment},
        needs={**plan.needs, **whole.needs},
    )
