"""Digests go by content; stat is only the key of their memory."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lab import content

from edgemake.digest import Digests, canonical, digest_of, walk
from edgemake.errors import UserError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.dictionaries(st.text(), JSON))
def test_the_order_of_keys_is_no_content(value: dict[str, object]) -> None:
    assert digest_of(dict(reversed(value.items()))) == digest_of(value)


@given(JSON, JSON)
def test_other_values_have_other_digests(one: object, other: object) -> None:
    assert (digest_of(one) == digest_of(other)) == (canonical(one) == canonical(other))


def test_a_number_is_not_its_text() -> None:
    assert len({digest_of(v) for v in (1, "1", 1.0, True, None, "null", [1], {"1": 1})}) == 8


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"content")
    digests = Digests(tmp_path / "db")
    assert digests.file(path) == hashlib.sha256(b"content").hexdigest()
    path.write_bytes(b"CONTENT")
    assert digests.file(path) == hashlib.sha256(b"CONTENT").hexdigest()


def test_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "b").mkdir(parents=True)
    (folder / "b/2").write_text("two")
    (folder / "a").write_text("one")
    digests = Digests(tmp_path / "db")
    first = digests.tree(folder)
    assert first == content(folder)
    (folder / "a").rename(folder / "c")
    assert digests.tree(folder) != first, "names count"
    (folder / "c").rename(folder / "a")
    assert digests.tree(folder) == first
    (folder / "b/2").rename(folder / "2")
    assert digests.tree(folder) != first, "places count"


def test_ignored_names(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a").write_text("a")
    digests = Digests(tmp_path / "db")
    first = digests.tree(tmp_path / "in", ("*.cache", "._*"))
    (tmp_path / "in/labels.cache").write_text("x")
    (tmp_path / "in/._a").write_text("x")
    assert digests.tree(tmp_path / "in", ("*.cache", "._*")) == first
    assert digests.tree(tmp_path / "in") != first
    assert digests.files(tmp_path / "in", ("*.cache", "._*")) == {
        "a": digests.file(tmp_path / "in/a")
    }


def test_walk_is_sorted_and_follows_links(tmp_path: Path) -> None:
    (tmp_path / "in/z").mkdir(parents=True)
    (tmp_path / "in/z/1").touch()
    (tmp_path / "in/a").touch()
    (tmp_path / "in/l").symlink_to("z")
    assert [name for name, _ in walk(tmp_path / "in")] == ["a", "l/1", "z/1"]


def test_what_is_remembered_is_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_text("x")
    first = Digests(tmp_path / "db")
    digest = first.path(path, trusted=True)
    first.save()

    def read(*_: object) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr(hashlib, "file_digest", read)
    assert Digests(tmp_path / "db").file(path) == digest


def test_a_file_just_written_is_not_remembered(tmp_path: Path) -> None:
    """It may change again in the same tick, with the same size."""
    path, digests = tmp_path / "file", Digests(tmp_path / "db")
    path.write_text("x")
    digests.file(path)
    digests.save()
    assert not (tmp_path / "db").exists() or not _rows(digests, tmp_path / "db")


def _rows(digests: Digests, database: Path) -> list[object]:
    import sqlite3

    with sqlite3.connect(database) as connection:
        return connection.execute("SELECT * FROM digests").fetchall()


def test_reading_only_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("x")
    digests = Digests(tmp_path / "no/db", writable=False)
    digests.path(path, trusted=True)
    digests.save()
    assert os.listdir(tmp_path) == ["file"]


def test_a_damaged_memory_costs_a_read(tmp_path: Path) -> None:
    (tmp_path / "db").write_bytes(b"no database" * 100)
    (tmp_path / "file").write_text("x")
    digests = Digests(tmp_path / "db")
    assert digests.file(tmp_path / "file") == content(tmp_path / "file")
    digests.save()


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="absent: No such file"):
        Digests(tmp_path / "db").file(tmp_path / "absent")
