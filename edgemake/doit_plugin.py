"""edgemake inside doit, by doit's plugin points: the task loader and the commands that build.

pyproject.toml names these classes; `dodo.py` gives them the program: a function
`plan(overrides, keep)`, for sweeps `plan_points(points, keep)`, and the `PROJECT`.
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
from edgemake.build import Build
from edgemake.config import is_override, overrides_of
from edgemake.doit_options import AnyOrder
from edgemake.errors import StepFailed, Stopped, UserError, did_you_mean
from edgemake.outstream import Patient
from edgemake.plan import Plan
from edgemake.project import Project

DATABASE = "doit.sqlite3"
"""doit's own notes, a file per host: SQLite's locks are not to be trusted between machines."""
CONFIRM = 200
"""A sweep of more points is not built unless the user says yes to it."""
COUNTED = 5000
"""Of a sweep of more points not even the steps are counted before that."""
OPTIONS = (
    {
        "section": "sweeps",
        "name": "multirun",
        "short": "m",
        "long": "multirun",
        "type": bool,
        "default": False,
        "help": "key=a,b and all of Hydra's sweeps: build every point (docs/sweeps.md)",
    },
    {
        "section": "sweeps",
        "name": "yes",
        "short": "y",
        "long": "yes",
        "type": bool,
        "default": False,
        "help": f"build a sweep of more than {CONFIRM} points",
    },
)

ORDER = {
    "section": "sweeps",
    "name": "sort",
    "short": "",
    "long": "sort",
    "type": str,
    "default": "",
    "help": "the column by which the points are told at the end; -COLUMN: the largest first",
}


class Loader(DodoTaskLoader):  # type: ignore[misc]
    """Hands every Hydra override of the command line to dodo.py, and turns its plan into tasks."""

    cmd_options = (*DodoTaskLoader.cmd_options, *OPTIONS)
    build: Build
    repeated = 0
    """Points of the sweep that were said more than once."""
    writable = True
    """Whether the command may write below artifacts/; set before anything is loaded."""
    question: tuple[str, Sequence[str]] = ("plan", ())
    """The function of the program that plans, and the words that it is given before the overrides:
    `doit compare` and `doit check-model` ask other questions than a build."""

    def setup(self, opt_values: Any) -> None:
        """Load dodo.py. Raises InvalidDodoFile when a module of the project does not parse."""
        self._options = opt_values
        gc.disable()  # a short life and few cycles: collecting costs a no-op more than it frees
        try:
            super().setup(opt_values)
        except SyntaxError as error:
            place = f"{error.filename}, line {error.lineno}"
            raise InvalidDodoFile(f"{place}: {error.msg}") from None

    def load_doit_config(self) -> dict[str, Any]:
        """What users need not say: our backend, and threads for `-n`, since steps are processes."""
        database = self.project.host_state / DATABASE
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
        for option in OPTIONS:  # doit's own commands look for none behind the first task name
            if found := {f"-{option['short']}", f"--{option['long']}"}.intersection(pos_args):
                self._options[option["name"]] = True
                pos_args[:] = [argument for argument in pos_args if argument not in found]
        try:
            self.build = self.plan(cmd, sys.argv[1:])
            pos_args[:] = [argument for argument in pos_args if not is_override(argument)]
            asks = getattr(cmd, "only_asks", False)
            tasks = doit_tasks.tasks(self.build) if pos_args or not asks else []
        except UserError as error:
            raise InvalidDodoFile(str(error)) from None
        cmd.outstream = Patient(sys.stdout)
        if not pos_args:
            later = any(task.name == "attach" for task in tasks)
            cmd.sel_tasks = ["deliver", "attach"] if later else ["deliver"]
            cmd.sel_default_tasks = True
        known = {task.name for task in tasks} | {t for task in tasks for t in task.targets}
        names = [task.name for task in tasks]
        for name in pos_args:
            if name not in known and "*" not in name:
                raise InvalidCommand(f"there is no task {name!r}{did_you_mean(name, names)}")
        return tasks

    def plan(self, cmd: Any, arguments: Sequence[str]) -> Build:
        """The build that a command line asks for. Raises UserError."""
        overrides = overrides_of(arguments)
        if aims := [word for word in overrides if word.startswith("objective=")]:
            raise UserError(
                f"{aims[0]!r} is for searches: python dodo.py --multirun (docs/sweeps.md)"
            )
        if self._options["multirun"]:
            return self._sweep(cmd, overrides)
        name, words = self.question
        ask: Callable[..., Plan] = self.namespace[name]
        before = [words] if name != "plan" else []
        return Build(
            self.project, ask(*before, overrides, keep=self.writable), writable=self.writable
        )

    def _sweep(self, cmd: Any, overrides: Sequence[str]) -> Build:
        """The build of all points. Raises UserError where some of them keep it from beginning."""
        from edgemake import sweep, sweep_words

        if not getattr(cmd, "sweeps", True):
            raise UserError(f"-m does not go with `doit {cmd.get_name()}`, which takes one config")
        found = sweep.expanded(self.project, overrides, keep=self.writable)
        count, self.repeated = len(found.points), found.repeated
        ask = cmd.execute_tasks and not self._options["yes"] and count > CONFIRM
        if ask and count > COUNTED:
            raise UserError(sweep_words.too_many(count, CONFIRM, None))
        plan: Plan = self.namespace["plan_points"](found.points, keep=self.writable)
        build = Build(self.project, plan, writable=self.writable)
        go_on = self._options.get("continue") or not cmd.execute_tasks
        if build.refused and not (go_on and build.deliveries):
            raise UserError(sweep_words.refusal(build))
        if ask:
            raise UserError(sweep_words.too_many(count, CONFIRM, build))
        if build.refused and not getattr(cmd, "shows_refused", False):
            sys.stderr.write(sweep_words.left_out(build))
        if cmd.execute_tasks:
            self._options["continue"] = True  # a failed point does not stop the others
        return build


class Run(AnyOrder, DoitRun):  # type: ignore[misc]
    """`doit run`, the default: build what changed, nothing else."""

    doc_purpose = "build what changed, nothing else (the default command)"
    doc_usage = "[key=value ...] [TASK ...]"
    cmd_options = (*DoitRun.cmd_options, ORDER)
    with_errand = False
    """Whether the plan's errand is what this command is for."""
    sweeps = True
    """Whether it takes a sweep."""
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
        self._reporter, self._order = reporter, params["sort"]
        if self._workers < 0:
            raise InvalidCommand(f"-n {self._workers}: say how many steps may run side by side")
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
        if self._order:
            self._check_order(build)
        if build.swept:
            from edgemake.sweep_words import begin_line

            self._reporter.say(begin_line(build, self.loader.repeated))
        with build.open(), build.processes.stopped_by_signals():
            self._reporter.begin(build, self.sel_tasks)
            try:
                result: int = super()._execute(**options)
                for delivery in build.deliveries if result else ():
                    build.deliverer.explain_refused(delivery)
                if build.swept and build.conclusion is not None and self._delivers():
                    result = max(result, self._conclude(build))
            finally:
                build.remember()
        if build.refused:
            from edgemake.sweep_words import left_out

            sys.stderr.write("\n" + left_out(build))
        return max(result, bool(build.refused))

    def _check_order(self, build: Build) -> None:
        """Raises UserError where --sort makes no sense."""
        if build.conclusion is None:
            raise UserError("--sort orders the points of a sweep; say -m, and values to sweep")
        points = [delivery.point for delivery in build.deliveries]
        points += [refused.point for refused in build.refused]
        build.conclusion.check(points, self._order)

    def _delivers(self) -> bool:
        return any(name.partition(":")[0] in ("deliver", "attach") for name in self.sel_tasks)

    def _conclude(self, build: Build) -> int:
        """The result of a sweep, put together; the exit status."""
        from edgemake.endings import conclude
        from edgemake.sweep_words import end_lines

        if build.processes.stopping:
            return 0
        try:
            self._reporter.end(conclude(build, self._order, self._reporter.say))
        except (StepFailed, UserError) as error:
            self._reporter.end(["", *end_lines(build), f"\nFAILED sweep: {error}"])
            return 1
        return 0


class Forget(AnyOrder, DoitForget):  # type: ignore[misc]
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
