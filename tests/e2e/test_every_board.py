"""Every board and both tasks: one training each, and what each board's own tools make of it."""

from __future__ import annotations

import json
import os
from collections import Counter

import pytest

from e2e.checkout import ROOT, Checkout, Delivered, asked, demand_pixels
from e2e.conftest import BASE

BOARDS = ("grove_v2", "xiao_esp32s3", "spacemit_k1")
MORE = BASE[1:]
SMALLER = "dataset.train_images=1000 train.epochs=10 train.args.lr0=0.002"
POSE = ("model=yolov8n_pose", *os.environ.get("EDGEMAKE_E2E_POSE_OVERRIDES", SMALLER).split())
"""A pose network with its own data set and a shorter training; the variable makes it smaller."""
UNSURE = "target.outputs.pose.raw.score=0.3"
"""A short training is not as sure as the firmware's 0.7 asks, and would rightly be refused."""
MOST_SRAM = 300 * 1024
"""Bytes that a raw head at 192 pixels may use of the Grove's arena."""
ORDER = [
    ("box", 16), ("box", 8), ("class", 32), ("keypoints", None),
    ("class", 8), ("box", 32), ("class", 16),
]  # fmt: skip
"""The order that Himax's own pose app relies on."""


@pytest.fixture(scope="module")
def boards(chain: Delivered) -> dict[str, Delivered]:
    """The main job's network on each board."""
    built = {t: Checkout(ROOT, (f"target={t}", *MORE)).deliver() for t in BOARDS[1:]}
    return {"grove_v2": chain, **built}


@pytest.fixture(scope="module")
def pose() -> dict[str, Delivered]:
    """A pose network on each board."""
    return {t: Checkout(ROOT, (f"target={t}", *POSE, *unsure(t))).deliver() for t in BOARDS}


def unsure(board: str) -> tuple[str, ...]:
    """The lower threshold, where a board decodes raw outputs."""
    return () if board == "spacemit_k1" else (UNSURE,)


def executions() -> Counter[str]:
    """Action digest -> how often it was executed to its end."""
    lines = (ROOT / "artifacts/executions.jsonl").read_text().splitlines()
    return Counter(json.loads(line)["digest"] for line in lines)


@pytest.mark.parametrize("task", ["boards", "pose"])
def test_three_boards_train_and_export_once(task: str, request: pytest.FixtureRequest) -> None:
    built: dict[str, Delivered] = request.getfixturevalue(task)
    records = [delivered.records for delivered in built.values()]
    for stage in ("dataset", "train", "export"):
        digests = {record[stage]["digest"] for record in records if stage in record}
        assert len(digests) <= 1
        assert all(executions()[digest] == 1 for digest in digests)
    assert len({record["head"]["digest"] for record in records}) > 1


def test_the_xiao_gets_one_decoded_tensor_and_an_estimate_of_its_arena(
    boards: dict[str, Delivered],
) -> None:
    xiao = boards["xiao_esp32s3"]
    demand_pixels(xiao)
    assert not (xiao.path / "model_vela.tflite").exists()
    [output] = xiao.model["outputs"]
    side = xiao.model["input"]["shape"][1]
    cells = sum((side // stride) ** 2 for stride in (8, 16, 32))
    assert output["shape"] == [1, 4 + len(xiao.model["classes"]), cells]
    figures = xiao.model["figures"]
    assert 0 < figures["arena_bytes"] < figures["arena_limit_bytes"]
    assert "estimate" in figures["arena_source"]
    assert "estimate" in xiao.said


def test_the_same_network_finds_the_same_on_every_board(
    boards: dict[str, Delivered], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """`doit infer` on one validation picture: the surest box of each board is the Grove's."""
    manifest = boards["grove_v2"].json("dataset", "manifest.json")
    picture = boards["grove_v2"].file("dataset", "data") / manifest["splits"]["val"][0]["image"]
    best = {}
    for board in BOARDS:
        out = tmp_path_factory.mktemp(board)
        said = Checkout(ROOT, (f"target={board}", *MORE)).doit(
            "infer", f"image={picture}", f"out={out}"
        )
        assert said.code == 0, said.text
        [entry] = json.loads((out / "result.json").read_bytes())["results"]
        best[board] = max(entry["detections"], key=lambda found: float(found["score"]))
    for board in BOARDS[1:]:
        assert best[board]["class"] == best["grove_v2"]["class"]
        assert best[board]["box"] == pytest.approx(best["grove_v2"]["box"], abs=6)


def test_a_pose_network_on_the_grove(pose: dict[str, Delivered]) -> None:
    grove = pose["grove_v2"]
    demand_pixels(grove)
    assert grove.model["figures"]["npu_percent"] == 100
    assert grove.model["figures"]["arena_bytes"] <= MOST_SRAM
    assert [(output["role"], output["stride"]) for output in grove.model["outputs"]] == ORDER
    assert grove.model["contract"]["passed"] is True


def test_a_pose_network_on_the_others(pose: dict[str, Delivered]) -> None:
    assert len(pose["xiao_esp32s3"].model["outputs"]) == len(ORDER)
    [output] = pose["spacemit_k1"].model["outputs"]
    assert output["shape"][1] == 4 + 1 + 17 * 3
    for delivered in pose.values():
        assert delivered.model["task"] == "pose"
        assert delivered.model["contract"]["passed"] is True


def test_the_spacemit_file_has_its_convolutions_in_int8(
    boards: dict[str, Delivered], pose: dict[str, Delivered]
) -> None:
    for built in (boards, pose):
        verdict = built["spacemit_k1"].json("check_onnx", "verdict.json")
        assert verdict["passed"] is True
        assert verdict["figures"]["int8_percent"] > 99
        assert verdict["figures"]["box_overlap"] > 0.8


def test_keypoints_are_found_and_named(
    pose: dict[str, Delivered], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whoever is found on some validation pictures has 17 keypoints, most of them in the box."""
    grove = pose["grove_v2"]
    manifest = grove.json("dataset", "manifest.json")
    pictures = [
        grove.file("dataset", "data") / entry["image"] for entry in manifest["splits"]["val"][:12]
    ]
    out = tmp_path_factory.mktemp("people")
    images = [f"image={picture}" for picture in pictures]
    project = Checkout(ROOT, ("target=grove_v2", *POSE, UNSURE))
    said = project.doit("infer", *images, f"out={out}")
    assert said.code == 0, said.text
    results = json.loads((out / "result.json").read_bytes())["results"]
    people = [found for entry in results for found in entry["detections"]]
    assert people
    for person in people:
        left, top, right, bottom = person["box"]
        assert len(person["keypoints"]) == 17
        inside = [
            left - 10 <= x <= right + 10 and top - 10 <= y <= bottom + 10
            for x, y, _ in person["keypoints"]
        ]
        assert sum(inside) >= 10


def test_the_calibration_list_that_was_used_is_delivered(boards: dict[str, Delivered]) -> None:
    for delivered in boards.values():
        told = json.loads((delivered.path / "calibration.json").read_bytes())
        lines = (delivered.path / "calibration.txt").read_text().splitlines()
        assert len([line for line in lines if not line.startswith("#")]) == told["count"]
        images = asked(
            delivered, "calibration", "npy_file.py",
            delivered.file("calibration", "calibration.npy"),
        )  # fmt: skip
        assert images["shape"][0] == told["count"]
