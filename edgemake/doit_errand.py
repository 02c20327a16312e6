"""Commands that run one step for its own sake (`Plan.errand`) and hand out what it leaves."""

from __future__ import annotations

import sys
from functools import wraps
from pathlib import Path
from typing import Any

from doit.cmd_run import Run as DoitRun

from edgemake.build import Build
from edgemake.doit_plugin import Run
from edgemake.errors import UserError
from edgemake.outstream import Patient


class RunErrand(Run):
    """Builds what is missing of the errand's inputs, runs it, and tells what came of it."""

    with_errand = True
    sweeps = False
    needs = ""
    """What to say when the command line names nothing to run."""

    def begin(self, build: Build) -> None:
        """Say what is to come, before anything runs."""

    def tell(self, build: Build, artifact: Path) -> int:
        """Hand out the artifact; the exit status. For most: its lines, after an empty one."""
        assert build.errand is not None
        out = Patient(sys.stdout)
        out.write("\n")
        for line in build.errand.finish(artifact):
            out.write(line + "\n")
        return 0

    @wraps(DoitRun._execute)
    def _execute(self, **options: Any) -> int:
        build: Build = self.loader.build
        if build.errand is None:
            raise UserError(self.needs)
        step = build.errand.step
        self.sel_tasks, self.sel_default_tasks = [step.stage], False
        self.begin(build)
        result: int = super()._execute(**options)
        if result:
            return result
        with build.open():
            artifact = build.resolver.look(step).artifact
            assert artifact is not None
            return self.tell(build, artifact.path)
