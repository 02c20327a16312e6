"""How each point of a sweep ended, and what is made of all of them. Loaded for sweeps alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from edgemake.build import Build
from edgemake.deliver import rejected_path
from edgemake.delivery import Delivery
from edgemake.errors import StepFailed
from edgemake.step import Output, Step, in_order

DELIVERED, REFUSED, FAILED = "delivered", "refused", "failed"
NOT_PLANNED, NOT_TRIED = "not planned", "not tried"


@dataclass(frozen=True)
class Ending:
    """How one point ended."""

    point: tuple[str, ...]
    """The overrides that tell it from the others."""
    word: str
    at: str = ""
    """The stage that failed, or the rule that refused; of a delivered point the stage of its
    appendix that failed."""
    message: str = ""
    """Why, in words; the project's own place is left out."""
    key: str = ""
    """Request key of the package; '' where nothing could be planned."""
    path: Path | None = None
    """Where the files lie, refused ones too."""
    outputs: Mapping[str, Output] = field(default_factory=dict)
    """Files of the package and of the appendix that are there."""
    seconds: float = 0.0
    """What its steps took when they were built."""
    ran: float = 0.0
    """What those of them took that ran in this build."""


def endings(build: Build) -> list[Ending]:
    """The points of a sweep in their order; those that could not be planned come last."""
    refused = [Ending(one.point, NOT_PLANNED, message=one.message) for one in build.refused]
    return [*(_ending(build, delivery) for delivery in build.deliveries), *refused]


def conclude(build: Build, order: str, tell: Callable[[str], None]) -> Iterable[str]:
    """Runs what the program makes of a sweep; lines to print. Raises StepFailed or UserError.

    `tell` is told what must be installed first.
    """
    assert build.conclusion is not None
    errand = build.conclusion.errand(endings(build), order)
    build.add_errand(errand)
    if (cost := build.preflight([errand.step])) is not None:
        tell(cost)
    if errand.step.toolchain and not build.is_current(errand.step):
        build.install(errand.step.toolchain)
    build.run(errand.step)
    artifact = build.resolver.look(errand.step).artifact
    if artifact is None:
        raise StepFailed("its artifact was damaged right after it was made")
    return errand.finish(artifact.path)


def _ending(build: Build, delivery: Delivery) -> Ending:
    word, at, message = _end(build, delivery)
    path = build.deliverer.path(delivery)
    if word == REFUSED:
        path = rejected_path(path)
    steps = build.steps_of(delivery)
    artifacts = [build.resolver.look(step).artifact for step in steps]
    ran = [build.outcomes.get(build.resolver.key(step)) for step in steps]
    return Ending(
        delivery.point,
        word,
        at,
        message.replace(f"{build.project.root}/", ""),
        build.resolver.key(delivery.package),
        path if word in (DELIVERED, REFUSED) and path.is_dir() else None,
        {output.path: output for output in _outputs(delivery) if _is_there(build, output.step)},
        round(sum(one.record["seconds"] for one in artifacts if one is not None), 3),
        sum(one.seconds for one in ran if one is not None and one.word != "reused"),
    )


def _end(build: Build, delivery: Delivery) -> tuple[str, str, str]:
    """(how it ended, at which stage or rule, why)."""
    needed = in_order(delivery.roots())
    if fault := _fault(build, needed):
        return FAILED, *fault
    path = build.deliverer.path(delivery)
    refusals = build.deliverer.refusals(delivery)
    if refusals and _is_there(build, delivery.package):
        return REFUSED, refusals[0].partition(":")[0], "\n".join(refusals)
    if message := build.failures.get(f"deliver:{path}"):
        return FAILED, "deliver", message
    whole = all(_is_there(build, root) for root in delivery.roots())
    if not (whole and build.deliverer.is_current(delivery)):
        return NOT_TRIED, "", ""
    later = _fault(build, in_order(output.step for output in delivery.appendix))
    if message := build.failures.get(f"attach:{path}"):
        later = later or ("attach", message)
    return DELIVERED, *(later or ("", ""))


def _fault(build: Build, steps: Iterable[Step]) -> tuple[str, str] | None:
    """(stage, message) of the first step that failed, or could not be tried for its toolchain."""
    for step in steps:
        if message := build.failures.get(build.resolver.key(step)):
            return step.stage, message
        if step.toolchain and (message := build.failures.get(f"toolchain:{step.toolchain}")):
            return f"toolchain {step.toolchain}", message
    return None


def _outputs(delivery: Delivery) -> list[Output]:
    package = delivery.package
    return [*(package[name] for name in package.outputs), *delivery.appendix]


def _is_there(build: Build, step: Step) -> bool:
    return build.resolver.look(step).artifact is not None
