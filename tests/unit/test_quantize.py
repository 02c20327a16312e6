import json

from stage_configs import config

from edgemake.step import Step
from stages import quantize

SOURCE = Step("source", {}, {}, ("saved_model", "calibration.npy"))


def test_the_quant_group_says_how_weights_are_scaled() -> None:
    for choice, weights in (("int8_per_tensor", "per_tensor"), ("int8_per_channel", "per_channel")):
        chosen = config(f"quant={choice}")
        step = quantize.plan(chosen, SOURCE["saved_model"], SOURCE["calibration.npy"])
        assert step.params == quantize.Params(weights)
        assert quantize.Params(**json.loads(json.dumps(step.plain_params()))) == step.params


def test_the_target_chooses_per_tensor_and_the_user_wins() -> None:
    assert config().quant.weights == "per_tensor"
    assert config("quant=int8_per_channel").quant.weights == "per_channel"
