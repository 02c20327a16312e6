import json

from stage_configs import config

from edgemake.step import Step
from stages import convert

HEAD = Step("head", {}, {}, ("head.onnx",))["head.onnx"]


def test_nothing_but_the_head_decides() -> None:
    step = convert.plan(config(), HEAD)
    assert convert.plan(config("quant=int8_per_channel"), HEAD).params == step.params
    assert step.inputs == {"head.onnx": HEAD}
    assert convert.Params(**json.loads(json.dumps(step.plain_params()))) == step.params
    assert step.toolchain == "tensorflow"
