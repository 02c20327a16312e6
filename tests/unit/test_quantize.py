import json

from stage_configs import config

from edgemake.step import Step
from stages import quantize

SOURCE = Step("source", {}, {}, ("saved_model", "calibration.npy", "head.json"))
INPUTS = SOURCE["saved_model"], SOURCE["calibration.npy"], SOURCE["head.json"]


def test_the_quant_group_says_how_weights_are_scaled() -> None:
    for choice, weights in (("int8_per_tensor", "per_tensor"), ("int8_per_channel", "per_channel")):
        step = quantize.plan(config(f"quant={choice}"), *INPUTS)
        assert step.params == quantize.Params(weights)
        assert quantize.Params(**json.loads(json.dumps(step.plain_params()))) == step.params


def test_the_head_says_what_the_outputs_are() -> None:
    assert quantize.plan(config(), *INPUTS).inputs["head.json"] == SOURCE["head.json"]


def test_the_target_chooses_per_tensor_and_the_user_wins() -> None:
    for target in ("grove_v2", "xiao_esp32s3"):
        assert quantize.plan(config(f"target={target}"), *INPUTS).params.weights == "per_tensor"
        chosen = config(f"target={target}", "quant=int8_per_channel")
        assert quantize.plan(chosen, *INPUTS).params.weights == "per_channel"
