"""What is put beside a deliverable as soon as it is there: metrics, a report."""

from __future__ import annotations

import json
import shutil

from lab import ORDINARY, Lab

PAGE = "8 words\nsource {}\nchoose {}\npack {}\ntally built\n"
FRESH, REUSED = PAGE.format(*["built"] * 3), PAGE.format(*["reused"] * 3)


def page(lab: Lab) -> str:
    (deliverable,) = lab.deliverables()
    return (deliverable / "report.txt").read_text()


def test_delivery_does_not_wait_for_it(fresh: Lab) -> None:
    fresh.write("stages/tally.py", "raise RuntimeError('no page')\n")
    said = fresh.doit("proof=after")
    assert said.code == 1
    assert "FAILED tally" in said.text
    (deliverable,) = fresh.deliverables()
    assert (deliverable / "model.txt").exists()
    assert not (deliverable / "report.txt").exists()


def test_it_comes_later_and_tells_what_ran(fresh: Lab) -> None:
    assert fresh.build("proof=after") == ["source", "choose", "pack", "tally"]
    assert page(fresh) == FRESH
    fresh.check_sound()
    (deliverable,) = fresh.deliverables()
    steps = json.loads((deliverable / "provenance.json").read_bytes())["steps"]
    assert any(name.startswith("tally:") for name in steps)
    before = fresh.snapshot()
    assert fresh.build("proof=after") == []
    after = fresh.snapshot()
    shown = str(deliverable)
    assert {p: s for p, s in before.items() if p.startswith(shown)} == {
        p: s for p, s in after.items() if p.startswith(shown)
    }


def test_it_is_added_to_what_was_delivered_before(fresh: Lab) -> None:
    fresh.build()
    (deliverable,) = fresh.deliverables()
    (deliverable / "mine.txt").write_text("a note")
    inode = (deliverable / "model.txt").stat().st_ino
    assert fresh.build("proof=after") == ["tally"]
    assert page(fresh) == REUSED
    assert (deliverable / "mine.txt").exists()
    assert (deliverable / "model.txt").stat().st_ino == inode, "the model was not touched"


def test_a_damaged_page_is_put_right(fresh: Lab) -> None:
    fresh.build("proof=after")
    (deliverable,) = fresh.deliverables()
    (deliverable / "report.txt").write_text("torn")
    assert fresh.build("proof=after") == []
    assert page(fresh).startswith("8 words")
    (deliverable / "report.txt").unlink()
    (deliverable / "report.txt").mkdir()
    assert fresh.build("proof=after") == []
    assert page(fresh).startswith("8 words")


def test_an_old_page_does_not_stay_beside_a_new_model(fresh: Lab) -> None:
    fresh.build("proof=after")
    fresh.edit("stages/pack.py", "text.upper()", "text.title()")
    fresh.write("stages/tally.py", "raise RuntimeError('no page')\n")
    assert fresh.doit("proof=after").code == 1
    (deliverable,) = fresh.deliverables()
    assert "Deux" in (deliverable / "model.txt").read_text()
    assert not (deliverable / "report.txt").exists()


def test_a_gate_makes_delivery_wait(fresh: Lab) -> None:
    said = fresh.doit("proof=before", "limit=3")
    assert said.code == 1
    (rejected,) = fresh.root.glob("artifacts/board/*.rejected")
    assert (rejected / "report.txt").read_text() == FRESH
    assert "is no task" not in fresh.doit("proof=before").text
    assert page(fresh).startswith("8 words")


def test_its_artifacts_are_kept(fresh: Lab) -> None:
    fresh.build("proof=after")
    shutil.rmtree(fresh.root / "artifacts/.state")
    assert fresh.doit("gc", "--keep", "0").code == 0
    assert fresh.artifacts("tally")


def test_a_folder_that_cannot_be_written(fresh: Lab) -> None:
    fresh.build()
    (deliverable,) = fresh.deliverables()
    deliverable.parent.chmod(0o555)
    try:
        said = Lab(fresh.root, ORDINARY).doit("proof=after")
    finally:
        deliverable.parent.chmod(0o755)
    assert said.code == 1
    assert "Permission denied" in said.text
    assert str(deliverable.parent) in said.text
    assert (deliverable / "model.txt").exists()
    assert fresh.build("proof=after") == [], "the page was kept in the store"
    assert page(fresh).startswith("8 words")
