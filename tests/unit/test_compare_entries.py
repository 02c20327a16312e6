"""What is said of models side by side: best values, equal data, fronts, notes."""

from __future__ import annotations

from typing import Any

import pytest
from compare_files import entry, metrics, model
from hypothesis import given
from hypothesis import strategies as some

from vision.compare_configs import differences
from vision.compare_entries import check, compared


def names(count: int) -> list[str]:
    return [f"grove_v2/toy-{i}" for i in range(count)]


def row(found: dict[str, Any], key: str) -> dict[str, Any]:
    [hit] = [row for part in found["sections"] for row in part["rows"] if row["key"] == key]
    return dict(hit)


def keys(found: dict[str, Any]) -> set[str]:
    return {row["key"] for part in found["sections"] for row in part["rows"]}


def chart(found: dict[str, Any], cost: str, data: int = 0) -> dict[str, Any]:
    [hit] = [c for c in found["charts"] if (c["cost"], c["data"]) == (cost, data)]
    return dict(hit)


def test_rows_of_two_models() -> None:
    found = compared(names(2), [entry(0.61), entry(0.63, latency_ms=55.0)])
    assert row(found, "box.map50_95") == {
        "key": "box.map50_95",
        "label": "mAP50-95, boxes",
        "values": [0.61, 0.63],
        "texts": ["0.610", "0.630"],
        "best": [1],
    }
    assert row(found, "latency_ms")["best"] == [0]
    assert row(found, "latency_ms")["texts"] == ["50.3", "55.0"]
    assert row(found, "file_kib")["texts"] == ["2,790.5"] * 2
    assert row(found, "arena_share")["texts"] == ["26"] * 2
    assert row(found, "box.drop")["texts"] == ["1.00"] * 2
    assert row(found, "contract")["texts"] == ["kept"] * 2
    assert not keys(found) & {"keypoints.map50_95", "int8_percent"}
    assert [e["letter"] for e in found["entries"]] == ["A", "B"]


def test_where_all_are_the_same_none_is_best() -> None:
    found = compared(names(3), [entry(0.6)] * 3)
    assert not any(row["best"] for part in found["sections"] for row in part["rows"])


def test_what_an_entry_lacks_is_a_dash_and_is_said() -> None:
    bare = entry(None, latency_ms=None, npu_percent=None, arena_bytes=None, target="spacemit_k1")
    found = compared(names(2), [entry(0.6), bare])
    assert row(found, "box.map50_95")["texts"] == ["0.600", "–"]
    assert row(found, "box.map50_95")["best"] == []
    assert row(found, "latency_ms")["texts"] == ["50.3", "–"]
    notes = "\n".join(found["notes"])
    assert "B: accuracy was not measured" in notes
    assert "`doit target=spacemit_k1`" in notes
    assert "B: no latency" in notes
    assert "B: no arena" in notes
    assert [c["points"][0]["letter"] for c in found["charts"]] == ["A"] * 3


@pytest.mark.parametrize(
    "other",
    [{"dataset": "figures"}, {"images": 50}, {"split": "test"}, {"classes": ["a", "b"]},
     {"instances": [300, 281]}],
)  # fmt: skip
def test_other_data_are_never_compared_in_silence(other: dict[str, Any]) -> None:
    entries = [entry(0.5), {"model": model(), "metrics": metrics(0.7, **other)}, entry(0.6)]
    found = compared(names(3), entries)
    assert row(found, "box.map50_95")["best"] == []
    assert row(found, "box.map50_95")["texts"] == ["0.500", "0.700", "0.600"]
    assert found["notes"][0].startswith("accuracy was not measured on the same thing (A and C:")
    assert [group["entries"] for group in found["data"]] == [["A", "C"], ["B"]]
    for data, letters in enumerate((["A", "C"], ["B"])):
        assert [p["letter"] for p in chart(found, "file_kib", data)["points"]] == letters
    dearer = compared(names(2), [entries[0], entries[1] | {"model": model(latency_ms=60.0)}])
    assert row(dearer, "latency_ms")["best"] == [0]  # a cost is a cost, whatever was measured on


def test_tasks_are_never_compared_in_silence() -> None:
    pose = {"model": model(task="pose"), "metrics": metrics(0.7, keypoints=0.4)}
    found = compared(names(3), [entry(0.5), pose, pose])
    assert row(found, "keypoints.map50_95")["texts"] == ["–", "0.400", "0.400"]
    assert chart(found, "file_kib", 1)["accuracy"] == "mAP50-95 of keypoints"
    assert [p["y"] for p in chart(found, "file_kib", 1)["points"]] == [0.4, 0.4]
    assert "detect on 200 images" in found["notes"][0]
    assert "pose on 200 images" in found["notes"][0]


