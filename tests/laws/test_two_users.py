"""Two users build in one shared folder: each distinct step runs once, whoever comes first."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest
from lab import Lab
from people import FIRST, SECOND, only_root, shared_by_two

pytestmark = only_root


@pytest.fixture
def shared(tmp_path: Path) -> tuple[Lab, Lab]:
    """One project in a folder of the group, as each of the two sees it."""
    return shared_by_two(Lab.make(tmp_path / "shared/toy").root, tmp_path)


def owners(lab: Lab) -> dict[str, set[int]]:
    """Stage -> who built its artifacts."""
    found: dict[str, set[int]] = {}
    for path in lab.artifacts():
        found.setdefault(path.parent.name, set()).add(path.stat().st_uid)
    return found


def test_what_one_has_built_the_other_reuses(shared: tuple[Lab, Lab]) -> None:
    one, two = shared
    assert one.build() == ["source", "choose", "pack"]
    assert two.build() == []
    assert two.build("count=9") == ["choose", "pack"]
    assert one.build("count=9") == []
    assert owners(one) == {"source": {FIRST}, "choose": {FIRST, SECOND}, "pack": {FIRST, SECOND}}
    one.check_sound()


def test_two_sweeps_at_the_same_time(shared: tuple[Lab, Lab]) -> None:
    ask = ("-m", "count=range(1,7)", "sleep.choose=0.3", "-n", "2")
    started = [lab.start(*ask) for lab in shared]
    texts = [process.communicate(timeout=120)[0] for process in started]
    assert [process.returncode for process in started] == [0, 0], "\n".join(texts)
    digests = [line["digest"] for line in shared[0].executions()]
    assert len(digests) == len(set(digests)) == 13, "each distinct step ran once"
    assert owners(shared[0])["choose"] == {FIRST, SECOND}, "and both had a part in it"
    shared[0].check_sound()


def test_what_a_killed_build_leaves_is_in_nobodys_way(shared: tuple[Lab, Lab]) -> None:
    one, two = shared
    process = one.start("sleep.choose=30")
    one.wait_for("choose", process)
    os.killpg(process.pid, signal.SIGKILL)
    one.kill_all()
    process.communicate()
    assert two.build() == ["choose", "pack"]
    two.check_sound()
    assert two.doit("gc", "--yes").code == 0


def test_a_damaged_artifact_of_the_others_is_replaced(shared: tuple[Lab, Lab]) -> None:
    one, two = shared
    one.build()
    (path,) = one.artifacts("choose")
    (path / "chosen.txt").chmod(0o644)
    (path / "chosen.txt").write_text("not what the record says")
    assert two.build() == ["choose"]
    assert owners(two)["choose"] == {SECOND}
    two.check_sound()


def test_forgetting_and_forcing_what_the_other_built(shared: tuple[Lab, Lab]) -> None:
    one, two = shared
    one.build()
    assert two.doit("forget", "choose").code == 0
    assert two.build() == ["choose"]
    assert one.build() == []
    assert one.doit("-a").code == 0


def test_without_the_groups_leave_it_is_told_before_anything_runs(
    shared: tuple[Lab, Lab],
) -> None:
    one, two = shared
    one.build()
    subprocess.run(["chmod", "-R", "g-w", str(one.root / "artifacts")], check=True)
    said = two.doit("count=9")
    assert said.code == 3, said.text
    assert "chmod -R g+ws" in said.text
    assert "Traceback" not in said.text
