"""From steps to action digests: which artifact a step would have, and whether it is there."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, is_dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from edgemake import why
from edgemake.digest import Digests, digest_of
from edgemake.errors import UserError
from edgemake.project import Project
from edgemake.sources import Sources
from edgemake.step import Input, Output, Step, UserFile, UserFiles
from edgemake.store import Artifact, Store

_COMPARED = 20
"""How many of a stage's artifacts, the latest, are compared to say why a step runs: a build of a
thousand steps must not read a million records."""
_PIN = re.compile(r"^([A-Za-z0-9_.\-]+)==([^\s;\\]+)", re.MULTILINE)


@dataclass(frozen=True)
class Action:
    """A step whose inputs exist: the preimage of its digest, and where the inputs lie."""

    stage: str
    digest: str
    preimage: Mapping[str, Any]
    inputs: Mapping[str, Path | Mapping[str, Path]]
    """Input name -> path; an ordered list of files as {name for the stage: path}."""
    packages: Mapping[str, str]
    """Package -> version, of the toolchain."""


@dataclass(frozen=True)
class Verdict:
    """What a build would do with a step: reuse its `artifact`, else run its `action`; with
    neither an earlier step must run first (`waits_for`)."""

    artifact: Artifact | None = None
    action: Action | None = None
    waits_for: tuple[Step, ...] = ()


class Resolver:
    """Answers for one build. The user's files are digested once and then keep their digest:
    what changes while the build runs is noticed by the runner, never mixed in."""

    def __init__(self, project: Project, digests: Digests) -> None:
        self.project, self.digests = project, digests
        self.store = Store(project.store, digests)
        self._sources = Sources(project.source_roots, digests)
        self._user: dict[tuple[str, tuple[str, ...]], str] = {}
        self._keys: dict[int, tuple[Step, str]] = {}
        self._names: dict[str, str] = {}
        self._links: dict[str, Path] = {}
        self._found: dict[str, Verdict] = {}
        self._still: dict[str, Verdict] | None = None
        self._latest: dict[str, list[Artifact]] = {}
        self._locks: dict[str, tuple[str, Mapping[str, str]]] = {}

    def key(self, step: Step) -> str:
        """The request key: known before anything runs, equal for equal steps."""
        known = self._keys.get(id(step))
        if known is None:
            inputs = {name: self._request(edge) for name, edge in step.inputs.items()}
            key = digest_of([step.stage, _plain(step.params), inputs, step.toolchain])
            known = self._keys[id(step)] = step, key  # keeps the step, and so its id, alive
        return known[1]

    def name(self, step: Step) -> str:
        """Readable and unique: the label, made safe for a file name, and a short request key."""
        key = self.key(step)
        if key not in self._names:
            label = re.sub(r"[^\w.+-]+", "_", step.label or step.stage)[:80]
            self._names[key] = f"{label}-{key[:8]}"
        return self._names[key]

    def link(self, step: Step) -> Path:
        """The static path that doit and people use; a link into the store."""
        key = self.key(step)
        if key not in self._links:
            self._links[key] = self.project.artifacts / step.stage / self.name(step)
        return self._links[key]

    def look(self, step: Step) -> Verdict:
        """What a build would do with this step right now."""
        key = self.key(step)
        known = self._found.get(key) or (self._still or {}).get(key)
        if known is not None:
            return known
        verdict = self._look(step)
        if verdict.artifact is not None:
            self._found[key] = verdict
        elif self._still is not None:
            self._still[key] = verdict
        return verdict

    @contextlib.contextmanager
    def still(self) -> Iterator[None]:
        """While open nothing is built: what is not there is looked for once, not once for each
        step that comes after it."""
        self._still, self._latest = {}, {}
        try:
            yield
        finally:
            self._still, self._latest = None, {}

    def _look(self, step: Step) -> Verdict:
        parents = {id(p): self.look(p).artifact for p in step.parents()}
        missing = tuple(p for p in step.parents() if parents[id(p)] is None)
        if missing:
            return Verdict(waits_for=missing)
        action = self._action(step, {k: a for k, a in parents.items() if a is not None})
        return Verdict(self.store.find(step.stage, action.digest), action)

    def reasons(self, step: Step, verdict: Verdict) -> list[str]:
        """Why the step is not simply reused, in words; for a reused one why it was made."""
        if verdict.artifact is not None:
            return list(verdict.artifact.record["why"])
        if verdict.action is None:
            stages = dict.fromkeys(parent.stage for parent in verdict.waits_for)
            return [f"{stage} runs first" for stage in stages]
        damaged = self.store.read(step.stage, verdict.action.digest)
        if damaged is not None:
            return [f"{self.store.damage(damaged)} was changed in the store"]
        if self.store.path(step.stage, verdict.action.digest).exists():
            return ["its record in the store was damaged"]
        return self.explain(step, verdict.action)

    def explain(self, step: Step, action: Action) -> list[str]:
        """The difference to the nearest artifact that this stage has left."""
        latest = self._latest.get(action.stage)
        if latest is None:
            latest = list(islice(self.store.records(action.stage), _COMPARED))
            if self._still is not None:
                self._latest[action.stage] = latest
        nearest = why.closest(latest, action.preimage, step.label)
        if nearest is None:
            return ["never built"]
        new = {
            "preimage": action.preimage,
            "files": self.files(step),
            "packages": action.packages,
        }
        return why.record_changes(nearest.record, new) or ["built before, no longer in the store"]

    def files(self, step: Step) -> dict[str, dict[str, str]]:
        """Inputs of the user's that hold several files -> {path: content digest}."""
        found: dict[str, dict[str, str]] = {}
        for name, edge in step.inputs.items():
            if isinstance(edge, UserFiles):
                found[name] = {str(p): self._user_digest(p, ()) for p in edge.paths}
            elif isinstance(edge, UserFile) and edge.path.is_dir():
                found[name] = self.digests.files(edge.path, edge.ignore)
        return found

    def lock(self, toolchain: str) -> tuple[str, Mapping[str, str]]:
        """(digest, {package: version}) of a toolchain's lock file. Raises UserError without one."""
        if toolchain not in self._locks:
            path = self.project.lock_files / f"{toolchain}.lock"
            try:
                text = path.read_text()
            except OSError:
                raise UserError(f"toolchain {toolchain!r} has no lock file {path}") from None
            lines = [ln.strip() for ln in text.splitlines()]
            pins = [ln for ln in lines if ln and not ln.startswith("#")]
            self._locks[toolchain] = digest_of(pins), dict(_PIN.findall(text))
        return self._locks[toolchain]

    def _request(self, edge: Output | UserFile | UserFiles) -> Any:
        if isinstance(edge, Output):
            return [self.key(edge.step), edge.path]
        return self._content(edge)

    def _content(self, edge: UserFile | UserFiles) -> str:
        if isinstance(edge, UserFile):
            return self._user_digest(edge.path, edge.ignore)
        return digest_of(list(self._named_files(edge).items()))

    def _named_files(self, edge: UserFiles) -> dict[str, str]:
        return {n: self._user_digest(p, ()) for n, p in zip(edge.names(), edge.paths, strict=True)}

    def _user_digest(self, path: Path, ignore: tuple[str, ...]) -> str:
        key = (str(path), ignore)
        if key not in self._user:
            self._user[key] = self.digests.path(path, ignore)
        return self._user[key]

    def _action(self, step: Step, parents: Mapping[int, Artifact]) -> Action:
        inputs: dict[str, Path | Mapping[str, Path]] = {}
        contents: dict[str, Any] = {}
        for name, edge in step.inputs.items():
            if isinstance(edge, Output):
                parent = parents[id(edge.step)]
                inputs[name], contents[name] = parent.path / edge.path, parent.outputs[edge.path]
            elif isinstance(edge, UserFile):
                inputs[name], contents[name] = edge.path.absolute(), self._content(edge)
            else:
                paths = (p.absolute() for p in edge.paths)
                inputs[name] = dict(zip(edge.names(), paths, strict=True))
                contents[name] = self._content(edge)
        digest, packages = self.lock(step.toolchain) if step.toolchain else (None, {})
        preimage = {
            "stage": step.stage,
            "params": _plain(step.params),
            "inputs": contents,
            "outputs": sorted(step.outputs),
            "sources": self._sources.of_stage(step.stage),
            "toolchain": {"name": step.toolchain, "lock": digest} if digest else None,
        }
        return Action(step.stage, digest_of(preimage), preimage, inputs, packages)


_VALUES = frozenset((str, int, float, bool, type(None)))


def users_own(edge: Input) -> tuple[Path, ...]:
    """The files and folders of the user's that an edge takes."""
    if isinstance(edge, Output):
        return ()
    paths = (edge.path,) if isinstance(edge, UserFile) else edge.paths
    return tuple(path.absolute() for path in paths)


def _plain(value: Any) -> Any:
    """`Step.plain_params` without the copies that dataclasses.asdict makes of all that is in
    them: a sweep of a thousand points has ten thousand steps."""
    if type(value) in _VALUES:
        return value
    if is_dataclass(value):
        return {name: _plain(item) for name, item in vars(value).items()}
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
