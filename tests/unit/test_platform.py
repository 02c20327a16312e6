"""Elsewhere than on Linux x86-64 with Python 3.11: a refusal before anything is downloaded."""

import platform
from pathlib import Path

import pytest

from edgemake.errors import UserError
from edgemake.project import Project
from edgemake.toolchain import Toolchains, require_platform


@pytest.mark.parametrize(("system", "machine"), [("Darwin", "arm64"), ("Linux", "aarch64")])
def test_another_platform_is_refused_by_name(
    system: str, machine: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    (tmp_path / "toolchains").mkdir()
    (tmp_path / "toolchains/tools.lock").write_text("# download-bytes: 5\n# installed-bytes: 9\n")
    toolchains = Toolchains(Project(tmp_path), lambda name: "0" * 32)
    with pytest.raises(UserError, match=f"this is {system} {machine}.*nothing was downloaded"):
        toolchains.preflight([toolchains.get("tools")])
    assert not (tmp_path / ".toolchains").exists()


def test_this_platform_is_taken() -> None:
    require_platform()
