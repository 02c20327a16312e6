"""Guarantee 6: content counts, not time."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from lab import Lab


def test_touching_everything_runs_nothing(built: Lab) -> None:
    for path in built.root.rglob("*"):
        if path.is_file() and "artifacts" not in path.parts:
            os.utime(path)
    for path in built.artifacts():
        for file in path.rglob("*"):
            os.utime(file)
    assert built.build() == []


def test_a_rewrite_with_equal_bytes_runs_nothing(built: Lab) -> None:
    for name in ("input.txt", "stages/choose.py", "conf/config.yaml"):
        text = (built.root / name).read_text()
        (built.root / name).unlink()
        built.write(name, text)
    assert built.build() == []


def test_a_clone_runs_nothing(built: Lab, tmp_path: Path) -> None:
    assert built.copy(tmp_path / "clone").build() == []


@pytest.mark.parametrize("name", ["input.txt", "stages/choose.py"])
def test_one_byte_with_size_and_time_kept(built: Lab, name: str) -> None:
    built.build()
    path = built.root / name
    stat, text = path.stat(), path.read_text()
    old, new = ("deux", "DEUX") if name == "input.txt" else ("words[i % len", "words[0 % len")
    path.write_text(text.replace(old, new))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert path.stat().st_size == stat.st_size
    first = built.delivered()
    assert built.build()[-2:] == ["choose", "pack"]
    assert built.delivered() != first, "the old bytes (or their compiled code) were used"


def test_a_change_in_the_same_clock_tick(fresh: Lab) -> None:
    """git calls it racily clean: written, digested and written again within one tick."""
    for word in ("aaaa", "bbbb", "cccc"):
        path = fresh.root / "input.txt"
        path.write_text(word)
        os.utime(path, ns=(10**18, 10**18))
        fresh.build("count=2")
        (model,) = fresh.delivered().values() if word == "aaaa" else [None]
        assert model is None or "AAAA" in model
    assert len(fresh.records("source")) == 3
