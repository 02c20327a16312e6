import json

from stage_configs import config

from edgemake.step import Step
from stages import check
from stages.check import _tensors
from vision.contract import Rules
from vision.tflite_file import ModelFile, Tensor

SOURCE = Step("source", {}, {}, ("model", "vela", "export"))
STEP = check.plan(config(), SOURCE["model"], SOURCE["vela"], SOURCE["export"])


def test_params_survive_json() -> None:
    plain = json.loads(json.dumps(STEP.plain_params()))
    assert check.Params(**plain) == STEP.params
    assert Rules(**plain["rules"]).forbidden_class_counts.keys() == {"64"}


def test_every_demand_comes_from_the_target() -> None:
    changed = config("target.contract.npu_config=1", "target.memory.sram_bytes=7")
    rules = check.plan(changed, SOURCE["model"], SOURCE["vela"], SOURCE["export"]).params.rules
    assert (rules["npu_config"], rules["sram_bytes"]) == (1, 7)


def test_outputs_are_told_apart_by_their_shapes() -> None:
    picture = Tensor("in", "int8", (1, 64, 64, 3), (1 / 255,), (-128,))
    box = Tensor("a", "int8", (1, 64, 64), (0.1,), (3,))
    score = Tensor("b", "int8", (1, 4, 2), (0.1, 0.2), (3, 3))
    file = ModelFile((picture,), (score, box), {}, ())
    found = _tensors(Rules(**STEP.params.rules), file)
    assert found["inputs"][0]["zero_point"] == -128
    assert [(o["role"], o["stride"], o["scale"]) for o in found["outputs"]] == [
        ("class", 32, None),
        ("box", 8, 0.1),
    ]
