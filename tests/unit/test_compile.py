import json
from pathlib import Path

import pytest
from stage_configs import config

from edgemake.errors import UserError
from edgemake.step import Step
from edgemake.work import StageError
from stages import compile

MODEL = Step("quantize", {}, {}, ("model_int8.tflite",))["model_int8.tflite"]

LISTING = """
CPU operators = 1 (33.3%)
NPU operators = 2 (66.7%)
   NPU: Conv2D = model/add/Add;model/conv;Const_1 (outputs [1, 96, 96, 16])
   CPU: Logistic = sigmoid 1 (outputs [1, 96, 96, 16])
   NPU: Transpose = #874 (outputs [1, 48, 16, 48])

Average SRAM bandwidth                           0.56 GB/s
"""

SUMMARY = """\
experiment,network,accelerator_configuration,core_clock,inference_time,sram_memory_used,\
off_chip_flash_memory_used,nn_macs,cycles_npu,cycles_total
default,q,Ethos_U55_64,400000000.0,0.0527899375,293.546875,3003.5,366363648,17543251,21115975
"""


def test_params_survive_json() -> None:
    step = compile.plan(config(), MODEL)
    plain = json.loads(json.dumps(step.plain_params()))
    assert compile.Params(**plain) == step.params


def test_a_wrong_ini_value_is_refused_while_planning() -> None:
    wrong = config("target.vela.ini.system.axi0_port=Flash", "+target.vela.ini.memory.foo=1")
    with pytest.raises(UserError) as fault:
        compile.plan(wrong, MODEL)
    assert "target.vela.ini.system.axi0_port=Flash: it is one of" in str(fault.value)
    assert "target.vela.ini.memory.foo: vela knows no such key" in str(fault.value)


def test_placement_is_read_from_velas_listing() -> None:
    assert compile._operators(LISTING) == {
        "npu_percent": 66.67,
        "npu": {"Conv2D": 1, "Transpose": 1},
        "cpu": ["Logistic sigmoid 1"],
    }
    with pytest.raises(StageError, match="no operator"):
        compile._operators("nothing")


def test_figures_are_in_bytes_and_milliseconds(tmp_path: Path) -> None:
    summary = tmp_path / "summary.csv"
    summary.write_text(SUMMARY)
    assert compile._figures(summary) == {
        "accelerator": "Ethos_U55_64",
        "core_clock_hz": 400e6,
        "latency_ms": 52.79,
        "sram_bytes": 300592,
        "flash_bytes": 3075584,
        "macs": 366363648,
        "cycles": {"cycles_npu": 17543251, "cycles_total": 21115975},
    }


def test_one_chip_is_compiled_for_alike_whatever_its_firmware() -> None:
    himax = config("target=grove_v2_himax")
    assert compile.plan(himax, MODEL).params == compile.plan(config(), MODEL).params
