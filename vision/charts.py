"""Charts as SVG that lives inside a page: its colours, its letters, no file and no request.

A chart is drawn with stand-in colours, which become CSS variables of the page (`--ink`, `--float`,
…), so it follows light and dark mode; its text stays text, set in the page's letters, in any
alphabet. Equal data give equal bytes: no dates, no random names.
"""

from __future__ import annotations

import html
import io
import re
import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

VARIABLES = (
    "ink", "muted", "line", "surface",
    "float", "int8", "good", "look", "bad", "third", "fourth",
)  # fmt: skip
"""CSS variables that a page with charts must define; see stages/templates/style.css."""
COLOUR: Mapping[str, str] = {name: f"#0101{16 + i:02x}" for i, name in enumerate(VARIABLES)}
"""Variable -> the colour that stands in for it while a chart is drawn."""
FLOAT, INT8 = COLOUR["float"], COLOUR["int8"]
"""Everywhere in a report the same two colours, told apart by every kind of eye."""
SERIES = tuple(COLOUR[name] for name in ("float", "int8", "third", "fourth", "good", "muted"))
"""For more than two lines or kinds of dots; they differ in marker and dash, too."""
MARKERS = ("o", "s", "^", "D", "v", "P")
DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1, 1.5)), (0, (5, 1.5, 1, 1.5)), "-", "--")
WIDTH = 400
"""Of a chart that stands beside another, points: letters stay legible on a phone."""
INCH = 72
"""Units of an SVG that matplotlib writes: points."""
STYLE: Mapping[str, Any] = {
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.size": 10,
    "font.family": "DejaVu Sans",  # comes with matplotlib: the layout is the same everywhere
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": COLOUR["line"],
    "axes.labelcolor": COLOUR["muted"],
    "axes.titlecolor": COLOUR["ink"],
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "axes.labelsize": 9.5,
    "axes.axisbelow": True,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
    "grid.color": COLOUR["line"],
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.8,
    "text.color": COLOUR["ink"],
    "xtick.color": COLOUR["line"],
    "ytick.color": COLOUR["line"],
    "xtick.labelcolor": COLOUR["muted"],
    "ytick.labelcolor": COLOUR["muted"],
    "xtick.labelsize": 9.5,
    "ytick.labelsize": 9.5,
    "legend.frameon": False,
    "legend.fontsize": 9.5,
}


def chart(
    name: str, about: str, width: float, height: float, paint: Callable[[Figure], None]
) -> str:
    """An `<svg>` of `width` x `height` points that `paint` fills.

    `name` is unlike that of any other chart in the page, for all ids begin with it; `about` is
    read to those who cannot see.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    target = io.StringIO()
    with mpl.rc_context({**STYLE, "svg.hashsalt": name}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # the browser has it
        figure = Figure(figsize=(width / INCH, height / INCH), layout="constrained")
        paint(figure)
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(target, format="svg", metadata=nothing)
    return inline(target.getvalue(), name, about)


def inline(svg: str, name: str, about: str) -> str:
    """A file that matplotlib wrote, as an element of a page."""
    body = svg[svg.index("<svg") :]
    opening, body = body.split(">", 1)
    view = re.search(r'viewBox="[^"]*"', opening)
    assert view is not None
    body = re.sub(r"<!--.*?-->\s*", "", body, flags=re.S)
    body = re.sub(r"<[^>]*>", lambda tag: re.sub(r"(\d+\.\d{2})\d+", r"\1", tag[0]), body)
    body = body.replace("xlink:href", "href")
    used = set(re.findall(r'(?:href="|url\()#([^")]+)', body))
    kept = used | set(re.findall(r'id="(node-[^"]+)"', body))
    body = re.sub(
        r' id="([^"]+)"', lambda found: f' id="{found[1]}"' if found[1] in kept else "", body
    )
    for old in sorted(used, key=len, reverse=True):
        body = re.sub(
            rf'(id="|href="#|url\(#){re.escape(old)}(?=["\)])', rf"\g<1>{name}-{old}", body
        )
    for variable, colour in COLOUR.items():
        body = body.replace(colour, f"var(--{variable})")
    body = re.sub(r">\s*\n\s*<", "><", body)
    label = html.escape(about)
    return f'<svg class="chart" {view[0]} role="img" aria-label="{label}">{body.strip()}'


def bare(axes: Axes, *sides: str) -> None:
    """Leaves out these sides of the frame, and their ticks."""
    for side in sides:
        axes.spines[side].set_visible(False)
        if side in ("left", "right"):
            axes.tick_params(axis="y", length=0)
        else:
            axes.tick_params(axis="x", length=0)


def shortened(text: str, most: int = 22) -> str:
    """A name as a chart has room for it."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
