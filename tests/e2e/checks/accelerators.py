"""Prints the accelerators that vela compiles for. Runs in toolchain `vela`."""

import importlib.util
import json
import re
from pathlib import Path

spec = importlib.util.find_spec("ethosu.vela")
assert spec is not None
assert spec.origin is not None
text = (Path(spec.origin).parent / "architecture_features.py").read_text(encoding="utf-8")
print(
    json.dumps(sorted(set(re.findall(r'^    Ethos_U\w+ = "(ethos-u[\d-]+)"$', text, re.MULTILINE))))
)
