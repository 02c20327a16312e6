"""edgemake inside doit, by doit's plugin points: the task loader and the commands.

pyproject.toml names these classes; `dodo.py` gives them the program: a function
`plan(overrides, keep)` and the `PROJECT`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import wraps
from typing import Any

from doit.cmd_base import DodoTaskLoader, DoitCmdBase
from doit.cmd_forget import Forget as DoitForget
from doit.cmd_run import Run as DoitRun
from doit.exceptions import InvalidCommand, InvalidDodoFile
from doit.task import Task

from edgemake import doit_tasks
from edgemake.build import Build, Plan
from edgemake.config import is_override, overrides_of
from edgemake.errors import Stopped, UserError, did_you_mean
from edgemake.outstream import Patient
from edgemake.project import Project
from edgemake.step import Step

DATABASE = "artifacts/.state/doit.sqlite3"


class Loader(DodoTaskLoader):  # type: ignore[misc]
    """Hands every Hydra override of the command line to dodo.py, and turns its plan into tasks."""

    build: Build
    writable = True
    """Whether the command may write below artifacts/; set before anything is loaded."""

    def setup(self, opt_values: Any) -> None:
        """Load dodo.py. Raises InvalidDodoFile when a module of the project does not parse."""
        try:
            super().setup(opt_values)
        except SyntaxError as error:
            place = f"{error.filename}, line {error.lineno}"
            raise InvalidDodoFile(f"{place}: {error.msg}") from None

    def load_doit_config(self) -> dict[str, Any]:
        """What users need not say: our backend, and threads for `-n`, since steps are processes."""
        database = self.project.root / DATABASE
        if self.writable:
            try:
                self.project.prepare()  # doit opens its database before it asks for tasks
            except UserError as error:
                raise InvalidDodoFile(str(error)) from None
        return {
            "backend": "edgemake",
            "dep_file": str(database),
            "check_file_uptodate": doit_tasks.StoreChecker,
            "par_type": "thread",
            "verbosity": 2,
            "default_tasks": ["deliver"],
            **super().load_doit_config(),
        }

    @property
    def project(self) -> Project:
        """The project of the dodo.py that was loaded."""
        project: Project = self.namespace["PROJECT"]
        return project

    def load_tasks(self, cmd: Any, pos_args: list[str]) -> list[Task]:
        """Plan. Raises InvalidDodoFile with the user's fault in one sentence."""
        self.build = self.plan(sys.argv[1:])
        found = doit_tasks.tasks(self.build)
        pos_args[:] = [argument for argument in pos_args if not is_override(argument)]
        if not pos_args:
            cmd.sel_tasks, cmd.sel_default_tasks = ["deliver"], True
        known = {task.name for task in found} | {t for task in found for t in task.targets}
        for name in pos_args:
            if name not in known and "*" not in name and cmd.get_name() != "check-model":
                raise InvalidCommand(f"there is no task {name!r}{did_you_mean(name, known)}")
        return found

    def plan(self, arguments: Sequence[str]) -> Build:
        """The build that a command line asks for."""
        try:
            plan: Plan = self.namespace["plan"](overrides_of(arguments), keep=self.writable)
            return Build(self.project, plan, writable=self.writable)
        except UserError as error:
            raise InvalidDodoFile(str(error)) from None


class Run(DoitRun):  # type: ignore[misc]
    """`doit run`, the default: build what changed, nothing else."""

    doc_purpose = "build what changed, nothing else (the default command)"
    doc_usage = "[key=value ...] [TASK ...]"

    def execute(self, params: Any, args: list[str]) -> int:
        """Plan, run, and report. Exit status: 0, 1 if something failed (doit itself says 2 when
        later tasks were left untried; 2 and 3 are for bad input), or 128 + the signal that
        stopped the build."""
        from edgemake.reporter import Reporter

        reporter = Reporter()
        if params["reporter"] == "console":
            params["reporter"] = reporter
        self._always, self._workers = bool(params["always"]), int(params["num_process"])
        self._reporter = reporter
        try:
            result: int = super().execute(params, args)
            return min(result, 1)
        except Stopped as stopped:
            reporter.stopped()
            return stopped.code
        except UserError as error:
            raise InvalidCommand(str(error)) from None

    @wraps(DoitRun._execute)
    def _execute(self, **options: Any) -> int:
        build: Build = self.loader.build
        build.force_all, build.workers = self._always, self._workers
        build.watcher = self._reporter
        self._reporter.begin(build)
        with build.open(), build.processes.stopped_by_signals():
            try:
                result: int = super()._execute(**options)
            finally:
                build.remember()
        return result


class Forget(DoitForget):  # type: ignore[misc]
    """`doit forget STEP`: the step runs again next time."""

    doc_purpose = "make steps run again although nothing changed"

    def _execute(self, forget_sub: bool, forget_disable_default: bool, forget_all: bool) -> None:
        super()._execute(forget_sub, forget_disable_default, forget_all)
        build: Build = self.loader.build
        named = None if forget_all else self.sel_tasks
        for step in steps_named(build, named, with_parents=forget_sub):
            build.forget(step)


