"""Findings: level, evidence, and advice that exists and was not followed yet."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from typing import Any

import pytest
from stage_configs import config

from vision.findings import BAD_DB, FAR, LOOK_DB, findings
from vision.remedies import Chosen

PER_TENSOR = Chosen(
    quant="tflite",
    settings={"weights": "per_tensor"},
    source="train",
    count=128,
    has_dataset=True,
    trains=True,
    activation="silu",
)
XSLIM = replace(
    PER_TENSOR,
    quant="xslim",
    settings={"method": "minmax", "precision_level": 0, "finetune_level": 0},
    count=64,
)
SOUND = {
    "count": 128, "black": 0, "duplicates": 0, "lowest": 0, "highest": 255,
    "histogram_distance": 0.05, "swapped_colours": None,
}  # fmt: skip


def tensor(branch: str, stride: int | None, val: float, **more: Any) -> dict[str, Any]:
    layer = more.pop("layer", f"model.22.{branch}")
    ratios = {"calibration": more.pop("calibration", val), "val": val}
    clipped = more.pop("clipped", 0.0)
    return {
        "name": layer, "layer": layer, "kind": "CONV_2D", "branch": branch, "stride": stride,
        "snr_db": ratios, "clipped": {"calibration": 0.0, "val": clipped}, **more,
    }  # fmt: skip


def score(name: str, largest: float, threshold: float = 0.3) -> dict[str, Any]:
    return {
        "name": name, "role": "class", "layer": "", "scale": 0.1, "largest_score": largest,
        "threshold": threshold, "channels_over_range": None,
    }  # fmt: skip


def diagnosis(*tensors: dict[str, Any], **more: Any) -> dict[str, Any]:
    whole = {
        "images": {"calibration": 16, "val": 16},
        "imgsz": 192,
        "tensors": [tensor("backbone", None, 26.0), tensor("box", 8, 24.0), *tensors],
        "outputs": [score("class_8", 0.98)],
        "calibration": SOUND,
    }
    return whole | more


def test_a_sound_network_is_called_so() -> None:
    [found] = findings(diagnosis(), PER_TENSOR)
    assert found == {
        "level": "good",
        "what": "nothing stands out",
        "evidence": "the weakest part is the box branch of stride 8 at 24.0 dB; scores reach 0.98",
        "try": "",
    }


@pytest.mark.parametrize(
    ("decibels", "level"),
    [(BAD_DB - 0.1, "bad"), (BAD_DB, "look"), (LOOK_DB - 0.1, "look"), (LOOK_DB, "good")],
)
def test_limits(decibels: float, level: str) -> None:
    found = findings(diagnosis(tensor("class", 16, decibels)), PER_TENSOR)
    assert found[0]["level"] == level


def test_the_middle_activation_counts() -> None:
    """One bad activation of three is not a bad branch."""
    rows = [tensor("class", 16, value) for value in (1.0, 20.0, 22.0)]
    assert findings(diagnosis(*rows), PER_TENSOR)[0]["level"] == "good"


def test_a_weak_branch_with_its_evidence() -> None:
    spread = {"channels": 3, "of": 64, "rest": 0.1}
    box = score("box_16", 0) | {
        "largest_score": None, "layer": "model.22.cv2.1.2", "channels_over_range": spread,
    }  # fmt: skip
    rows = [
        tensor("box", 16, 11.2, calibration=20.0, clipped=0.02, layer="model.22.cv2.1.2"),
        tensor("box", 32, 9.1, calibration=19.0, layer="model.22.cv2.2.2"),
    ]
    [found] = findings(diagnosis(*rows, outputs=[box]), replace(PER_TENSOR, count=16))
    assert found["level"] == "bad"
    assert found["what"] == "box branch of stride 16 is at 11.2 dB, of stride 32 at 9.1 dB"
    for words in (
        "on 16 validation images",
        "the worst is model.22.cv2.2.2 (CONV_2D) with 9.1 dB",
        "on calibration images 19.5 dB",
        "up to 2.0 % of an activation's values",
        "3 of 64 channels of box_16 take 90 % of the range",
    ):
        assert words in found["evidence"]


def test_without_validation_images_calibration_counts() -> None:
    row = tensor("class", 8, 99.0, calibration=8.0)
    rows = [tensor("box", 8, 99.0, calibration=20.0), row]
    whole = diagnosis(images={"calibration": 16, "val": 0}) | {"tensors": rows}
    [found] = findings(whole, PER_TENSOR)
    assert found["what"] == "class branch of stride 8 is at 8.0 dB"
    assert "16 calibration images" in found["evidence"]


def advice(whole: dict[str, Any], chosen: Chosen) -> str:
    return findings(whole, chosen)[0]["try"]


def test_weak_weights_ask_for_a_scale_a_channel() -> None:
    row = tensor("box", 8, 9.0) | {"weights_db": {"found": 12.0, "per_channel": 40.0}}
    whole = diagnosis() | {"tensors": [row]}
    assert advice(whole, PER_TENSOR) == "try quant=int8_per_channel"
    assert "weights of model.22.box are at 12 dB" in findings(whole, PER_TENSOR)[0]["evidence"]
    other = replace(PER_TENSOR, settings={"weights": "per_channel"})
    assert "per_channel" not in advice(whole, other)


def test_ranges_that_fit_the_calibration_images_only_ask_for_others() -> None:
    whole = diagnosis(tensor("class", 8, 9.0, calibration=20.0))
    assert advice(whole, PER_TENSOR).startswith("add pictures of the board's camera")
    own = replace(PER_TENSOR, source="user")
    assert advice(whole, own).startswith("try quant.calibration.source=train")
    assert advice(whole, replace(own, has_dataset=False)).startswith("add pictures")
    few = diagnosis(tensor("class", 8, 9.0, calibration=20.0), calibration=SOUND | {"count": 16})
    assert advice(few, replace(PER_TENSOR, count=16)) == "try quant.calibration.count=128"


SETTINGS = [{"weights": "per_tensor"}, {"weights": "per_channel"}] + [
    {"method": method, "precision_level": precision, "finetune_level": finetune}
    for method, precision, finetune in itertools.product(("minmax", "default"), (0, 1), (0, 1))
]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("gap", [0.0, 20.0])
@pytest.mark.parametrize("source", ["train", "user"])
def test_advice_exists_and_changes_something(
    settings: dict[str, Any], gap: float, source: str
) -> None:
    """Every key=value composes for a target of that quantizer, and is not what was chosen."""
    kind = "xslim" if "method" in settings else "tflite"
    chosen = replace(PER_TENSOR, quant=kind, settings=settings, source=source)
    whole = diagnosis(tensor("class", 8, 9.0, calibration=9.0 + gap))
    words = advice(whole, chosen)
    assert words
    target = "spacemit_k1" if kind == "xslim" else "grove_v2"
    for override in re.findall(r"[a-z_.]+=\w+", words):
        config(f"target={target}", override)
        key, value = override.split("=")
        assert str(settings.get(key.removeprefix("quant."))) != value
        assert (key, value) != ("quant.calibration.source", source)
        assert override != f"quant=int8_{settings.get('weights')}"


@pytest.mark.parametrize(
    ("seen", "level", "words"),
    [
        ({"black": 128}, "bad", "128 of 128 calibration images show nothing"),
        ({"black": 3}, "look", "3 of 128 calibration images show nothing"),
        ({"duplicates": 2}, "look", "2 of 128 calibration images repeat another"),
        ({"count": 1}, "look", "1 calibration image: too few"),
        ({"lowest": 40}, "look", "leave out the dark or the bright end"),
        ({"highest": 200}, "look", "leave out the dark or the bright end"),
        ({"histogram_distance": FAR + 0.01}, "look", "do not look like the validation split"),
        ({"swapped_colours": True}, "look", "red and blue of the calibration images"),
    ],
)
def test_calibration_images(seen: dict[str, Any], level: str, words: str) -> None:
    [found] = findings(diagnosis(calibration=SOUND | seen), PER_TENSOR)
    assert (found["level"], words in found["what"]) == (level, True)
    assert found["try"]


@pytest.mark.parametrize(
    "seen",
    [{"swapped_colours": False}, {"histogram_distance": None}, {"lowest": 13, "highest": 242}],
)
def test_what_does_not_stand_out(seen: dict[str, Any]) -> None:
    [found] = findings(diagnosis(calibration=SOUND | seen), PER_TENSOR)
    assert found["level"] == "good"


def test_scores_below_the_threshold() -> None:
    some = [score("class_8", 0.9), score("class_32", 0.2)]
    [found] = findings(diagnosis(outputs=some), PER_TENSOR)
    assert found["level"] == "look"
    assert "class_32 up to 0.200; the threshold is 0.3" in found["evidence"]
    none = [score("class_8", 0.25), score("class_32", 0.2)]
    assert findings(diagnosis(outputs=none), PER_TENSOR)[0]["level"] == "bad"


def test_scores_that_share_their_scale_with_pixels() -> None:
    output = score("output0", 1.0, 0.25) | {"role": "decoded", "scale": 2.2}
    [found] = findings(diagnosis(outputs=[output]), XSLIM)
    assert (found["level"], found["try"].split(",")[0]) == ("bad", "try quant.truncate=true")
    config("target=spacemit_k1", "quant.truncate=true")


def test_worst_first() -> None:
    rows = [tensor("class", 8, 12.0), tensor("keypoint", 8, 3.0)]
    found = findings(diagnosis(*rows, calibration=SOUND | {"black": 128}), PER_TENSOR)
    assert [entry["level"] for entry in found] == ["bad", "bad", "look"]
    assert "show nothing" in found[0]["what"]


def test_boxes_that_share_the_scale_of_the_scores() -> None:
    decoded = score("decoded", 0.98) | {"role": "decoded", "scale": 1 / 255}
    [found] = findings(diagnosis(outputs=[decoded]), PER_TENSOR)
    assert found["level"] == "look"
    assert found["what"] == "boxes move in steps of 0.75 pixels of 192"
    assert "target.output=raw" in found["try"]
    [found] = findings(diagnosis(outputs=[decoded], imgsz=96), PER_TENSOR)
    assert found["level"] == "good"
