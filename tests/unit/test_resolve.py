"""Request keys and action digests: what they are made of, and what they leave out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edgemake.digest import Digests
from edgemake.errors import UserError
from edgemake.project import Project
from edgemake.resolve import Resolver, users_own
from edgemake.step import Step, UserFile, UserFiles, in_order


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "stages").mkdir()
    for name in ("__init__", "one", "two"):
        (tmp_path / f"stages/{name}.py").touch()
    (tmp_path / "toolchains").mkdir()
    (tmp_path / "toolchains/tiny.lock").write_text("# note\nsix==1.0 \\\n    --hash=sha256:aa\n")
    for name in ("a.JPG", "b.jpg"):
        (tmp_path / name).write_text(name)
    return Project(tmp_path)


def _resolver(project: Project) -> Resolver:
    return Resolver(project, Digests(project.root / "db", writable=False))


def _one(project: Project, **changes: object) -> Step:
    step = Step("one", {"size": 1}, {"file": UserFile(project.root / "a.JPG")}, ("out",))
    return replace(step, **changes)  # type: ignore[arg-type]


def test_equal_steps_have_equal_keys(project: Project) -> None:
    resolver = _resolver(project)
    assert resolver.key(_one(project)) == resolver.key(_one(project))


@pytest.mark.parametrize("changes", [{"label": "words"}, {"resumable": True}, {"network": True}])
def test_how_a_step_runs_is_in_no_key(project: Project, changes: dict[str, object]) -> None:
    resolver, plain, other = _resolver(project), _one(project), _one(project, **changes)
    assert resolver.key(other) == resolver.key(plain)
    one, two = resolver.look(plain).action, resolver.look(other).action
    assert one is not None and two is not None and one.digest == two.digest


@pytest.mark.parametrize(
    "changes",
    [{"params": {"size": 2}}, {"toolchain": "tiny"}, {"stage": "two"}, {"inputs": {}},
     {"outputs": ("out", "more")}],
)  # fmt: skip
def test_what_a_step_is_made_of(project: Project, changes: dict[str, object]) -> None:
    resolver = _resolver(project)
    one = resolver.look(_one(project)).action
    two = resolver.look(_one(project, **changes)).action
    assert one is not None and two is not None and one.digest != two.digest


def test_a_file_of_the_user_s_counts_by_content(project: Project) -> None:
    before = _resolver(project).key(_one(project))
    (project.root / "moved").write_text("a.JPG")
    moved = _one(project, inputs={"file": UserFile(project.root / "moved")})
    assert _resolver(project).key(moved) == before
    (project.root / "a.JPG").write_text("other")
    assert _resolver(project).key(_one(project)) != before


def test_the_order_of_a_list_of_files_counts_and_names_do_not(project: Project) -> None:
    a, b = project.root / "a.JPG", project.root / "b.jpg"
    edges = [UserFiles((a, b)), UserFiles((b, a)), UserFiles((a,))]
    keys = {_resolver(project).key(_one(project, inputs={"images": edge})) for edge in edges}
    assert len(keys) == 3
    assert edges[0].names() == ("000000.jpg", "000001.jpg")


def test_later_steps_wait(project: Project) -> None:
    first = _one(project)
    second = Step("two", {}, {"it": first["out"]}, ("end",))
    assert in_order([second]) == [first, second]
    verdict = _resolver(project).look(second)
    assert (verdict.artifact, verdict.action, verdict.waits_for) == (None, None, (first,))
    with pytest.raises(KeyError, match="declares no output 'oot'"):
        _ = first["oot"]


def test_comments_of_a_lock_do_not_count(project: Project) -> None:
    digest, packages = _resolver(project).lock("tiny")
    assert packages == {"six": "1.0"}
    lock = project.root / "toolchains/tiny.lock"
    lock.write_text("# other\n\n" + lock.read_text())
    assert _resolver(project).lock("tiny")[0] == digest
    lock.write_text(lock.read_text().replace("aa", "ab"))
    assert _resolver(project).lock("tiny")[0] != digest
    with pytest.raises(UserError, match="'absent' has no lock file"):
        _resolver(project).lock("absent")


def test_names_are_safe_and_unique(project: Project) -> None:
    resolver = _resolver(project)
    name = resolver.name(_one(project, label="a b/../c=1:ü☂" + "x" * 200))
    assert "/" not in name and " " not in name and "=" not in name and ":" not in name
    assert len(name) < 100
    assert name.endswith(resolver.key(_one(project))[:8])


def test_what_of_a_step_is_the_users_own(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.root)
    file, files = UserFile(Path("a.JPG")), UserFiles((Path("b.jpg"), project.root / "a.JPG"))
    assert users_own(file) == (project.root / "a.JPG",), "as other machines know it"
    assert users_own(files) == (project.root / "b.jpg", project.root / "a.JPG")
    assert users_own(_one(project)["out"]) == ()
