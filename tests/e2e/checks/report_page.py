"""Report pages made of a real build's files: again, with awkward class names, and with nothing.

    report_page.py PLAN.json OUT

PLAN.json: `params` of the step and `inputs`, name -> path. Writes again.html, odd.html and
bare.html into OUT and prints the odd names.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgemake.work import Work
from stages import report

ODD = ("<script>alert('x')</script>", "猫 & 犬", "$x_1$ 100%", "</svg><b>", "عربى", '"quoted"')


def main(plan: Path, out: Path) -> None:
    told = json.loads(plan.read_text(encoding="utf-8"))
    inputs = {name: Path(path) for name, path in told["inputs"].items()}
    inputs["templates"] = report.TEMPLATES
    params = told["params"]
    out.mkdir(parents=True, exist_ok=True)
    make(params, inputs, out / "again.html")
    make(params, {**inputs, **renamed(inputs, out / "odd")}, out / "odd.html")
    known = ("templates", "model.json", "calibration.json")
    make(params, {name: inputs[name] for name in known}, out / "bare.html")
    print(json.dumps(list(ODD)))


def make(params: Mapping[str, Any], inputs: Mapping[str, Path], page: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        out, scratch = Path(folder, "out"), Path(folder, "scratch")
        out.mkdir()
        scratch.mkdir()
        report.run(report.Params(**params), Work(inputs, out, scratch, cores=1))
        page.write_bytes((out / report.REPORT).read_bytes())


def renamed(inputs: Mapping[str, Path], folder: Path) -> dict[str, Path]:
    """Copies of the files that name classes, with the odd names."""
    folder.mkdir(parents=True, exist_ok=True)
    changed = {}
    for name in ("model.json", "metrics.json", "reference.json", "final.json"):
        found = json.loads(inputs[name].read_text(encoding="utf-8"))
        new = dict(zip(found["classes"], ODD, strict=False))
        changed[name] = folder / name
        changed[name].write_text(json.dumps(_with(found, new)), encoding="utf-8")
    return changed


def _with(value: Any, new: Mapping[str, str]) -> Any:
    """Class names replaced where they stand: in `classes`, and as `name` beside `instances`."""
    if isinstance(value, list):
        return [_with(one, new) for one in value]
    if not isinstance(value, dict):
        return value
    found = {key: _with(one, new) for key, one in value.items()}
    if "instances" in found and "name" in found:
        found["name"] = new.get(found["name"], found["name"])
    if "classes" in found:
        found["classes"] = [new.get(name, name) for name in found["classes"]]
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
