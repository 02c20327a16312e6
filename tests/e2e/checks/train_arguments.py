"""Prints ultralytics' arguments but those of other modes than training. Runs in toolchain `torch`.

The headings in its default.yaml say what they are for: comments that end in a line of dashes.
"""

import importlib.util
import json
import re
from pathlib import Path

OTHERS = ("Predict", "Visualize", "Export", "Tracker")

spec = importlib.util.find_spec("ultralytics")
assert spec is not None
assert spec.origin is not None
text = (Path(spec.origin).parent / "cfg/default.yaml").read_text(encoding="utf-8")
sections = re.split(r"^# (?=\w[^\n]*-{20})", text, flags=re.MULTILINE)
names = [
    name
    for section in sections
    if not section.startswith(OTHERS)
    for name in re.findall(r"^(\w+):", section, re.MULTILINE)
]
print(json.dumps(names))
