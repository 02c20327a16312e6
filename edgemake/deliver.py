"""Deliverables: real copies of a package where people look, or the reasons why not."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgemake.digest import digest_of, walk
from edgemake.errors import StepFailed, UserError
from edgemake.exchange import carry_over, replace_folder
from edgemake.resolve import Resolver
from edgemake.step import Output, Step, in_order
from edgemake.store import RECORD, Artifact, discard, unique, write_atomically

PROVENANCE = "provenance.json"
REJECTED = "REJECTED.txt"
SCHEMA = 1
_PRIVATE = ("files", "why")
"""What of a step's record tells about the maker's folders, and has no place in what is shared."""


@dataclass(frozen=True, eq=False)
class Delivery:
    """What one config delivers: all outputs of `package`, if every verdict says `passed`."""

    folder: str
    """Folder below artifacts/: the target's name."""
    name: str
    """Made of everything that varies; a short request key is added."""
    package: Step
    verdicts: tuple[Output, ...] = ()
    """JSON files with `passed` and `lines` of {rule, result, found, demanded, remedy}."""
    config: Mapping[str, Any] = field(default_factory=dict)
    """The composed config, for the provenance."""
    summary: Callable[[Path], list[tuple[str, str]]] | None = None
    """Rows for the table at the end, read from the delivered folder."""
    commands: Mapping[str, str] = field(default_factory=dict)
    """Way of delivery -> command that puts the model on the board; {model} is `model`'s path."""
    model: str = "model"
    """The output of `package` that the board runs."""

    def commands_for(self, path: Path) -> list[str]:
        """The commands, with the place where the deliverable lies filled in."""
        return [
            f"put it on the board ({way}):\n  {text.replace('{model}', str(path / self.model))}"
            for way, text in self.commands.items()
        ]

    def roots(self) -> list[Step]:
        """The steps that must have run before anything can be delivered."""
        return [self.package, *(output.step for output in self.verdicts)]


