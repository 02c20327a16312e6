"""Fixtures of the guarantees' tests."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from lab import ORDINARY, Lab


def _users() -> list[str]:
    """As whom the important laws are tested: root ignores file permissions, so it is not enough."""
    if os.geteuid() != 0:
        return ["ordinary"]
    if shutil.which("setpriv") is None:
        return ["root"]
    works = subprocess.run([*ORDINARY, "true"], check=False).returncode == 0
    return ["root", "ordinary"] if works else ["root"]


@pytest.fixture(scope="session")
def built_once(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """A project that was built once; never changed by a test."""
    lab = Lab.make(tmp_path_factory.mktemp("built") / "toy")
    assert lab.build() == ["source", "choose", "pack"]
    return lab


@pytest.fixture
def fresh(tmp_path: Path) -> Lab:
    """A project in which nothing was built yet."""
    return Lab.make(tmp_path / "toy")


@pytest.fixture
def built(built_once: Lab, tmp_path: Path) -> Lab:
    """A project that was built (in another folder, then copied here)."""
    return built_once.copy(tmp_path / "toy")


@pytest.fixture(params=_users())
def user(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """What a command is started with, to run as root or as an ordinary user."""
    drop = request.param == "ordinary" and os.geteuid() == 0
    return ORDINARY if drop else ()


@pytest.fixture
def fresh_as(user: tuple[str, ...], tmp_path: Path) -> Lab:
    """A project in which nothing was built, for each kind of user."""
    return Lab.make(tmp_path / "toy", user)


@pytest.fixture
def built_as(user: tuple[str, ...], built: Lab) -> Lab:
    """A project that was built, for each kind of user."""
    return Lab(built.root, user)
