"""Steps as doit tasks. doit is the graph and the scheduler; every truth comes from the store."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from doit.dependency import DatabaseException, FileChangedChecker, SqliteDB
from doit.exceptions import TaskFailed
from doit.task import Task, dict_to_task

from edgemake.build import Build
from edgemake.delivery import Delivery
from edgemake.errors import StepFailed, UserError
from edgemake.step import Output, Step, UserFile, in_order
from edgemake.store import RECORD


class StoreChecker(FileChangedChecker):  # type: ignore[misc]
    """doit's file checker, with an opinion on one thing only: whether a target exists.
    Whether content changed is for the tasks' `uptodate`, which asks the store."""

    CheckerError = OSError

    def check_modified(self, file_path: str, file_stat: object, state: object) -> bool:
        return False

    def get_state(self, dep: str, current_state: object) -> bool:
        return True

    @staticmethod
    def info(file_path: str) -> None:
        """doit asks for a stat of each dependency; there is nothing it may conclude from it."""


class StoreBackend(SqliteDB):  # type: ignore[misc]
    """doit's sqlite backend. It keeps doit's own notes (ignored tasks); what doit would derive
    from a file's remembered state never makes a task out of date."""

    def __init__(self, name: str, *args: Any, **options: Any) -> None:
        """A damaged database holds nothing that cannot be lost: begin a new one."""
        try:
            super().__init__(name, *args, **options)
        except DatabaseException:
            Path(name).unlink()
            super().__init__(name, *args, **options)
        # doit saves its group tasks even when there is nothing to do: no reason to wait for a disk
        self._conn.execute("PRAGMA synchronous = OFF")

    def get(self, task_id: str, dependency: str) -> Any:
        if dependency.endswith(":"):
            return None if dependency in ("deps:", "checker:") else super().get(task_id, dependency)
        return True


def tasks(build: Build) -> list[Task]:
    """All tasks of a build: toolchains, steps, deliveries, and a group task per stage."""
    found: list[Task] = []
    for basename, doc, members in _families(build):
        subtasks = [dict_to_task(member) for member in members]
        for task in subtasks:
            task.subtask_of = basename
        names = [task.name for task in subtasks]
        current = [(_all_current, [build, members])]
        group = Task(basename, None, doc=doc, has_subtask=True, task_dep=names, uptodate=current)
        found += [group, *subtasks]
    return found


def task_name(build: Build, step: Step) -> str:
    """The doit name of a step."""
    return f"{step.stage}:{build.resolver.name(step)}"


def steps_named(build: Build, names: Sequence[str] | None, *, with_parents: bool) -> list[Step]:
    """The steps behind task names (groups, single steps, `deliver`); all for None."""
    steps = build.steps()
    if names is None:
        return steps
    chosen = [step for step in steps if step.stage in names or task_name(build, step) in names]
    if any(name.partition(":")[0] == "deliver" for name in names):
        chosen += [root for delivery in build.deliveries for root in delivery.roots()]
    if any(name.partition(":")[0] == "attach" for name in names):
        chosen += [root for delivery in build.deliveries for root in delivery.every_root()]
    if with_parents:
        keys = {build.resolver.key(step) for step in in_order(chosen)}
        return [step for step in steps if build.resolver.key(step) in keys]
    return chosen


class Unlink:
    """`doit clean`: removes the step's link; doit prints what this says of itself."""

    def __init__(self, build: Build, step: Step) -> None:
        self._build, self._step = build, step

    def __call__(self) -> None:
        self._build.unlink(self._step)

    def __repr__(self) -> str:  # doit drops the first character
        return f"<remove the link {self._build.resolver.link(self._step)}"


def _families(build: Build) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
    yield (
        "toolchain",
        "install and verify the environments that stages run in",
        [_toolchain_task(build, name) for name in build.toolchain_names()],
    )
    steps = build.steps()
    for stage in dict.fromkeys(step.stage for step in steps):
        mine = [step for step in steps if step.stage == stage]
        words = getattr(sys.modules.get(f"stages.{stage}"), "__doc__", None) or ""
        yield stage, words.partition("\n")[0], [_step_task(build, step) for step in mine]
    groups = _by_place(build)
    if groups:
        yield (
            "deliver",
            "put the checked model where people look",
            [_deliver_task(build, group) for group in groups],
        )
    later = [[one for one in group if attached_later(one)] for group in groups]
    if any(later):
        yield (
            "attach",
            "put the report and the metrics beside it",
            [_attach_task(build, group) for group in later if group],
        )


def attached_later(delivery: Delivery) -> bool:
    """Whether the appendix may come after the deliverable."""
    return bool(delivery.appendix) and not delivery.waits


