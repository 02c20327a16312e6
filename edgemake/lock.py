"""`python -m edgemake.lock [NAME …]`: make `toolchains/<name>.lock` from `<name>.in` again.

The lock holds exact versions and hashes, no addresses, and in its head the measured sizes that
a user is told before the first install. `--upgrade` takes the newest versions that fit.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import uv

HEADER = """\
# Made by `python -m edgemake.lock {name}` from {name}.in; do not edit.
# download-bytes: {download}
# installed-bytes: {installed}
"""
_WHEEL_SIZE = re.compile(r'\{ url = "[^"]*?([^/"]+\.whl)"[^}]*?size = (\d+)')


def main() -> int:
    """Make the locks that the command line names, or all."""
    parser = argparse.ArgumentParser(prog="python -m edgemake.lock", description=__doc__)
    parser.add_argument("names", nargs="*", help="toolchains; none: all")
    parser.add_argument("--upgrade", action="store_true", help="take newer versions")
    arguments = parser.parse_args()
    folder = Path("toolchains")
    names = arguments.names or sorted(path.stem for path in folder.glob("*.in"))
    for name in names:
        make(folder, name, upgrade=arguments.upgrade)
    return 0


def make(folder: Path, name: str, *, upgrade: bool) -> None:
    """Resolve, install once to measure, and write the lock."""
    binary, source, lock = uv.find_uv_bin(), folder / f"{name}.in", folder / f"{name}.lock"
    options = ["--python-version", "3.11", "--quiet", "--no-header", "--no-annotate"]
    options += ["--upgrade"] if upgrade else []
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".locking-") as place:
        draft, sizes, venv = Path(place, "draft.lock"), Path(place, "pylock.toml"), Path(place, "v")
        if lock.exists():
            shutil.copyfile(lock, draft)
        _uv(binary, "pip", "compile", *options, "--generate-hashes", str(source), "-o", str(draft))
        _uv(binary, "pip", "compile", *options, "-c", str(draft), str(source), "-o", str(sizes))
        _uv(binary, "venv", "--quiet", "--no-project", "--python", sys.executable, str(venv))
        python = str(venv / "bin/python")
        _uv(binary, "pip", "sync", "--quiet", "--compile-bytecode", "--require-hashes",
            "--python", python, str(draft))  # fmt: skip
        header = HEADER.format(
            name=name, download=_download(sizes.read_text(), venv), installed=_installed(venv)
        )
        pins = [ln for ln in draft.read_text().splitlines() if not ln.startswith("#")]
        lock.write_text(header + "\n".join(pins) + "\n")
    print(f"{lock}: {header.splitlines()[1][2:]}, {header.splitlines()[2][2:]}")


def _uv(binary: str, *arguments: str) -> None:
    subprocess.run([binary, *arguments], check=True)


def _installed(venv: Path) -> int:
    return sum(p.lstat().st_size for p in venv.rglob("*") if p.is_file() and not p.is_symlink())


def _download(pylock: str, venv: Path) -> int:
    """Bytes of the wheels that were installed: those whose tags the packages' WHEEL files name."""
    sizes = {name.lower(): int(size) for name, size in _WHEEL_SIZE.findall(pylock)}
    total = 0
    for info in venv.glob("lib/python*/site-packages/*.dist-info"):
        distribution = info.name.removesuffix(".dist-info").lower()
        text = (info / "WHEEL").read_text()
        tags = re.findall(r"^Tag: (.+)$", text, re.MULTILINE)
        platforms = {tag.rsplit("-", 1)[1] for tag in tags}
        fitting = [
            size
            for wheel, size in sizes.items()
            if wheel.startswith(distribution + "-") and any(p in wheel for p in platforms)
        ]
        total += max(fitting, default=0)
    return total


if __name__ == "__main__":
    sys.exit(main())
