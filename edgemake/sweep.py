"""Many points planned as one: each is composed and validated by itself, then all are merged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import msgspec

from edgemake.build import Plan, Refused
from edgemake.config import Configs
from edgemake.delivery import Delivery
from edgemake.errors import UserError
from edgemake.project import Project

T = TypeVar("T", bound=msgspec.Struct)


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
    words = varying(points)
    deliveries: list[Delivery] = []
    refused: list[Refused] = []
    whole: Plan | None = None
    with Configs(project, schema, keep=keep) as configs:
        for point, word in zip(points, words, strict=True):
            try:
                plan = plan_one(configs.load(point))
                whole = plan if whole is None else _together(whole, plan)
            except UserError as error:
                refused.append(Refused(word, str(error)))
                continue
            deliveries += [replace(delivery, point=word) for delivery in plan.deliveries]
    return replace(whole or Plan([]), deliveries=deliveries, refused=refused)


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
    return replace(whole, environment={**plan.environment, **whole.environment})
