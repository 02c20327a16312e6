"""Which project code a stage runs, and a digest of it that comments and docstrings do not touch."""

from __future__ import annotations

import ast
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from edgemake.digest import Digests, signature
from edgemake.errors import UserError

HARNESS = "edgemake.stage_process"
"""The module that runs in every stage process; part of every stage's source."""


class Sources:
    """Digests of modules found under `roots`, through the stat-keyed cache of `digests`."""

    def __init__(self, roots: tuple[Path, ...], digests: Digests) -> None:
        self._roots, self._digests = roots, digests
        self._known: dict[str, tuple[str, list[str]]] = {}
        self._places: dict[str, Path | None] = {}

    def of_stage(self, stage: str) -> dict[str, str]:
        """Module name -> digest, of the stage's module and all project modules it imports.

        Raises UserError when the stage has no module or one of the modules does not parse.
        """
        if self._find(f"stages.{stage}") is None:
            raise UserError(f"stage {stage!r} has no module stages/{stage}.py")
        pending = ["stages", f"stages.{stage}", HARNESS.partition(".")[0], HARNESS]
        found: dict[str, str] = {}
        while pending:
            module = pending.pop()
            if module in found or self._find(module) is None:
                continue
            digest, imports = self._read(module)
            found[module] = digest
            pending += imports
        return found

    def path(self, module: str) -> Path:
        """The file of a module that `of_stage` named."""
        path = self._find(module)
        if path is None:
            raise UserError(f"module {module} is gone")
        return path

    def _read(self, module: str) -> tuple[str, list[str]]:
        if module not in self._known:
            path = self.path(module)
            seen = signature(os.stat(path))
            cached = self._digests.recall(f"source\0{path}", seen)
            if cached is None:
                cached = json.dumps(self._parse(module, path))
                self._digests.remember(f"source\0{path}", seen, cached)
            digest, imports = json.loads(cached)
            self._known[module] = digest, imports
        return self._known[module]

    def _parse(self, module: str, path: Path) -> tuple[str, list[str]]:
        try:
            tree = ast.parse(path.read_bytes())
        except SyntaxError as error:
            raise UserError(f"{path}, line {error.lineno}: {error.msg}") from None
        package = module if path.name == "__init__.py" else module.rpartition(".")[0]
        for node in ast.walk(tree):
            _strip(node)
        imports = {name for node in ast.walk(tree) for name in self._imports(node, package)}
        return hashlib.sha256(ast.dump(tree).encode()).hexdigest(), sorted(imports - {module})

    def _imports(self, node: ast.AST, package: str) -> Iterator[str]:
        """Project modules that an import statement loads, their packages included."""
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *filter(None, [base])])
            names = [base, *(f"{base}.{alias.name}" for alias in node.names)]
        for name in names:
            parts = name.split(".")
            for end in range(1, len(parts) + 1):
                candidate = ".".join(parts[:end])
                if self._find(candidate) is not None:
                    yield candidate

    def _find(self, module: str) -> Path | None:
        if module not in self._places:
            self._places[module] = self._seek(module)
        return self._places[module]

    def _seek(self, module: str) -> Path | None:
        relative = Path(*module.split("."))
        for root in self._roots:
            for path in (root / relative / "__init__.py", (root / relative).with_suffix(".py")):
                if path.is_file():
                    return path
        return None


def _strip(node: ast.AST) -> None:
    """Drop what cannot change what the code does: bare strings, and blocks for the type checker."""
    for field in ("body", "orelse", "finalbody"):
        block = getattr(node, field, None)
        if isinstance(block, list):
            setattr(node, field, [child for child in block if not _inert(child)])


def _inert(node: ast.AST) -> bool:
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    return (
        isinstance(node, ast.If)
        and not node.orelse
        and isinstance(node.test, ast.Name)
        and node.test.id == "TYPE_CHECKING"
    )
