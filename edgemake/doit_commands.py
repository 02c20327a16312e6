"""Commands that ask the store (`plan`, `why`, `log`) or clear it (`gc`); none of them builds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

from doit.cmd_base import DoitCmdBase
from doit.cmd_run import opt_continue, opt_num_process
from doit.exceptions import InvalidCommand

from edgemake import doit_tasks
from edgemake.build import Build
from edgemake.doit_options import AnyOrder
from edgemake.doit_plugin import ORDER
from edgemake.errors import UserError
from edgemake.project import Project
from edgemake.step import Step

OF_RUN = (opt_continue, opt_num_process, ORDER)
"""Options of the build that change no plan: who has typed a build may put `plan` before it."""


class ReadCommand(AnyOrder, DoitCmdBase, ABC):  # type: ignore[misc]
    """A command that only asks the store: doit's database is not even opened."""

    base_options = ()  # those of doit's database
    only_asks = True
    """Whether doit's tasks are made only to check the names that were given."""

    def execute(self, params: Any, args: list[str]) -> int:
        """Load the plan and answer."""
        self.loader.writable = False
        self.loader.setup(params)
        params.update_defaults(self.loader.load_doit_config())
        self.sel_tasks = args
        self.loader.load_tasks(cmd=self, pos_args=args)
        try:
            return self.answer(self.loader.build, args, params)
        except UserError as error:
            raise InvalidCommand(str(error)) from None

    @abstractmethod
    def answer(self, build: Build, names: list[str], params: Any) -> int:
        """Print the answer; the exit status."""


class PlanCommand(ReadCommand):
    """`doit plan`: what would run, and why. Writes nothing."""

    name = "plan"
    shows_refused = True
    doc_purpose = "what would run and why; writes nothing"
    doc_usage = "[key=value ...] [TASK ...]"
    cmd_options = tuple({**option, "section": "as for `doit run`"} for option in OF_RUN)

    def answer(self, build: Build, names: list[str], params: Any) -> int:
        from edgemake.tell import plan_lines

        wanted = doit_tasks.steps_named(build, names or None, with_parents=True)
        for line in plan_lines(build, wanted):
            self.outstream.write(line + "\n")
        return 0 if not build.refused else 1 if params["continue"] else 3


class StepsCommand(ReadCommand):
    """A command about single steps, which must be named."""

    doc_usage = "STEP [key=value ...]"

    def answer(self, build: Build, names: list[str], params: Any) -> int:
        if not names:
            stages = ", ".join(dict.fromkeys(step.stage for step in build.steps()))
            raise UserError(f"doit {self.get_name()} needs a step: one of {stages}")
        for step in doit_tasks.steps_named(build, names, with_parents=False):
            for line in self.lines(build, step):
                self.outstream.write(line + "\n")
        return 0

    @abstractmethod
    def lines(self, build: Build, step: Step) -> Iterable[str]:
        """What to print of one step."""


class Why(StepsCommand):
    """`doit why STEP`: what changed since the last artifact."""

    doc_purpose = "what exactly changed since a step's last artifact"

    def lines(self, build: Build, step: Step) -> Iterable[str]:
        from edgemake.tell import why_lines

        return why_lines(build, step)


class Log(StepsCommand):
    """`doit log STEP`: what the stage printed, of the last failure or of the artifact."""

    doc_purpose = "what a step printed when it ran or failed"

    def lines(self, build: Build, step: Step) -> Iterable[str]:
        from edgemake.tell import log_lines

        return log_lines(build, step)


class ConfigCommand(ReadCommand):
    """`doit config`: every key, its value with these overrides, and what it means."""

    name = "config"
    doc_purpose = (
        "every key that can be given, its value and its meaning; the options of each group"
    )
    doc_usage = "[--markdown] [key=value ...]"
    sweeps = False
    cmd_options = (
        {
            "name": "markdown",
            "short": "",
            "long": "markdown",
            "type": bool,
            "default": False,
            "help": "as docs/config.md has it",
        },
    )

    def answer(self, build: Build, names: list[str], params: Any) -> int:
        from edgemake.compose_hints import groups
        from edgemake.manual import markdown, rows

        schema, values = self.loader.namespace["SCHEMA"], build.deliveries[0].config
        options = groups(build.project.root / "conf")
        if params["markdown"]:
            self.outstream.write(markdown(schema, values, options) + "\n")
            return 0
        for group, choices in options.items():
            self.outstream.write(f"{group}={'|'.join(choices)}\n")
        for key, value, words in rows(schema, values):
            self.outstream.write(f"\n{key}={value}\n    {words}\n")
        return 0


class Gc(DoitCmdBase):  # type: ignore[misc]
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
