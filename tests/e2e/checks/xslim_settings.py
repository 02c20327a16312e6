"""Prints which keys, methods and defaults xslim itself has. Runs in toolchain `xslim`."""

import json
from enum import Enum
from typing import Any

from xslim.xslim_setting import CalibrationParameterSetting, InputParameterSetting, XSlimSetting

METHODS = ("default", "minmax", "percentile", "kl", "mse", "none")


def plain(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value


def takes(method: str) -> bool:
    """Whether the tool takes this calibration_type."""
    setting = CalibrationParameterSetting()
    setting.input_parameters = [InputParameterSetting()]
    setting.calibration_type = method
    try:
        setting.check(setting)
    except NotImplementedError:
        return False
    return True


settings = XSlimSetting()
calibration, quantization = settings.calibration_parameters, settings.quantization_parameters
print(
    json.dumps(
        {
            "sections": {name: sorted(vars(part)) for name, part in vars(settings).items()},
            "input": sorted(vars(InputParameterSetting())),
            "methods": [method for method in METHODS if takes(method)],
            "defaults": {
                "calibration_type": calibration.calibration_type,
                **{
                    key: plain(getattr(quantization, key))
                    for key in ("precision_level", "finetune_level", "analysis_enable")
                },
            },
        }
    )
)
