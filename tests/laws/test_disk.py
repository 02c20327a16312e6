"""A full disk and folders that cannot be written: a sentence, and nothing is lost."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import ORDINARY, Lab

MOUNT = "mount -t tmpfs -o size={size} tmpfs {place} && echo ready && exec sleep 600"


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Lab]:
    """A project whose artifacts/ is a file system of 600 kB, in a mount namespace of its own:
    needs no privileges where the kernel lets users make one, and leaves no mount behind."""
    root = tmp_path / "toy"
    Lab.make(root)
    (root / "artifacts").mkdir()
    holder = subprocess.Popen(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c",
         MOUNT.format(size="600k", place=root / "artifacts")],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert holder.stdout is not None
    if shutil.which("nsenter") is None or holder.stdout.readline() != b"ready\n":
        holder.kill()
        holder.wait()
        pytest.skip("mount namespaces are not allowed here")
    enter = ("nsenter", "-t", str(holder.pid), "--user", "--mount", "--preserve-credentials",
             f"--wdns={root}", "--")  # fmt: skip
    yield Lab(Path(f"/proc/{holder.pid}/root{root}"), enter)
    holder.kill()
    holder.wait()


@pytest.mark.parametrize("stage", ["choose", "pack"])
def test_the_disk_fills_up(small: Lab, stage: str) -> None:
    """In `choose` the stage itself meets the end; in `pack` the publication does."""
    lab = small
    lab.build("source")
    ballast = lab.root / "artifacts/ballast"
    if stage == "choose":
        lab.edit("stages/choose.py", "words[i % len(words)]", "'x' * 100_000")
    else:
        lab.build("choose")
        ballast.write_bytes(b"")
        with ballast.open("ab", buffering=0) as stream:
            try:
                while stream.write(bytes(4096)):
                    pass
            except OSError:
                pass
    said = lab.doit()
    assert said.code not in (0, -9), said.text
    assert "Traceback" not in said.text
    assert "disk is full" in said.text or "No space left" in said.text
    assert lab.artifacts(stage) == []
    lab.check_sound()
    ballast.unlink(missing_ok=True)
    shutil.rmtree(lab.root / "artifacts/.scratch")  # what the failed step kept fills the disk
    lab.behave("choose")
    assert lab.build()[-1:] == ["pack"]
    lab.check_sound()


@pytest.mark.parametrize("folder", [".", "store", ".scratch", ".state", ".locks"])
def test_a_folder_that_cannot_be_written(built: Lab, folder: str) -> None:
    if os.geteuid() == 0:
        built = Lab(built.root, ORDINARY)
        if subprocess.run([*ORDINARY, "true"], check=False).returncode:
            pytest.skip("root may write everywhere, and capabilities cannot be dropped")
    built.build()
    place = built.root / "artifacts" / folder
    place.chmod(0o555)
    try:
        said = built.doit("count=5")
        noop = built.doit()
    finally:
        place.chmod(0o755)
    assert said.code not in (0, -9)
    assert "Traceback" not in said.text
    assert "Traceback" not in noop.text
    assert "read-only" in said.text or "Permission denied" in said.text
    assert "artifacts" in said.text
    built.check_sound()


def test_a_lost_cache_costs_only_a_look(built: Lab) -> None:
    built.build()
    shutil.rmtree(built.root / "artifacts/.state")
    shutil.rmtree(built.root / "artifacts/.locks")
    assert built.build() == []


@pytest.mark.parametrize("name", ["*/digests.sqlite3", "doit.sqlite3", "configs/*.json"])
def test_a_damaged_cache(built: Lab, name: str) -> None:
    built.build()
    for path in built.root.glob(f"artifacts/.state/{name}"):
        path.write_bytes(b"this is not what it was")
    said = built.doit()
    assert "Traceback" not in said.text
    assert said.code == 0, said.text
    assert [line["stage"] for line in built.executions()] == ["source", "choose", "pack"]


@pytest.mark.parametrize("command", [(), ("list",), ("why", "choose")])
def test_messages_that_cannot_be_written_fail_no_build(fresh: Lab, command: tuple[str]) -> None:
    mute = Lab(fresh.root, ("sh", "-c", 'exec "$0" "$@" >/dev/full'))
    said = mute.doit(*command)
    assert "Traceback" not in said.text
    assert "Exception ignored" not in said.text
    assert said.code == 0, said.text
    assert fresh.build() == ([] if not command else ["source", "choose", "pack"])
