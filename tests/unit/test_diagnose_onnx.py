import json

from stage_configs import config

from edgemake.step import Step
from stages import diagnose_onnx

SOURCE = Step(
    "source", {}, {}, ("int8", "head.onnx", "head.json", "calibration.npy", "validation.npy")
)


def planned(*overrides: str, val: bool = True) -> Step:
    return diagnose_onnx.plan(
        config("target=spacemit_k1", *overrides),
        SOURCE,
        SOURCE["int8"],
        SOURCE["calibration.npy"],
        SOURCE["validation.npy"] if val else None,
    )


def test_what_it_is_made_of() -> None:
    step = planned()
    assert (step.toolchain, step.outputs) == ("images", ("diagnosis.json",))
    assert set(step.inputs) == {
        "head.onnx", "head.json", "model.q.onnx", "calibration.npy", "validation.npy",
    }  # fmt: skip
    assert diagnose_onnx.Params(**json.loads(json.dumps(step.plain_params()))) == step.params
    assert "validation.npy" not in planned(val=False).inputs


def test_advice_depends_on_the_tools_settings() -> None:
    params = planned("quant=xslim_accurate", "quant.precision_level=1").params
    assert (params.quant, params.method) == ("xslim", "default")
    assert (params.precision_level, params.finetune_level) == (1, 1)
    assert params.threshold == 0.25
