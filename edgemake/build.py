"""One command's view of a project: what is there, what would run, and running it."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from edgemake import install
from edgemake.deliver import Deliverer
from edgemake.delivery import Delivery, Outcome
from edgemake.digest import Digests
from edgemake.errors import StepFailed
from edgemake.history import Builds
from edgemake.places import Places
from edgemake.plan import Errand, Plan, Refused
from edgemake.processes import Processes
from edgemake.project import Project
from edgemake.resolve import Action, Resolver, Verdict, users_own
from edgemake.resources import Needs, here
from edgemake.spec import Spec
from edgemake.step import Step, UserFile, in_order
from edgemake.store import link
from edgemake.toolchain import Toolchains

if TYPE_CHECKING:
    from edgemake.executor import Executor


class Watcher(Protocol):
    """Who is told what happens while steps run."""

    def progress(self, step: Step | str, message: Mapping[str, Any]) -> None: ...
    def outcome(self, step: Step, outcome: Outcome) -> None: ...


class Build:
    """Steps and deliveries of one command. With `writable` false nothing on disk changes."""

    def __init__(self, project: Project, plan: Plan, *, writable: bool = True) -> None:
        project = replace(project, toolchain_dir=plan.toolchain_dir)
        self.project, self.deliveries, self.writable = project, list(plan.deliveries), writable
        if writable:
            project.prepare()
        self.digests = Digests(project.host_state / "digests.sqlite3", writable=writable)
        self.resolver = Resolver(project, self.digests)
        self.refused: Sequence[Refused] = plan.refused
        if len(self.deliveries) > 1:
            from edgemake.sweep import told_apart

            self.deliveries, unreadable = told_apart(self.deliveries, self.resolver)
            self.refused = [*plan.refused, *unreadable]
        self.outcomes: dict[str, Outcome] = {}
        self.deliverer = Deliverer(self.resolver, self.outcomes)
        self.toolchains = Toolchains(project, lambda name: self.resolver.lock(name)[0])
        self.builds = Builds(project)
        self.processes = Processes()
        self.executor: Executor = self.processes.or_jobs(plan.executor, project)
        self.force_all = False
        self.workers = 1
        self.environment, self.errand = plan.environment, plan.errand
        self.conclusion = plan.conclusion
        self.failures: dict[str, str] = {}
        """What was wrong with steps (by request key), with `toolchain:NAME`, `deliver:PATH` and
        `attach:PATH`."""
        self._steps: list[Step] | None = None
        self.watcher: Watcher | None = None
        self._declared = plan.needs
        self._peaks: dict[str, int] = {}
        self._places = Places(1, 0)

    @property
    def swept(self) -> bool:
        """Whether this is a sweep: points that differ."""
        return bool(self.refused) or any(delivery.point for delivery in self.deliveries)

    def steps(self) -> list[Step]:
        """Every distinct step, parents first; equal steps of several configs are one."""
        if self._steps is None:
            roots = [root for delivery in self.deliveries for root in delivery.every_root()]
            self._steps = self._distinct([*roots, self.errand.step] if self.errand else roots)
        return self._steps

    def steps_of(self, delivery: Delivery) -> list[Step]:
        """Every distinct step behind one delivery, parents first."""
        return self._distinct(delivery.every_root())

    def add_errand(self, errand: Errand) -> None:
        """Something that is known only now is done as well."""
        self.errand, self._steps = errand, None

    def _distinct(self, roots: list[Step]) -> list[Step]:
        distinct: dict[str, Step] = {}
        for step in in_order(roots):
            distinct.setdefault(self.resolver.key(step), step)
        return list(distinct.values())

    def side_by_side(self, workers: int) -> int:
        """Run so many steps at once; how many threads that takes."""
        self.workers = workers
        if workers < 2:
            return workers
        wanting = {stage for stage, needs in self._declared.items() if needs.gpu}
        self._places = Places(workers, len(here().gpus) if self.executor is self.processes else 0)
        return self._places.threads(sum(step.stage in wanting for step in self.steps()))

    def forced(self, step: Step) -> bool:
        """Whether the step must run although its artifact is there."""
        return self.force_all or self._forget_mark(step).exists()

    def forget(self, step: Step) -> None:
        """Make the step run again the next time."""
        mark = self._forget_mark(step)
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()

    def is_current(self, step: Step, *, linking: bool = True) -> bool:
        """Whether the step's artifact is there; with `linking` its link then points at it."""
        if self.forced(step):
            return False
        artifact = self.resolver.look(step).artifact
        if artifact is not None and linking and self.writable:
            link(self.resolver.link(step), artifact.path)
        return artifact is not None

    def run(self, step: Step) -> None:
        """Have the step's artifact and its link. Raises StepFailed or UserError."""
        verdict = self.resolver.look(step)
        forced = self.forced(step)
        if verdict.artifact is not None and not forced:
            self.is_current(step)
            return
        if verdict.action is None:
            raise StepFailed("an earlier step left no artifact")
        why = self.resolver.reasons(step, verdict)
        if forced:
            why = ["forced" if self.force_all else "forgotten"]
        spec = self._spec(step, verdict.action, why, forced)
        self.digests.save()
        with self._places.of(spec.needs["gpu"]):
            last = self.executor.run(spec, lambda message: self._tell(step, message))
        self._forget_mark(step).unlink(missing_ok=True)
        artifact = self.resolver.look(step).artifact
        if artifact is None:
            raise StepFailed("its artifact was damaged right after it was made")
        link(self.resolver.link(step), artifact.path)
        outcome = Outcome(last["outcome"], last["seconds"], tuple(why))
        self.outcomes[self.resolver.key(step)] = outcome
        if self.watcher is not None:
            self.watcher.outcome(step, outcome)

    def install(self, toolchain: str) -> None:
        """Have the toolchain, installed and verified. Raises StepFailed or UserError."""
        name = f"toolchain:{toolchain}"

        def tell(done: float, total: float, text: str) -> None:
            self._tell(name, {"done": done, "total": total, "text": text})

        self.toolchains.ensure(toolchain, tell, self._run_installer)

    def has_toolchain(self, name: str) -> bool:
        """Whether the toolchain is installed and whole."""
        return self.toolchains.problem(self.toolchains.get(name)) is None

    def toolchain_names(self) -> list[str]:
        """Toolchains that the steps of this build need."""
        return sorted({step.toolchain for step in self.steps() if step.toolchain})

    def verdicts(self) -> list[tuple[Step, Verdict]]:
        """What a build would do with each step."""
        with self.resolver.still():
            return [(step, self.resolver.look(step)) for step in self.steps()]

    def preflight(self, steps: Sequence[Step], toolchains: Sequence[str] = ()) -> str | None:
        """What must be installed first for `steps`, or was asked for by name, in words.

        Raises UserError where that cannot work.
        """
        with self.resolver.still():
            pending = [s for s in steps if self.forced(s) or self.resolver.look(s).artifact is None]
        names = sorted({*toolchains, *(step.toolchain for step in pending if step.toolchain)})
        cost = self.toolchains.preflight([self.toolchains.get(name) for name in names])
        needs = {step.stage: asdict(self.needs(step)) for step in pending}
        edges = [edge for step in pending for edge in step.inputs.values()]
        reads = {str(path) for edge in edges for path in users_own(edge)}
        self.executor.prepare(needs, sorted(reads), lambda message: self._tell("jobs", message))
        return cost

    @contextlib.contextmanager
    def open(self) -> Iterator[None]:
        """A build is going on: nothing that it uses is collected as garbage."""
        with self.builds.shared():
            yield
            self.digests.save()

    def remember(self) -> None:
        """Note which artifacts this build used, for `gc`."""
        found = [(s.stage, v.artifact) for s, v in self.verdicts()]
        self.builds.remember({a.digest for _, a in found if a is not None})

    def unlink(self, step: Step) -> None:
        """Remove the step's link, never what it points to."""
        path = self.resolver.link(step)
        if path.is_symlink():
            path.unlink()

    def needs(self, step: Step) -> Needs:
        """What the step needs of the machine; no less memory than its stage took the last time."""
        stage = step.stage
        declared = self._declared.get(stage, Needs())
        if stage not in self._peaks:
            latest = next(self.resolver.store.records(stage), None)
            self._peaks[stage] = latest.record.get("peak_bytes", 0) if latest is not None else 0
        return replace(declared, memory=max(declared.memory, self._peaks[stage]))

    def _spec(self, step: Step, action: Action, why: list[str], force: bool) -> Spec:
        toolchain = self.toolchains.get(step.toolchain) if step.toolchain else None
        return Spec(
            root=str(self.project.root),
            toolchains=str(self.project.toolchain_dir) if self.project.toolchain_dir else None,
            stage=step.stage,
            digest=action.digest,
            preimage=action.preimage,
            inputs={
                name: str(given)
                if isinstance(given, Path)
                else {k: str(p) for k, p in given.items()}
                for name, given in action.inputs.items()
            },
            ignore={
                name: list(edge.ignore)
                for name, edge in step.inputs.items()
                if isinstance(edge, UserFile) and edge.path.is_dir()
            },
            files=self.resolver.files(step),
            packages=action.packages,
            why=why,
            label=step.label,
            request=self.resolver.key(step),
            python=str(toolchain.python) if toolchain else sys.executable,
            cores=0,
            needs=asdict(self.needs(step)),
            workers=self.workers,
            build=str(os.getpid()),
            network=step.network,
            resumable=step.resumable,
            force=force,
            environment=self.environment,
        )

    def _run_installer(self, command: list[str], hear: Callable[[str], None]) -> int:
        guard = [sys.executable, "-I", "-S", install.__file__]
        process = self.processes.start([*guard, *command], {})
        assert process.stdout is not None
        for line in process.stdout:
            hear(line.decode(errors="replace").rstrip("\n"))
        status = process.wait()
        self.processes.finished(process)
        return status

    def _tell(self, step: Step | str, message: Mapping[str, Any]) -> None:
        if self.watcher is not None and "text" in message:
            self.watcher.progress(step, message)

    def _forget_mark(self, step: Step) -> Path:
        return self.project.state / "forgotten" / self.resolver.key(step)