class Deliverer:
    """Puts deliverables below artifacts/."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._project = resolver.project

    def path(self, delivery: Delivery) -> Path:
        """Where the deliverable lies. Raises UserError for a name that leads elsewhere."""
        for name in (delivery.folder, delivery.name):
            if not name or name.startswith(".") or "/" in name or "\0" in name:
                raise UserError(
                    f"a deliverable cannot be called {name!r}: that must be the plain name of a "
                    "folder, without '/' and not beginning with '.'"
                )
        key = self._resolver.key(delivery.package)[:8]
        return self._project.artifacts / delivery.folder / f"{delivery.name}-{key}"

    def is_current(self, delivery: Delivery) -> bool:
        """Whether the deliverable is there, whole, and made of today's artifacts."""
        package = self._resolver.look(delivery.package).artifact
        if package is None or self.refusals(delivery):
            return False
        path, told = self.path(delivery), self._told(delivery)
        return (
            path.is_dir()
            and not rejected_path(path).exists()
            and told.get("lineage") == self._lineage(delivery)
            and self._whole(path, told.get("files"))
        )

    def deliver(self, delivery: Delivery) -> None:
        """Publish the package, or, when a verdict says no, keep it aside and raise StepFailed.

        What people put into the folder beside our files stays there.
        """
        package = self._artifact(delivery.package)
        final = self.path(delivery)
        rejected = rejected_path(final)
        refusals = self.refusals(delivery)
        made = final.with_name(f".{final.name}.{unique()}")
        made.mkdir(parents=True)
        try:
            self._fill(made, delivery, package)
            if refusals:
                (made / REJECTED).write_text("\n".join(refusals) + "\n")
            for file in made.rglob("*"):
                os.chmod(file, 0o755 if file.is_dir() else 0o644)
            files = [name for name, _ in walk(made)]
            ours = {*files, *self._told(delivery).get("files", ()), REJECTED}
            for old in (rejected,) if refusals else (final, rejected):
                carry_over(old, made, ours)
            replace_folder(made, rejected if refusals else final)
        finally:
            discard(made)
        if refusals:
            kept = " The last good deliverable is untouched." if final.exists() else ""
            raise StepFailed(
                "the board would refuse this model:\n  "
                + "\n  ".join(refusals)
                + f"\nThe files are kept in {rejected}.{kept}"
            )
        discard(rejected)
        digests = {name: self._resolver.digests.path(final / name, trusted=True) for name in files}
        note = {"lineage": self._lineage(delivery), "files": digests}
        write_atomically(self._note(delivery), json.dumps(note).encode())

    def _fill(self, made: Path, delivery: Delivery, package: Artifact) -> None:
        for name in package.outputs:
            source = package.path / name
            if source.is_dir():
                shutil.copytree(source, made / name)
            else:
                shutil.copyfile(source, made / name)
        steps = {}
        for step in in_order(delivery.roots()):
            artifact = self._artifact(step)
            steps[f"{step.stage}:{artifact.digest[:8]}"] = {
                key: value for key, value in artifact.record.items() if key not in _PRIVATE
            }
        provenance = {"schema": SCHEMA, "config": without_places(delivery.config), "steps": steps}
        text = json.dumps(provenance, indent=1, sort_keys=True)
        (made / PROVENANCE).write_text(text + "\n")

    def refusals(self, delivery: Delivery) -> list[str]:
        """Every failed line of every verdict, in words."""
        lines = []
        for output in delivery.verdicts:
            artifact = self._resolver.look(output.step).artifact
            if artifact is None:
                continue
            verdict = json.loads((artifact.path / output.path).read_bytes())
            if not verdict["passed"]:
                failed = [line for line in verdict["lines"] if line["result"] == "fail"]
                lines += [_sentence(line) for line in failed] or ["the verdict says no"]
        return lines

    def _artifact(self, step: Step) -> Artifact:
        artifact = self._resolver.look(step).artifact
        if artifact is None:
            raise StepFailed(f"{step.stage} has no artifact")
        return artifact

    def _lineage(self, delivery: Delivery) -> str:
        return digest_of([self._artifact(s).digest for s in in_order(delivery.roots())])

    def _note(self, delivery: Delivery) -> Path:
        path = self.path(delivery)
        return self._project.state / "deliverables" / f"{path.parent.name}--{path.name}.json"

    def _told(self, delivery: Delivery) -> Mapping[str, Any]:
        """What was noted of the last delivery: `lineage`, and `files` with their digests."""
        try:
            told = json.loads(self._note(delivery).read_bytes())
        except (OSError, ValueError):
            return {}
        return told if isinstance(told, dict) else {}

    def _whole(self, path: Path, files: Mapping[str, str] | None) -> bool:
        """Whether the files that were delivered are what they were; others do not count."""
        try:
            found = {name: self._resolver.digests.file(path / name) for name in files or ()}
        except UserError:
            return False
        return bool(files) and found == files


def rejected_path(final: Path) -> Path:
    """Where the files of a refused model are kept."""
    return final.with_name(final.name + ".rejected")


def without_places(value: Any) -> Any:
    """A config value with absolute paths reduced to their last part."""
    if isinstance(value, Mapping):
        return {key: without_places(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_places(item) for item in value]
    return Path(value).name if isinstance(value, str) and value.startswith("/") else value


def artifacts_behind(project_artifacts: Path) -> set[str]:
    """Digests of all artifacts that the provenance of a deliverable names, rejected ones too.

    Raises UserError when one cannot be read: what it names must not be taken for garbage.
    """
    found: set[str] = set()
    for path in project_artifacts.glob(f"*/*/{PROVENANCE}"):
        if path.parent.parent.name.startswith(".") or (path.parent / RECORD).exists():
            continue
        try:
            steps = json.loads(path.read_bytes())["steps"]
            found |= {record["digest"] for record in steps.values()}
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            raise UserError(
                f"{path} cannot be read, so what its folder was made from is not known; "
                "build it again or delete the folder, then collect garbage"
            ) from None
    return found


def _sentence(line: Mapping[str, Any]) -> str:
    text = f"{line['rule']}: {line['found']}, the board demands {line['demanded']}"
    return f"{text}. {line['remedy']}" if line.get("remedy") else text
