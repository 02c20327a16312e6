"""Toolchains by stat, and packages by their RECORD, without an installation."""

from __future__ import annotations

import base64
import fcntl
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from edgemake.errors import StepFailed, UserError
from edgemake.project import Project
from edgemake.record_check import damaged_packages
from edgemake.toolchain import Toolchains, gigabytes

LOCK = "# Made by ...\n# download-bytes: 1500000000\n# installed-bytes: {}\nsix==1.0\n"


def _toolchains(root: Path, installed: int = 4_000_000) -> Toolchains:
    (root / "toolchains").mkdir(exist_ok=True)
    (root / "toolchains/tiny.lock").write_text(LOCK.format(installed))
    return Toolchains(Project(root), lambda name: "0123456789abcdef")


def test_it_is_named_by_its_lock(tmp_path: Path) -> None:
    toolchain = _toolchains(tmp_path).get("tiny")
    assert toolchain.path == tmp_path / ".toolchains/tiny-0123456789ab"
    assert toolchain.sizes() == (1_500_000_000, 4_000_000)


def test_what_an_installation_costs_is_said_first(tmp_path: Path) -> None:
    toolchains = _toolchains(tmp_path)
    told = toolchains.preflight([toolchains.get("tiny")])
    assert told is not None
    assert "tiny: up to 1.5 GB to download, 0.0 GB on disk" in told
    assert toolchains.preflight([]) is None


def test_a_disk_that_is_too_small_is_refused(tmp_path: Path) -> None:
    toolchains = _toolchains(tmp_path, installed=10**18)
    with pytest.raises(UserError, match="the disk is too small for toolchains tiny"):
        toolchains.preflight([toolchains.get("tiny")])


@pytest.mark.parametrize(("system", "machine"), [("Darwin", "arm64"), ("Linux", "aarch64")])
def test_another_platform_is_refused_before_a_download(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, system: str, machine: str
) -> None:
    monkeypatch.setattr("platform.system", lambda: system)
    monkeypatch.setattr("platform.machine", lambda: machine)
    toolchains = _toolchains(tmp_path)
    with pytest.raises(UserError, match=f"this is {system} {machine}.*nothing was downloaded"):
        toolchains.preflight([toolchains.get("tiny")])


def test_half_a_toolchain_is_none(tmp_path: Path) -> None:
    toolchains = _toolchains(tmp_path)
    toolchain = toolchains.get("tiny")
    assert toolchains.problem(toolchain) == "is not installed"
    (toolchain.path / "bin").mkdir(parents=True)
    assert toolchains.problem(toolchain) == "is incomplete"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """An environment with one package of one module, as installers leave it."""
    site = tmp_path / "lib/python3.11/site-packages"
    (site / "six-1.0.dist-info").mkdir(parents=True)
    (site / "six.py").write_text("x = 1\n")
    digest = base64.urlsafe_b64encode(hashlib.sha256(b"x = 1\n").digest()).rstrip(b"=").decode()
    (site / "six-1.0.dist-info/RECORD").write_text(
        f'six.py,sha256={digest},6\n"with, comma.pyc",,\nsix-1.0.dist-info/RECORD,,\n'
    )
    return site


def test_a_whole_package(package: Path) -> None:
    assert damaged_packages(package.parents[2]) == []


@pytest.mark.parametrize("text", [None, "x = 2\n", ""])
def test_a_damaged_package(package: Path, text: str | None) -> None:
    module = package / "six.py"
    module.unlink()
    if text is not None:
        module.write_text(text)
    assert damaged_packages(package.parents[2]) == ["six"]


def test_sizes_for_people() -> None:
    assert gigabytes(1_540_000_000) == "1.5 GB"


def test_an_install_says_that_it_waits_for_another_build(tmp_path: Path) -> None:
    toolchains = _toolchains(tmp_path, installed=10**18)
    folder = toolchains.get("tiny").path.parent
    folder.mkdir()
    told: list[str] = []
    with open(folder / ".lock-tiny", "w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)

        def tell(_done: float, _total: float, text: str) -> None:
            told.append(text)
            fcntl.flock(other, fcntl.LOCK_UN)

        with pytest.raises(UserError, match="the disk is too small"):
            toolchains.ensure("tiny", tell, lambda _command, _hear: 0)
    assert told == ["another build installs tiny; waiting for it"]


def test_leftovers_of_killed_installs_are_swept(tmp_path: Path) -> None:
    toolchains = _toolchains(tmp_path)
    folder = toolchains.get("tiny").path.parent
    (folder / ".making-tiny-0123456789ab-77").mkdir(parents=True)
    foreign = folder / ".making-tiny-gpu-0123456789ab"
    foreign.mkdir()
    places: list[str] = []

    def run(command: list[str], _hear: Callable[[str], None]) -> int:
        places.append(command[-3])
        Path(command[-3]).mkdir()
        return 1

    for _ in range(2):
        with pytest.raises(StepFailed, match="could not be installed"):
            toolchains.ensure("tiny", lambda *_: None, run)
    assert len(set(places)) == 2, "each attempt has a place of its own"
    assert [path.name for path in folder.glob(".making-*")] == [foreign.name]
