"""What a person sees while steps run: live progress on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from doit.exceptions import BaseFail
from doit.task import Task

from edgemake.build import Build
from edgemake.delivery import Delivery, Outcome
from edgemake.doit_tasks import attached_later, steps_named
from edgemake.outstream import Patient
from edgemake.step import Step
from edgemake.summary import Summary, in_short

QUIET_SECONDS = 20.0
"""In a log file: at most one progress line of a step in this many seconds."""


class Reporter:
    """doit's reporter interface, and the build's watcher."""

    desc = "edgemake's live progress and summary"

    def __init__(self, outstream: Any = None, options: Any = None) -> None:
        self._out = Patient(outstream or sys.stdout)
        self._live: Any = None
        self._build: Build | None = None
        self._told: dict[str, float] = {}
        self._failed: list[tuple[str, str]] = []
        self._skipped = 0
        self._delivered: list[Delivery] = []
        self._refused: list[Delivery] = []

    def begin(self, build: Build, names: Sequence[str]) -> None:
        """The plan is made; say what will be downloaded before anything is."""
        self._build = build
        toolchains = [
            toolchain
            for toolchain in build.toolchain_names()
            if "toolchain" in names or f"toolchain:{toolchain}" in names
        ]
        cost = build.preflight(steps_named(build, names, with_parents=True), toolchains)
        if cost is not None:
            self._print(cost)

    def say(self, text: str) -> None:
        """One line of what a person should know."""
        self._print(text)

    def end(self, lines: Iterable[str]) -> None:
        """The last words, when nothing runs any more."""
        self._close()
        for line in lines:
            self._print(line)

    def progress(self, step: Step | str, message: Mapping[str, Any]) -> None:
        """A running step tells how far it is."""
        name = step if isinstance(step, str) else step.stage
        done, total = float(message.get("done", 0)), float(message.get("total", 0))
        live = self._terminal()
        if live is not None:
            live.show(name, done, total, str(message["text"]))
        elif message.get("at_once") or time.monotonic() - self._told.get(name, 0) >= QUIET_SECONDS:
            self._told[name] = time.monotonic()
            self._print(f"   {name}: {message['text']}")

    def outcome(self, step: Step, outcome: Outcome) -> None:
        """A step ended well."""
        told = f"{outcome.word} in {outcome.seconds:.1f} s ({in_short(outcome.why)})"
        self._print(f"   {step.stage}: {told}")
        if outcome.word == "different":
            self._print(
                f"!! {step.stage} is not reproducible: run again it gave other bytes. The first "
                "artifact stays; the second is in artifacts/.unreproducible"
            )

    def stopped(self) -> None:
        """A signal ended the build."""
        self._close()
        self._print("stopped; every finished step is kept. The same command goes on from here")

    # what doit calls

    def initialize(self, tasks: Mapping[str, Task], selected_tasks: Sequence[str]) -> None:
        """Nothing to prepare."""

    def get_status(self, task: Task) -> None:
        """Nothing to say: looking is quick."""

    def execute_task(self, task: Task) -> None:
        """A task starts."""
        step = (task.meta or {}).get("step")
        if isinstance(step, Step):
            self._told[step.stage] = time.monotonic()
            live = self._terminal()
            if live is not None:
                live.show(step.stage, 0, 0, step.label)
            else:
                self._print(f".. {step.stage} ({step.label})")

    def add_success(self, task: Task) -> None:
        """A task ended well."""
        self.skip_uptodate(task)
        meta = task.meta or {}
        delivery = meta.get("delivery")
        if isinstance(delivery, Delivery) and attached_later(delivery):
            assert self._build is not None
            place = self._build.deliverer.path(delivery)
            shown = place.relative_to(self._build.project.root)
            self._print(f"   deliver: the board's file is in {shown}/")
        if self._live is not None and meta:
            step = meta.get("step")
            self._live.hide(step.stage if isinstance(step, Step) else task.name)

    def skip_uptodate(self, task: Task) -> None:
        """A task is current."""
        delivery = (task.meta or {}).get("delivery")
        if isinstance(delivery, Delivery):
            self._delivered.append(delivery)

    def skip_ignore(self, task: Task) -> None:
        """A task that the user told doit to ignore."""
        self._print(f"!! {task.name} is ignored (doit forget {task.name} ends that)")

    def add_failure(self, task: Task, fail: BaseFail) -> None:
        """A task failed."""
        if fail.get_name() == "UnmetDependency":
            self._skipped += "step" in (task.meta or {})  # not groups, not what is handed out
            return
        name = task.name.partition(":")[0]
        delivery = (task.meta or {}).get("delivery")
        if isinstance(delivery, Delivery):
            self._refused.append(delivery)
        if self._build is not None and self._build.swept:
            name = task.name  # there may be several of a stage
        self._failed.append((name, fail.get_msg().strip()))
        if self._live is not None:
            self._live.hide(name)

    def cleanup_error(self, exception: BaseFail) -> None:
        """Teardown failed; edgemake has none."""
        self._print(exception.get_msg())

    def runtime_error(self, msg: str) -> None:
        """doit could not go on."""
        self._failed.append(("doit", msg))

    def teardown_task(self, task: Task) -> None:
        """edgemake has no teardown."""

    def complete_run(self) -> None:
        """The end: failures with their remedy, or the summary."""
        self._close()
        build = self._build
        for name, message in self._failed:
            self._print(f"\nFAILED {name}: {message}")
            if name.partition(":")[0] not in ("deliver", "toolchain", "doit"):
                self._print(f"  its log: doit log {name} (with the same overrides)")
        if self._failed and self._skipped:
            some = "1 later step was" if self._skipped == 1 else f"{self._skipped} later steps were"
            self._print(f"  {some} not tried; finished steps are kept")
        if build is not None and build.swept:
            self._sweep_ended(build)
        elif build is not None and not build.processes.stopping:
            summary = Summary(build, self._out)
            for delivery in self._refused:
                summary.refused(delivery)
            for delivery in self._delivered:
                summary.delivered(delivery)

    def _sweep_ended(self, build: Build) -> None:
        from edgemake.sweep_words import end_lines

        if build.conclusion is None and not build.processes.stopping:
            self._print("")
            self.end(end_lines(build))

    # plumbing

    def _print(self, text: str) -> None:
        if self._live is not None:
            self._live.print(text)
        else:
            self._out.write(text + "\n")

    def _terminal(self) -> Any:
        if self._live is None and self._out.isatty():
            from edgemake.live import Live

            self._live = Live()
        return self._live

    def _close(self) -> None:
        if self._live is not None:
            self._live.close()
            self._live = None
