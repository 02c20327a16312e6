"""Guarantee 12: stages see nothing of the caller's environment."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from lab import Lab

LOOK = (
    "import os, sys, locale, platform, random, colorsys",
    "from pathlib import Path",
    "hide = lambda text: text.replace(str(work.scratch.parent), 'SCRATCH')",
    "facts = {k: hide(v) for k, v in os.environ.items() if k != 'PYTHONPATH' and k[-2:] != 'FD'}",
    "facts['home'] = hide(str(Path.home()))",
    "facts['cwd'] = hide(os.getcwd())",
    "facts['hash'] = hash('word')",
    "facts['locale'] = [locale.getpreferredencoding(), sys.getfilesystemencoding()]",
    "facts['module'] = colorsys.__file__",
    "facts['poison'] = [n for n in ('sitecustomize', 'usercustomize') if n in sys.modules]",
    "facts['stdin'] = sys.stdin.read()",
    "facts['umask'] = os.umask(0o22)",
    "facts['params'] = [params.count]",
)


def _nosy(lab: Lab) -> Lab:
    lab.behave("choose", *LOOK)
    lab.edit("stages/choose.py", "words[i % len(words)]", "repr(sorted(facts.items(), key=str))")
    return lab


def _facts(lab: Lab) -> dict[str, object]:
    found: dict[str, object] = {r["digest"]: r["outputs"] for r in lab.records()}
    return found


def _poisoned(folder: Path) -> dict[str, str]:
    """An environment in which everything that can be set is set wrongly."""
    bin_, python, home = folder / "bin", folder / "python", folder / "home"
    for place in (bin_, python, home / ".config/pip"):
        place.mkdir(parents=True)
    for name in ("python", "python3", "sh", "uv", "env"):
        (bin_ / name).write_text("#!/bin/false\n")
        (bin_ / name).chmod(0o755)
    for name in ("colorsys", "helper", "stages_extra"):
        (python / f"{name}.py").write_text("raise SystemExit('poison')\n")
    (python / "sitecustomize.py").write_text("import os; os.environ['POISON'] = 'yes'\n")
    (home / ".config/pip/pip.conf").write_text("[global]\nindex-url = file:///nowhere\n")
    (home / ".pydistutils.cfg").write_text("[install]\nprefix=/nowhere\n")
    mine = os.environ.get("PYTHONPATH")
    return {
        "PATH": f"{bin_}:{os.environ['PATH']}",
        "PYTHONPATH": f"{python}:{mine}" if mine else str(python),
        "PYTHONHASHSEED": "77",
        "PYTHONWARNINGS": "ignore",
        "PYTHONUTF8": "0",
        "HOME": str(home),
        "LANG": "tr_TR.ISO-8859-9",
        "LC_ALL": "C",
        "TZ": "Asia/Kathmandu",
        "PIP_INDEX_URL": "file:///nowhere",
        "PIP_REQUIRE_VIRTUALENV": "1",
        "VIRTUAL_ENV": "/nowhere",
        "CONDA_PREFIX": "/nowhere",
        "LD_LIBRARY_PATH": str(folder),
        "OMP_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "3",
        "http_proxy": "http://127.0.0.1:9",
        "https_proxy": "http://127.0.0.1:9",
        "COLUMNS": "23",
        "TMPDIR": str(home),
    }


def _offline() -> tuple[str, ...]:
    """Runs a command without any network, where that can be arranged."""
    prefix = ("unshare", "--user", "--map-root-user", "--net", "--")
    if shutil.which("unshare") is None:
        return ()
    return () if subprocess.run([*prefix, "true"], check=False).returncode else prefix


@pytest.mark.parametrize("network", [True, False])
def test_a_poisoned_environment_gives_equal_digests(tmp_path: Path, network: bool) -> None:
    clean = _nosy(Lab.make(tmp_path / "one/toy"))
    clean.build("limit=100000")
    prefix = () if network else _offline()
    if not network and not prefix:
        pytest.skip("no network namespaces here")
    other = _nosy(Lab.make(tmp_path / "two/toy", prefix))
    before = os.umask(0o077)
    try:
        other.build("limit=100000", environment=_poisoned(tmp_path / "poison"))
    finally:
        os.umask(before)
    assert _facts(other) == _facts(clean)