class ReadCommand(DoitCmdBase):  # type: ignore[misc]
    """A command that only asks the store: doit's database is not even opened."""

    def execute(self, params: Any, args: list[str]) -> int:
        """Load the plan and answer."""
        self.loader.writable = False
        self.outstream = Patient(sys.stdout)
        self.loader.setup(params)
        params.update_defaults(self.loader.load_doit_config())
        self.sel_tasks = args
        self.loader.load_tasks(cmd=self, pos_args=args)
        try:
            return self.answer(self.loader.build, args, params)
        except UserError as error:
            raise InvalidCommand(str(error)) from None

    def answer(self, build: Build, names: list[str], params: Any) -> int:
        """Print the answer; the exit status."""
        raise NotImplementedError


class PlanCommand(ReadCommand):
    """`doit plan`: what would run, and why. Writes nothing."""

    name = "plan"
    doc_purpose = "what would run and why; writes nothing"
    doc_usage = "[key=value ...] [TASK ...]"

    def answer(self, build: Build, names: list[str], params: Any) -> int:
        from edgemake.tell import plan_lines

        wanted = steps_named(build, names or None, with_parents=True)
        for line in plan_lines(build, wanted):
            self.outstream.write(line + "\n")
        return 0


class Why(ReadCommand):
    """`doit why STEP`: what changed since the last artifact."""

    doc_purpose = "what exactly changed since a step's last artifact"
    doc_usage = "STEP [key=value ...]"

    def answer(self, build: Build, names: list[str], params: Any) -> int:
        from edgemake.tell import why_lines

        for step in steps_named(build, names or _one(build, names, "why"), with_parents=False):
            for line in why_lines(build, step):
                self.outstream.write(line + "\n")
        return 0


class Log(ReadCommand):
    """`doit log STEP`: what the stage printed, of the last failure or of the artifact."""

    doc_purpose = "what a step printed when it ran or failed"
    doc_usage = "STEP [key=value ...]"

    def answer(self, build: Build, names: list[str], params: Any) -> int:
        from edgemake.tell import log_of

        for step in steps_named(build, names or _one(build, names, "log"), with_parents=False):
            title, path = log_of(build, step)
            self.outstream.write(f"== {title}: {path}\n")
            if path is not None:
                self.outstream.write(path.read_text(errors="replace").rstrip("\n") + "\n")
        return 0


class Gc(ReadCommand):
    """`doit gc`: delete artifacts that no deliverable and none of the last builds uses."""

    doc_purpose = "delete artifacts that no deliverable and none of the last builds uses"
    doc_usage = "[--keep N] [--dry-run]"
    cmd_options = (
        {
            "name": "keep",
            "short": "",
            "long": "keep",
            "type": int,
            "default": 5,
            "help": "how many of the last builds keep their artifacts [default: %(default)s]",
        },
        {
            "name": "dry_run",
            "short": "n",
            "long": "dry-run",
            "type": bool,
            "default": False,
            "help": "say what would go, delete nothing",
        },
    )

    def execute(self, params: Any, args: list[str]) -> int:
        """Needs no plan: what is in use is written in the project."""
        from edgemake.history import Builds
        from edgemake.toolchain import gigabytes

        self.loader.setup(params)
        project: Project = self.loader.project
        if params["keep"] < 0:
            raise InvalidCommand(f"--keep {params['keep']}: give 0 or more")
        builds = Builds(project)
        try:
            project.prepare()
            with builds.alone():
                garbage = builds.garbage(params["keep"])
                if not params["dry_run"]:
                    builds.collect(garbage)
        except UserError as error:
            raise InvalidCommand(str(error)) from None
        for path, size in sorted(garbage.doomed.items()):
            name = f"{path.parent.name}/{path.name}"
            self.outstream.write(f"{gigabytes(size):>8}  {name}\n")
        verb = "would delete" if params["dry_run"] else "deleted"
        total = gigabytes(sum(garbage.doomed.values()))
        self.outstream.write(
            f"{verb} {len(garbage.doomed)} artifacts ({total}), kept {garbage.kept}\n"
        )
        return 0


def steps_named(build: Build, names: Sequence[str] | None, *, with_parents: bool) -> list[Step]:
    """The steps behind task names (groups, single steps, `deliver`); all for None."""
    from edgemake.step import in_order

    steps = build.steps()
    if names is None:
        return steps
    chosen = [
        step for step in steps if step.stage in names or doit_tasks.task_name(build, step) in names
    ]
    if any(name.partition(":")[0] == "deliver" for name in names):
        chosen += [root for delivery in build.deliveries for root in delivery.roots()]
    if with_parents:
        keys = {build.resolver.key(step) for step in in_order(chosen)}
        return [step for step in steps if build.resolver.key(step) in keys]
    return chosen


def _one(build: Build, names: list[str], command: str) -> list[str]:
    stages = ", ".join(dict.fromkeys(step.stage for step in build.steps()))
    raise UserError(f"doit {command} needs a step: one of {stages}")
