import json

import pytest
from stage_configs import config

from edgemake.step import Step
from edgemake.work import StageError
from stages import head
from vision.forms import DECODERS
from vision.head_cut import Branch, Head
from vision.head_graph import CLIPPED, ENDS, TASKS, Tensor, cuts, whole_output

ONNX = Step("export", {}, {}, ("model.onnx",))["model.onnx"]
PARAMS = head.plan(config(), ONNX).params
POSE = head.plan(config("model=yolov8n_pose"), ONNX).params


def network(
    *sides: int, box: int = 64, keypoints: tuple[int, int] | None = None, imgsz: int = 192
) -> Head:
    channels = {"box": box, "class": 10}
    if keypoints:
        channels["keypoints"] = keypoints[0] * keypoints[1]
    branches = [
        Branch(role, f"{role} {side}", count, side)
        for role, count in channels.items()
        for side in sides
    ]
    return Head(imgsz, tuple(branches), keypoints)


DETECT, PEOPLE = network(24, 12, 6), network(24, 12, 6, keypoints=(17, 3))


def test_params_survive_json() -> None:
    assert head.Params(**json.loads(json.dumps(PARAMS.__dict__))) == PARAMS
    assert head.Params("six_raw", [8, 16, 32], 64, 3, []) == PARAMS


def test_the_target_and_the_task_choose_form_and_order() -> None:
    assert POSE.form == "seven_raw"
    assert POSE.order == config("model=yolov8n_pose").output.order
    decoded = head.plan(config("target.output=decoded"), ONNX).params
    assert decoded.form == "decoded_normalised"
    assert head.plan(config("target=spacemit_k1"), ONNX).params.form == "decoded"


def test_a_head_knows_its_sizes() -> None:
    assert (DETECT.classes, DETECT.cells, DETECT.rows) == (10, 756, 14)
    assert PEOPLE.rows == 14 + 51
    assert [DETECT.stride(branch) for branch in DETECT.of("class")] == [8, 16, 32]


def test_every_form_has_an_end_a_decoder_and_tasks() -> None:
    assert set(DECODERS) == set(TASKS) == {*ENDS, "decoded"}
    assert set(CLIPPED) <= set(DECODERS)


def test_branches_that_the_board_does_not_decode_are_refused() -> None:
    head._agrees(PARAMS, DETECT)
    with pytest.raises(StageError, match=r"strides \[16.0, 32.0\]; the board decodes"):
        head._agrees(PARAMS, network(12, 6))
    with pytest.raises(StageError, match="32 channels; the board decodes 64"):
        head._agrees(PARAMS, network(24, 12, 6, box=32))


def test_keypoints_of_other_values_are_refused_with_the_shape_to_train() -> None:
    head._agrees(POSE, PEOPLE)
    with pytest.raises(StageError, match=r"of 2 values; the board decodes 3 .*is \[5, 3\]"):
        head._agrees(POSE, network(24, 12, 6, keypoints=(5, 2)))


def test_a_network_for_another_task_than_the_forms_is_refused() -> None:
    with pytest.raises(StageError, match="is for task pose, and outputs of form six_raw for dete"):
        head._agrees(PARAMS, PEOPLE)
    with pytest.raises(StageError, match="is for task detect, and outputs of form seven_raw for"):
        head._agrees(POSE, DETECT)


def test_an_order_names_each_output_once() -> None:
    outputs = [Tensor(name, "box", 8, [1]) for name in ("a", "b", "c")]
    assert head._ordered(outputs, []) == outputs
    assert [t.name for t in head._ordered(outputs, ["c", "a", "b"])] == ["c", "a", "b"]
    for wrong in (["a", "b"], ["a", "b", "b"], ["a", "b", "d"], ["a", "b", "c", "a"]):
        with pytest.raises(StageError) as refusal:
            head._ordered(outputs, wrong)
        assert str(wrong) in str(refusal.value)
        assert "['a', 'b', 'c']" in str(refusal.value)


def test_a_decoded_output_says_what_its_rows_are() -> None:
    assert whole_output(PEOPLE).described(PEOPLE) == {
        "name": "output0",
        "role": "decoded",
        "stride": None,
        "shape": [1, 65, 756],
        "classes": 10,
        "keypoints": [17, 3],
    }
    assert Tensor("box_8", "box", 8, [1, 576, 64]).described(DETECT) == {
        "name": "box_8",
        "role": "box",
        "stride": 8,
        "shape": [1, 576, 64],
    }


def test_only_a_network_that_keeps_its_decoding_has_cuts() -> None:
    assert cuts("decoded", DETECT) == [branch.tensor for branch in DETECT.branches]
    assert all(cuts(form, DETECT) == [] for form in ENDS)
