"""A double of SpacemiT's xquant 1.2.1, which cannot be fetched here: NOT the vendor's program.

test_spacemit.py packs this file into a wheel as `xquant/__main__.py`. It reads the JSON as 1.2.1
does (only its own keys; only `input_parametres`), lets xslim do the work, and leaves what 1.2.1
leaves: the export's opset, no metadata, the newest IR version.
"""

import argparse
import json
from pathlib import Path
from typing import Any

READ = {
    "model_parameters": {"onnx_model", "output_prefix", "working_dir", "skip_onnxsim"},
    "calibration_parameters": {
        "calibration_step", "calibration_device", "calibration_type", "input_parametres",
    },
    "quantization_parameters": {
        "precision_level", "max_percentile", "finetune_level", "custom_setting",
        "analysis_enable", "truncate_var_names",
    },
}  # fmt: skip
"""Keys of 1.2.1's xquant_setting.py; it passes over all others in silence."""
OLDEST_OPSET, NEWEST_IR = 13, 11


def main() -> None:
    """python -m xquant --config FILE"""
    parser = argparse.ArgumentParser()
    parser.add_argument("-c", "--config", required=True)
    told = json.loads(Path(parser.parse_args().config).read_text())
    config: dict[str, dict[str, Any]] = {
        section: {key: value for key, value in told[section].items() if key in keys}
        for section, keys in READ.items()
    }
    calibration, model = config["calibration_parameters"], config["model_parameters"]
    calibration["input_parameters"] = calibration.pop("input_parametres")
    assert len(calibration["input_parameters"]) > 0

    import onnx
    import xslim

    network = onnx.load(model["onnx_model"])
    opset = next(entry.version for entry in network.opset_import if entry.domain == "")
    model["opset"] = max(OLDEST_OPSET, opset)
    xslim.quantize_onnx_model(config)
    result = Path(model["working_dir"], f"{model['output_prefix']}.onnx")
    quantized = onnx.load(result)
    del quantized.metadata_props[:]
    quantized.ir_version = NEWEST_IR
    onnx.save(quantized, result)


if __name__ == "__main__":
    main()
