"""edgemake inside doit, by doit's plugin points: the task loader and the commands that build.

pyproject.toml names these classes; `dodo.py` gives them the program: a function
`plan(overrides, keep)` and the `PROJECT`.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from doit.cmd_base import DodoTaskLoader
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

DATABASE = "artifacts/.state/doit.sqlite3"


class Loader(DodoTaskLoader):  # type: ignore[misc]
    """Hands every Hydra override of the command line to dodo.py, and turns its plan into tasks."""

    build: Build
    writable = True
    """Whether the command may write below artifacts/; set before anything is loaded."""
    question: tuple[str, Sequence[str]] = ("plan", ())
    """The function of the program that plans, and the words that it is given before the overrides:
    `doit compare` and `doit check-model` ask other questions than a build."""

    def setup(self, opt_values: Any) -> None:
        """Load dodo.py. Raises InvalidDodoFile when a module of the project does not parse."""
        gc.disable()  # a short life and few cycles: collecting costs a no-op more than it frees
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
            **super().load_doit_config(),
        }

    @property
    def project(self) -> Project:
        """The project of the dodo.py that was loaded."""
        project: Project = self.namespace["PROJECT"]
        return project

    def load_tasks(self, cmd: Any, pos_args: list[str]) -> list[Task]:
        """Plan. Raises InvalidDodoFile with the user's fault in one sentence."""
        try:
            self.build = self.plan(sys.argv[1:])
            found = doit_tasks.tasks(self.build)
        except UserError as error:
            raise InvalidDodoFile(str(error)) from None
        cmd.outstream = Patient(sys.stdout)
        pos_args[:] = [argument for argument in pos_args if not is_override(argument)]
        if not pos_args:
            later = any(task.name == "attach" for task in found)
            cmd.sel_tasks = ["deliver", "attach"] if later else ["deliver"]
            cmd.sel_default_tasks = True
        known = {task.name for task in found} | {t for task in found for t in task.targets}
        names = [task.name for task in found]
        for name in pos_args:
            if name not in known and "*" not in name:
                raise InvalidCommand(f"there is no task {name!r}{did_you_mean(name, names)}")
        return found

    def plan(self, arguments: Sequence[str]) -> Build:
        """The build that a command line asks for. Raises UserError."""
        name, words = self.question
        ask: Callable[..., Plan] = self.namespace[name]
        before = [words] if name != "plan" else []
        plan = ask(*before, overrides_of(arguments), keep=self.writable)
        return Build(self.project, plan, writable=self.writable)


class Run(DoitRun):  # type: ignore[misc]
    """`doit run`, the default: build what changed, nothing else."""

    doc_purpose = "build what changed, nothing else (the default command)"
    doc_usage = "[key=value ...] [TASK ...]"
    with_errand = False
    """Whether the plan's errand is what this command is for."""
    narration: Any = None
    """The stream that is told what happens; None: standard output."""

    def execute(self, params: Any, args: list[str]) -> int:
        """Plan, run, and report. Exit status: 0, 1 if something failed (doit itself says 2 when
        later tasks were left untried; 2 and 3 are for bad input), or 128 + the signal that
        stopped the build."""
        from edgemake.reporter import Reporter

        reporter = Reporter(self.narration)
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
        if build.errand is not None and not self.with_errand:
            raise UserError("image= and out= belong to `doit infer`, which runs the model")
        build.force_all = self._always
        options["num_process"] = build.side_by_side(self._workers)
        build.watcher = self._reporter
        self._reporter.begin(build, self.sel_tasks)
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
        if self.sel_default_tasks and not forget_all:
            raise InvalidCommand("say which step to forget, or --all")
        super()._execute(forget_sub, forget_disable_default, forget_all)
        build: Build = self.loader.build
        named = None if forget_all else self.sel_tasks
        for step in doit_tasks.steps_named(build, named, with_parents=forget_sub):
            build.forget(step)
