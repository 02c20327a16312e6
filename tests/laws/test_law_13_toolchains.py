"""Guarantee 13: toolchains are part of the truth. With one tiny package from the package index."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from lab import Lab
from people import only_root, shared_by_two

ASK = "toolchain=tiny"


def _lock(lab: Lab, pin: str) -> None:
    lab.write("toolchains/tiny.in", f"{pin}\n")
    command = [sys.executable, "-m", "edgemake.lock", "tiny"]
    subprocess.run(command, cwd=lab.root, env=lab.environment, check=True, capture_output=True)


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """A built project whose `pack` runs in a toolchain and says which version it found there."""
    place = tmp_path_factory.mktemp("toolchain")
    lab = Lab.make(place / "toy")
    lab.environment["UV_CACHE_DIR"] = str(place / "cache")
    lab.edit(
        "stages/pack.py", "import json\n", "import json\nfrom importlib.metadata import version\n"
    )
    lab.edit("stages/pack.py", "text.upper()", "text.upper() + version('iniconfig')")
    lab.edit("stages/pack.py", "text = work", "import iniconfig\n    text = work")
    try:
        _lock(lab, "iniconfig==2.0.0")
    except subprocess.CalledProcessError as error:
        told = error.stderr.decode()
        if not any(word in told for word in ("error sending request", "dns error", "Connect")):
            raise
        pytest.skip(f"no package index: {told.strip().splitlines()[-1]}")
    assert lab.build(ASK) == ["source", "choose", "pack"]
    return lab


@pytest.fixture
def lab(locked: Lab, tmp_path: Path) -> Lab:
    """A copy with a cache of its own; the toolchain is installed in it once more."""
    lab = locked.copy(tmp_path / "toy")
    shutil.rmtree(lab.root / ".toolchains")
    shutil.copytree(locked.environment["UV_CACHE_DIR"], tmp_path / "cache", symlinks=True)
    lab.environment["UV_CACHE_DIR"] = str(tmp_path / "cache")
    return lab


def _module(lab: Lab) -> Path:
    (path,) = lab.root.glob(".toolchains/tiny-*/lib/python*/site-packages/iniconfig/__init__.py")
    return path


def _model(lab: Lab) -> str:
    return lab.artifacts("pack")[-1].joinpath("model.txt").read_text()


def test_the_lock_has_hashes_and_sizes_but_no_addresses(locked: Lab) -> None:
    text = (locked.root / "toolchains/tiny.lock").read_text()
    assert "iniconfig==2.0.0" in text
    assert "--hash=sha256:" in text
    assert "://" not in text
    sizes = [int(line.split()[-1]) for line in text.splitlines() if "-bytes:" in line]
    assert len(sizes) == 2 and min(sizes) > 1000


def test_a_bumped_pin_reruns_its_stages_only(lab: Lab) -> None:
    assert lab.build(ASK) == [], "a reused build installs nothing"
    assert not (lab.root / ".toolchains").exists()
    _lock(lab, "iniconfig==2.1.0")
    assert lab.build(ASK) == ["pack"]
    assert lab.executions()[-1]["why"] == ["toolchain tiny: iniconfig 2.0.0 -> 2.1.0"]
    assert "2.1.0" in lab.delivered().popitem()[1]
    lab.check_sound()


def test_a_comment_in_the_lock_is_no_change(lab: Lab) -> None:
    lab.edit("toolchains/tiny.lock", "# Made by", "# Again made by")
    assert lab.build(ASK) == []


@pytest.mark.parametrize("damage", ["modified", "deleted", "added", "half gone"])
def test_a_damaged_toolchain_is_rebuilt(lab: Lab, damage: str) -> None:
    lab.build(ASK, "limit=901")
    module = _module(lab)
    whole = module.read_bytes()
    match damage:
        case "modified":
            module.unlink()
            module.write_bytes(b"X" + whole[1:])
        case "deleted":
            module.unlink()
        case "added":
            module.with_name("extra.py").write_text("")
        case _:
            shutil.rmtree(module.parent)
    said = lab.doit(ASK, "limit=902")
    assert said.code == 0, said.text
    assert lab.executions()[-1]["stage"] == "pack"
    assert _module(lab).read_bytes() == whole
    assert not _module(lab).with_name("extra.py").exists()


@only_root
def test_a_toolchain_of_somebody_elses(locked: Lab, tmp_path: Path) -> None:
    lab = locked.copy(tmp_path / "shared/toy")
    one, two = shared_by_two(lab.root, tmp_path)
    assert one.build(ASK, "count=9") == ["choose", "pack"]
    folder = _module(lab).parent
    for path in (lab.root / ".toolchains", *(lab.root / ".toolchains").rglob("*")):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)
    os.link(_module(lab), tmp_path / "another link")  # as uv makes them: its ctime changes
    assert two.build(ASK, "count=7") == ["choose", "pack"]
    (folder / "__init__.py").unlink()
    said = two.doit(ASK, "count=6")
    assert said.code == 3, said.text
    assert "is not yours to install it in" in said.text
    assert "toolchain.dir=" in said.text


def test_a_file_that_was_spoilt_in_the_cache_too(lab: Lab) -> None:
    """uv links from its cache: a change in place changes the cache, and every later install."""
    lab.build(ASK, "limit=901")
    module = _module(lab)
    whole = module.read_bytes()
    assert module.stat().st_nlink > 1, "not the case that this is about"
    module.chmod(0o644)
    with module.open("r+b") as stream:
        stream.write(b"X")
    said = lab.doit(ASK, "limit=902")
    assert said.code == 0, said.text
    assert _module(lab).read_bytes() == whole
    shutil.rmtree(lab.root / ".toolchains")
    lab.build(ASK, "limit=903")
    assert _module(lab).read_bytes() == whole


def test_a_lock_that_does_not_fit_the_packages(lab: Lab) -> None:
    lab.edit("toolchains/tiny.lock", "sha256:", "sha256:00")
    said = lab.doit(ASK, "limit=901")
    assert said.code in (1, 2, 3)
    assert "toolchain tiny could not be installed" in said.text
    assert "Traceback" not in said.text
    assert not list(lab.root.glob(".toolchains/tiny-*"))


def test_a_killed_install_is_begun_again(lab: Lab) -> None:
    for wait in (0.3, 0.6):
        process = lab.start(ASK, "limit=901")
        time.sleep(wait)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        assert not lab.wait_until_alone(2)
    assert lab.build(ASK, "limit=902")[-1:] == ["pack"]
    assert "2.0.0" in _model(lab)


SLOW_UV = """\
#!/bin/sh
mkdir -p .toolchains/seen
echo "$@" > .toolchains/seen/$$
while true; do sleep 0.1; done
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_an_installer_ends_with_its_build(fresh: Lab, how: signal.Signals) -> None:
    """Only the coordinator is hit. With a fake uv, found before the real one: needs no network."""
    lab = fresh
    lab.write("fake/uv.py", f"def find_uv_bin():\n    return {str(lab.root / 'fake/uv')!r}\n")
    lab.write("fake/uv", SLOW_UV)
    (lab.root / "fake/uv").chmod(0o755)
    lab.write("toolchains/tiny.lock", "iniconfig==2.0.0\n")
    process = lab.start(ASK, environment={"PYTHONPATH": str(lab.root / "fake")})
    deadline = time.monotonic() + 20
    while not list(lab.root.glob(".toolchains/seen/*")) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert any("fake/uv venv" in lab.command(pid) for pid in lab.processes())
    os.kill(process.pid, how)
    process.communicate(timeout=10)
    assert not lab.wait_until_alone(2)