def test_fronts_and_who_is_on_none() -> None:
    refused = entry(0.9, latency_ms=1.0)
    refused["model"]["contract"]["passed"] = False
    entries = [
        entry(0.60, latency_ms=50.0),
        entry(0.55, latency_ms=55.0),
        entry(0.65, latency_ms=60.0),
        entry(0.70, latency_ms=None),
        refused,
    ]
    found = compared(names(5), entries)
    speed = chart(found, "latency_ms")
    assert speed["front"] == ["A", "C"]
    assert [(p["letter"], p["front"]) for p in speed["points"]] == [
        ("A", True), ("B", False), ("C", True)]  # fmt: skip
    assert speed["without"] == [
        {"letter": "D", "why": "no such cost"}, {"letter": "E", "why": "refused"}]  # fmt: skip
    assert row(found, "box.map50_95")["best"] == [3]
    assert row(found, "latency_ms")["best"] == [0]
    assert "E: the board would refuse the file, so it is best at nothing" in found["notes"]


def test_a_map_that_is_null_is_no_point() -> None:
    nothing = {"model": model(), "metrics": metrics(None)}
    found = compared(names(2), [entry(0.6), nothing])
    assert chart(found, "file_kib")["without"] == [{"letter": "B", "why": "no mAP"}]


@pytest.mark.parametrize("board", [None, {"final": None, "reference": "cut_onnx", "score": 0.001}])
def test_tiers_that_were_left_out_are_no_fault(board: Any) -> None:
    some = {"model": model(), "metrics": metrics(0.6) | {"board": board}}
    check(some)
    found = compared(names(2), [entry(0.5), some])
    assert row(found, "box.map50_95")["texts"] == ["0.500", "–"]
    assert row(found, "pytorch.box")["texts"] == ["0.510", "0.610"]
    assert [group["entries"] for group in found["data"]] == [["A"]]
    assert any(note.startswith("B: the accuracy of int8 was not") for note in found["notes"])


@given(some.recursive(
    some.none() | some.booleans() | some.integers() | some.text(max_size=4),
    lambda inner: some.lists(inner, max_size=3)
    | some.dictionaries(some.sampled_from(sorted(metrics(0.5))), inner, max_size=5),
))  # fmt: skip
def test_damaged_metrics_are_a_fault_that_is_caught(damaged: Any) -> None:
    if damaged is not None and not (isinstance(damaged, dict) and damaged.get("board", 0) is None):
        with pytest.raises((KeyError, TypeError, ValueError, AttributeError)):
            check({"model": model(), "metrics": damaged})


@pytest.mark.parametrize("missing", ["board", "task", "dataset", "images", "classes"])
def test_metrics_without_a_field_are_damaged(missing: str) -> None:
    torn = metrics(0.5)
    del torn[missing]
    with pytest.raises(KeyError, match=missing):
        check({"model": model(), "metrics": torn})


# configs


def config(target: str = "grove_v2", count: int = 64, **more: Any) -> dict[str, Any]:
    return {
        "model": {"name": "yolov8n", "imgsz": 192},
        "quant": {"kind": "tflite", "calibration": {"count": count, "source": "train"}},
        "target": {"name": target, "output": None, "memory": {"flash_bytes": len(target)}},
        "toolchain": {"dir": f"/somewhere/{count}"},
        "train": {"workers": count, "epochs": 20},
        **more,
    }


def test_only_what_differs_is_told() -> None:
    assert differences([config(), config()]) == []
    assert differences([config(), config(count=128)]) == [
        ("quant.calibration.count", ["64", "128"])
    ]
    assert differences([config(), config("xiao"), None]) == [
        ("target.name", ["grove_v2", "xiao", "–"])
    ]


def test_the_users_choices_are_told_of_other_boards_too() -> None:
    other = config("xiao")
    other["target"]["output"] = "decoded"
    other["quant"] = {"kind": "xslim", "precision": 3, "calibration": {"count": 9}}
    assert dict(differences([config(), other])) == {
        "target.name": ["grove_v2", "xiao"],
        "target.output": ["null", "decoded"],
        "quant.kind": ["tflite", "xslim"],
        "quant.calibration.count": ["64", "9"],
        "quant.calibration.source": ["train", "–"],
    }


def test_long_values_are_cut() -> None:
    [(key, values)] = differences([config(names=["x" * 99]), config(names=["y" * 99])])
    assert key == "names"
    assert all(len(value) == 40 and value.endswith("…") for value in values)
