"""The import arrows of docs/ARCHITECTURE.md."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("edgemake", "hydra_plugins", "stages", "vision")
HYDRA = ("compose", "hydra_app", "hydra_errors", "hydra_settings", "edgemake_launcher")
"""What knows Hydra: what makes configs, and what makes an application of Hydra's of a project."""
MODULES = sorted(p for d in PACKAGES for p in (ROOT / d).rglob("*.py"))
HEAVY = ("numpy", "torch", "tensorflow", "onnx", "PIL", "cv2", "sklearn", "skimage", "ultralytics")


def imports(path: Path, *, top_only: bool = False) -> Iterator[str]:
    """Every imported name as a dotted path, blocks for the type checker left out."""
    pending: list[ast.AST] = list(ast.parse(path.read_text()).body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            continue
        elif not (top_only and isinstance(node, ast.FunctionDef)):
            pending += list(ast.iter_child_nodes(node))


def top(name: str) -> str:
    return name.partition(".")[0]


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_one_way(path: Path) -> None:
    where = path.relative_to(ROOT)
    package, names = where.parts[0], list(imports(path))
    allowed = {
        "edgemake": {"edgemake"},
        "hydra_plugins": set[str](),
        "vision": {"vision"},
        "stages": {"stages", "vision", "edgemake"}
        if where.stem.startswith("pipeline")
        else {"vision", "edgemake"},
    }[package]
    if where.parts[:2] == ("stages", "schema"):  # one package: its modules make one another up
        names = [name for name in names if not name.startswith("stages.schema.")]
    for name in names:
        if top(name) in ("edgemake", "stages", "vision", "dodo"):
            assert top(name) in allowed, f"{where} imports {name}"
        if top(name) in ("hydra", "omegaconf"):
            assert where.stem in HYDRA, f"{where} imports {name}"
        if top(name) == "doit":
            assert where.stem.startswith("doit_") or where.stem == "reporter", (
                f"{where} imports {name}"
            )


@pytest.mark.parametrize(
    "name", ["stage_process", "work", "landlock", "step", "run_step", "runner", "stage_run"]
)
def test_what_runs_beside_a_stage_is_standard_library(name: str) -> None:
    seen, pending = set[str](), [f"edgemake.{name}"]
    while pending:
        module = pending.pop()
        path = ROOT / f"{module.replace('.', '/')}.py"
        if module in seen or not path.exists():
            continue
        seen.add(module)
        for imported in imports(path, top_only=True):
            if top(imported) == "edgemake":
                pending += [imported, imported.rpartition(".")[0]]
            else:
                assert top(imported) in sys.stdlib_module_names, f"{module} imports {imported}"


def test_planning_loads_nothing_heavy() -> None:
    code = (
        "import sys, stages.pipeline, stages.schema, edgemake.doit_plugin, edgemake.reporter;"
        f"bad = [m for m in {HEAVY + ('hydra', 'omegaconf', 'rich')!r} if m in sys.modules];"
        "print(*bad)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr


def test_importing_one_stage_loads_no_other() -> None:
    assert (ROOT / "stages/__init__.py").read_text() == ""
    code = "import sys, stages.train; print([m for m in sys.modules if m.startswith('stages.')])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "['stages.train']"


def test_modules_stay_small() -> None:
    sizes = {
        str(p.relative_to(ROOT)): len(p.read_text().splitlines())
        for p in MODULES
        if p.parent.name != "board"  # programs that are handed on must be one file each
    }
    assert max(sizes.values()) <= 300, {k: v for k, v in sizes.items() if v > 300}
    assert sorted(sizes.values())[len(sizes) // 2] <= 130


def test_the_program_names_no_stage() -> None:
    names = set(imports(ROOT / "dodo.py"))
    mine = {name for name in names if top(name) in ("stages", "vision")}
    assert mine == {
        "stages.compare_table", "stages.comparisons", "stages.figures", "stages.foreign",
        "stages.foreign_table", "stages.pipeline", "stages.pipeline_check",
        "stages.measures", "stages.pipeline_sweep.Conclusion",
        "stages.report_facts", "stages.resources", "stages.results", "stages.schema.Config",
        "stages.schema.Training", "stages.track",
    }  # fmt: skip
    assert not {top(name) for name in names} & {"doit", "hydra", "omegaconf"}
