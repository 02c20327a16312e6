"""The store: what is found is whole, what is published appears at once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from edgemake.digest import Digests, digest_of
from edgemake.errors import UserError
from edgemake.exchange import replace_folder
from edgemake.store import Store, append_line, discard, link, write_atomically

PREIMAGE = {"stage": "work", "params": {}, "outputs": ["out"]}
DIGEST = digest_of(PREIMAGE)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store", Digests(tmp_path / "db"))


def _publish(store: Store, folder: Path) -> None:
    (folder / "out").mkdir(parents=True)
    (folder / "out/file").write_text("text")
    record: dict[str, Any] = {"stage": "work", "digest": DIGEST, "preimage": PREIMAGE}
    digests = Digests(folder / "db", writable=False)
    store.publish(folder, {**record, "outputs": {"out": digests.tree(folder / "out")}})


def test_published_is_found(store: Store, tmp_path: Path) -> None:
    assert store.find("work", DIGEST) is None
    _publish(store, tmp_path / "made")
    artifact = store.find("work", DIGEST)
    assert artifact is not None
    assert artifact.digest == DIGEST
    assert not (tmp_path / "made").exists()
    assert [a.digest for a in store.records("work")] == [DIGEST]


def test_a_damaged_one_is_not_found_and_is_replaced(store: Store, tmp_path: Path) -> None:
    _publish(store, tmp_path / "made")
    file = store.path("work", DIGEST) / "out/file"
    file.chmod(0o644)
    file.write_text("else")
    assert store.find("work", DIGEST) is None
    artifact = store.read("work", DIGEST)
    assert artifact is not None
    assert store.damage(artifact) == "out"
    _publish(store, tmp_path / "again")
    assert store.find("work", DIGEST) is not None


def test_a_record_under_another_name_is_not_believed(store: Store, tmp_path: Path) -> None:
    _publish(store, tmp_path / "made")
    store.path("work", DIGEST).rename(store.path("work", "0" * 32))
    assert store.find("work", "0" * 32) is None


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"preimage": {}', "\0"])
def test_nonsense_in_place_of_a_record(store: Store, tmp_path: Path, text: str) -> None:
    _publish(store, tmp_path / "made")
    record = store.path("work", DIGEST) / "step.json"
    record.chmod(0o644)
    record.write_text(text)
    assert store.find("work", DIGEST) is None
    assert list(store.records("work")) == []


def test_links_are_swapped(tmp_path: Path) -> None:
    name = tmp_path / "stage/name"
    assert link(name, tmp_path / "store/a")
    assert not link(name, tmp_path / "store/a")
    assert link(name, tmp_path / "store/b")
    assert name.readlink() == Path("../store/b")
    assert os.listdir(name.parent) == ["name"]
    (tmp_path / "folder").mkdir()
    with pytest.raises(UserError, match="move it away"):
        link(tmp_path / "folder", tmp_path / "store/a")


def test_discard_takes_anything(tmp_path: Path) -> None:
    (tmp_path / "tree/deep").mkdir(parents=True)
    (tmp_path / "link").symlink_to("tree")
    for name in ("link", "tree", "absent"):
        discard(tmp_path / name)
    assert os.listdir(tmp_path) == []


def test_a_folder_replaces_another(tmp_path: Path) -> None:
    for name in ("new", "newer"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
        replace_folder(tmp_path / name, tmp_path / "final")
        assert os.listdir(tmp_path) == ["final"]
        assert os.listdir(tmp_path / "final") == [name]


def test_small_files_are_replaced_whole(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a/b", b"one")
    write_atomically(tmp_path / "a/b", b"two")
    append_line(tmp_path / "log", {"b": "ü", "a": 1})
    append_line(tmp_path / "log", {})
    assert (tmp_path / "a/b").read_bytes() == b"two"
    assert os.listdir(tmp_path / "a") == ["b"]
    assert len((tmp_path / "log").read_text().splitlines()) == 2
