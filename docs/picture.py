"""`doit target=grove_v2 | python docs/picture.py`: the README's picture of what a build printed."""

import sys
from pathlib import Path

from rich.console import Console

console = Console(record=True, width=112, file=sys.stderr)
for line in sys.stdin.read().strip().splitlines():
    console.print(line, markup=False, highlight=True, soft_wrap=False)
svg = console.export_svg(title="doit target=grove_v2")
Path(__file__).with_name("summary.svg").write_text(svg)
