import json

import pytest
from stage_configs import config

from edgemake.step import Step
from edgemake.work import StageError
from stages import head
from vision.head_cut import Branch

ONNX = Step("export", {}, {}, ("model.onnx",))["model.onnx"]
PARAMS = head.plan(config(), ONNX).params


def branches(*sides: int, channels: int = 64) -> list[Branch]:
    return [Branch("box", f"b{side}", channels, side) for side in sides]


def test_params_survive_json() -> None:
    assert head.Params(**json.loads(json.dumps(PARAMS.__dict__))) == PARAMS
    assert head.Params("raw", [8, 16, 32], 64) == PARAMS


def test_branches_are_named_after_role_and_stride() -> None:
    assert Branch("class", "t", 10, 24).name(192) == "class_8"
    assert head._describe(Branch("class", "t", 10, 6), 192) == {
        "name": "class_32",
        "role": "class",
        "stride": 32,
        "shape": [1, 36, 10],
    }


def test_branches_that_the_board_does_not_decode_are_refused() -> None:
    head._agrees(PARAMS, branches(24, 12, 6), 192)
    with pytest.raises(StageError, match=r"strides \[16.0, 32.0\]; the board decodes"):
        head._agrees(PARAMS, branches(12, 6), 192)
    with pytest.raises(StageError, match="32 channels; the board decodes 64"):
        head._agrees(PARAMS, branches(24, 12, 6, channels=32), 192)
