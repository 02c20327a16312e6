import json
from typing import Any

import pytest
from stage_configs import config

from edgemake.step import Step
from stages import diagnose

SOURCE = Step(
    "source",
    {},
    {},
    ("saved_model", "int8", "head.onnx", "head.json", "calibration.npy", "validation.npy"),
)


def planned(*overrides: str, val: bool = True) -> Step:
    return diagnose.plan(
        config(*overrides),
        SOURCE["saved_model"],
        SOURCE["int8"],
        SOURCE,
        SOURCE["calibration.npy"],
        SOURCE["validation.npy"] if val else None,
    )


def test_what_it_is_made_of() -> None:
    step = planned()
    assert (step.toolchain, step.outputs) == ("tensorflow", ("diagnosis.json",))
    assert set(step.inputs) == {
        "saved_model", "model_int8.tflite", "head.onnx", "head.json", "calibration.npy",
        "validation.npy",
    }  # fmt: skip
    assert diagnose.Params(**json.loads(json.dumps(step.plain_params()))) == step.params


def test_without_a_data_set_there_are_no_validation_images() -> None:
    step = planned(val=False)
    assert "validation.npy" not in step.inputs
    assert step.params.has_dataset is False


def test_where_images_of_a_users_own_lie_is_nobodys_business() -> None:
    assert planned("quant.calibration.source=/home/me/pictures").params.source == "user"
    assert planned("quant.calibration.source=val").params.source == "val"


@pytest.mark.parametrize(
    ("override", "key", "value"),
    [
        ("diagnose.images=4", "images", 4),
        ("target.outputs.detect.raw.score=0.6", "threshold", 0.6),
        ("quant.calibration.count=9", "count", 9),
        ("train=none", "trains", False),
        ("model.activation=relu6", "activation", "relu6"),
    ],
)
def test_it_depends_on_what_advice_depends_on(override: str, key: str, value: Any) -> None:
    changed = planned(override).plain_params()
    assert {k: v for k, v in changed.items() if planned().plain_params()[k] != v} == {key: value}


@pytest.mark.parametrize("override", ["evaluate.count=9", "gate.min_map=0.5", "report.images=1"])
def test_it_depends_on_nothing_else(override: str) -> None:
    assert planned(override).plain_params() == planned().plain_params()
