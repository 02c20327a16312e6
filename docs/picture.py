"""`doit ARGUMENTS | python docs/picture.py ARGUMENTS`: the README's picture of what it printed."""

import re
import sys
from pathlib import Path

from rich.console import Console

console = Console(record=True, width=112, file=sys.stderr)
for line in sys.stdin.read().strip().splitlines():
    console.print(line, markup=False, highlight=True)
svg = console.export_svg(title=" ".join(["doit", *sys.argv[1:]]))
svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)  # no fonts from the network
Path(__file__).with_name("summary.svg").write_text(svg)