def _step_task(build: Build, step: Step) -> dict[str, Any]:
    link = build.resolver.link(step)
    return {
        "name": task_name(build, step),
        "doc": step.label,
        "actions": [(_attempt, [build, build.resolver.key(step), build.run, step])],
        "file_dep": list(_files(build, step)),
        "task_dep": [task_name(build, parent) for parent in step.parents()],
        "targets": [f"{link}/{name}" for name in (*step.outputs, RECORD)],
        "uptodate": [(build.is_current, [step])],
        "setup": [f"toolchain:{step.toolchain}"] if step.toolchain else [],
        "clean": [(Unlink(build, step),)],
        "io": {"capture": False},
        "meta": {"step": step},
    }


def _files(build: Build, step: Step) -> Iterator[str]:
    for edge in step.inputs.values():
        if isinstance(edge, Output):
            yield f"{build.resolver.link(edge.step)}/{edge.path}"
        elif isinstance(edge, UserFile):
            yield str(edge.path)
        else:
            yield from map(str, edge.paths)


def _deliver_task(build: Build, group: Sequence[Delivery]) -> dict[str, Any]:
    """Delivers the last of those that lie in one place, when the steps of all have run."""
    delivery, path = group[-1], build.deliverer.path(group[-1])
    roots = list({build.resolver.key(root): root for root in delivery.roots()}.values())
    wanted = {task_name(build, root): None for one in group for root in one.roots()}
    return {
        "name": f"deliver:{path.parent.name}-{path.name}",
        "doc": str(path),
        "actions": [(_attempt, [build, f"deliver:{path}", build.deliverer.deliver, delivery])],
        "file_dep": [
            f"{build.resolver.link(root)}/{name}" for root in roots for name in root.outputs
        ],
        "task_dep": list(wanted),
        "targets": [str(path)],
        "uptodate": [(build.deliverer.is_current, [delivery])],
        "clean": [],
        "io": {"capture": False},
        "meta": {"delivery": delivery},
    }


def _attach_task(build: Build, group: Sequence[Delivery]) -> dict[str, Any]:
    """As `_deliver_task`, of the appendix."""
    delivery, path = group[-1], build.deliverer.path(group[-1])
    wanted = {task_name(build, output.step): None for one in group for output in one.appendix}
    return {
        "name": f"attach:{path.parent.name}-{path.name}",
        "doc": str(path),
        "actions": [(_attempt, [build, f"attach:{path}", build.deliverer.attach, delivery])],
        "file_dep": [str(build.resolver.link(o.step) / o.path) for o in delivery.appendix],
        "task_dep": [
            f"deliver:{path.parent.name}-{path.name}",
            *wanted,
        ],
        "targets": [str(path / output.path) for output in delivery.appendix],
        "uptodate": [(build.deliverer.is_attached, [delivery])],
        "clean": [],
        "io": {"capture": False},
        "meta": {"attachment": delivery},
    }


def _toolchain_task(build: Build, name: str) -> dict[str, Any]:
    return {
        "name": f"toolchain:{name}",
        "doc": str(build.toolchains.get(name).path),
        "actions": [(_attempt, [build, f"toolchain:{name}", build.install, name])],
        "targets": [str(build.toolchains.get(name).python)],
        "uptodate": [(build.has_toolchain, [name])],
        "clean": [],
        "io": {"capture": False},
        "meta": {"toolchain": name},
    }


def _all_current(build: Build, members: list[dict[str, Any]]) -> bool | None:
    """A group is current when all that it stands for is. For `list` and `info`: in a build its
    members have just been looked at, and doit takes None for no opinion."""
    if build.watcher is not None:
        return None
    return all(check(*subject) for member in members for check, subject in member["uptodate"])


def _by_place(build: Build) -> list[list[Delivery]]:
    """Deliveries that come to lie in the same place, together: points of a sweep that differ in
    nothing that is part of the model."""
    found: dict[Path, list[Delivery]] = {}
    for delivery in build.deliveries:
        found.setdefault(build.deliverer.path(delivery), []).append(delivery)
    return list(found.values())


def _attempt(
    build: Build, name: str, work: Callable[[Any], None], subject: Any
) -> TaskFailed | bool:
    """Run an action; its refusals become doit failures with words, not tracebacks, and are noted
    in the build under `name`."""
    try:
        work(subject)
    except (StepFailed, UserError) as error:
        build.failures[name] = str(error)
    except OSError as error:
        place = Path(error.filename or "?")
        build.failures[name] = f"{error.strerror}: {place}. Nothing that was built is lost"
    else:
        return True
    return TaskFailed(build.failures[name])
