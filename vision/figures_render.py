"""Draws solids with depth: rounded, tapered rods, lit from one side, painted with patterns.

A pixel of a rod lies on a sphere that slides from one end to the other while its radius changes;
the nearest surface wins. Only + - * / and square roots of single floats, pixel by pixel: IEEE 754
fixes every bit of them, on every machine.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vision.figures_skeleton import Vector

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Colour = tuple[int, int, int]
FAR = -1e9
"""Depth where nothing was drawn."""


@dataclass(frozen=True)
class Paint:
    """A colour, or two in a pattern."""

    first: Colour
    second: Colour = (0, 0, 0)
    pattern: str = "plain"
    """plain, hoops (around the rod), stripes (along it), checks, dots."""
    period: float = 0.05
    """Of the pattern, part of the stature."""


@dataclass(frozen=True)
class Rod:
    """A rounded, tapered rod from `start` to `end`; lengths are parts of the stature."""

    start: Vector
    end: Vector
    start_radius: float
    end_radius: float
    paint: Paint
    offset: float = 0.0
    """Where across the cloth this rod begins, so that neighbours continue a pattern."""
    person: bool = True
    """Whether it is part of somebody, and not what they sit on."""


class Raster:
    """An image with depth, `[height, width]` pixels, that rods are drawn into."""

    def __init__(self, width: int, height: int, scale: float, light: Vector) -> None:
        """`scale`: pixels of a unit of length; `light`: the direction the light comes from."""
        import numpy as np

        self.scale, self.light = scale, light
        self.colour: NDArray[np.uint8] = np.zeros((height, width, 3), np.uint8)
        self.depth: NDArray[np.float32] = np.full((height, width), FAR, np.float32)
        self.person: NDArray[np.bool_] = np.zeros((height, width), bool)

    def draw(self, rod: Rod, origin: tuple[float, float]) -> None:
        """Draws a rod whose (0, 0, 0) lies at pixel `origin` (x, y)."""
        import numpy as np

        k = self.scale
        ax, ay, az = rod.start[0] * k + origin[0], rod.start[1] * k + origin[1], rod.start[2] * k
        bx, by, bz = rod.end[0] * k + origin[0], rod.end[1] * k + origin[1], rod.end[2] * k
        ra, rb = rod.start_radius * k, rod.end_radius * k
        height, width = self.depth.shape
        x0, x1 = max(0, int(min(ax - ra, bx - rb))), min(width, int(max(ax + ra, bx + rb)) + 2)
        y0, y1 = max(0, int(min(ay - ra, by - rb))), min(height, int(max(ay + ra, by + rb)) + 2)
        if x0 >= x1 or y0 >= y1:
            return
        x = (np.arange(x0, x1, dtype=np.float32) + np.float32(0.5))[None, :]
        y = (np.arange(y0, y1, dtype=np.float32) + np.float32(0.5))[:, None]
        dx, dy, dz = bx - ax, by - ay, bz - az
        length2 = dx * dx + dy * dy
        if length2 < dz * dz:  # seen end on: the nearer end hides the rest
            t = np.full((y1 - y0, x1 - x0), 1.0 if dz > 0 else 0.0, np.float32)
            self._sphere(rod, (x, y), t, (ax, ay, az, ra), (dx, dy, dz, rb - ra))
        if length2 > 1e-6:
            t = np.clip(((x - ax) * dx + (y - ay) * dy) / length2, 0, 1)
        else:
            t = np.zeros((y1 - y0, x1 - x0), np.float32)
        self._sphere(rod, (x, y), t, (ax, ay, az, ra), (dx, dy, dz, rb - ra))

    def averaged(self, fine: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.bool_]]:
        """Blocks of `fine` x `fine` pixels as one; both sides must be multiples of `fine`.

        Returns colours `[h, w, 3]`, opacity `[h, w]` 0..255, and where a person is `[h, w]`.
        """
        import numpy as np

        height, width = (extent // fine for extent in self.depth.shape)
        shape = height, fine, width, fine
        drawn = (self.depth > FAR).reshape(shape).sum((1, 3), dtype=np.int64)
        blocks = self.colour.reshape(*shape, 3).sum((1, 3), dtype=np.int64)
        colour = blocks // np.maximum(drawn, 1)[..., None]  # undrawn pixels are 0 and count nothing
        person = self.person.reshape(shape).sum((1, 3), dtype=np.int64) * 2 > fine * fine
        return colour.astype(np.uint8), (drawn * 255 // (fine * fine)).astype(np.uint8), person

    def _sphere(
        self,
        rod: Rod,
        pixels: tuple[NDArray[np.float32], NDArray[np.float32]],
        t: NDArray[np.float32],
        start: tuple[float, float, float, float],
        step: tuple[float, float, float, float],
    ) -> None:
        """Draws the sphere `t` on the way, 0..1; `start`, `step`: x, y, z and radius, pixels."""
        import numpy as np

        x, y = pixels
        left, top = int(x[0, 0]), int(y[0, 0])
        area = slice(top, top + y.shape[0]), slice(left, left + x.shape[1])
        radius = start[3] + step[3] * t
        ox, oy = x - (start[0] + step[0] * t), y - (start[1] + step[1] * t)
        height2 = radius * radius - ox * ox - oy * oy
        height = np.sqrt(np.maximum(height2, 0))
        depth = start[2] + step[2] * t + height
        shown = (height2 > 0) & (depth > self.depth[area])
        ox, oy, t = ox[shown], oy[shown], t[shown]  # the rest needs no colour
        lit = (ox * self.light[0] + oy * self.light[1] + height[shown] * self.light[2]) / (
            start[3] + step[3] * t
        )
        shade = np.float32(0.52) + np.float32(0.55) * np.clip(lit, 0, 1)
        side = math.sqrt(step[0] * step[0] + step[1] * step[1] + 1e-6)
        across = (ox * step[1] - oy * step[0]) / (side * self.scale) + rod.offset
        squares = ((b - a) * (b - a) for a, b in zip(rod.start, rod.end, strict=True))
        colour = _painted(rod.paint, t * math.sqrt(sum(squares)), across)
        self.colour[area][shown] = np.minimum(colour * shade[:, None], 255).astype(np.uint8)
        self.depth[area][shown] = depth[shown]
        self.person[area][shown] = rod.person


def _painted(
    paint: Paint, along: NDArray[np.float32], across: NDArray[np.float32]
) -> NDArray[np.float32]:
    """RGB 0..255, `[n, 3]` or `[1, 3]`, of cloth `along` and `across` the rod `[n]`."""
    import numpy as np

    first, other = (np.array([c], np.float32) for c in (paint.first, paint.second))
    if paint.pattern == "plain":
        return first
    u, v = along / paint.period, across / paint.period
    row, column = np.floor(u) % 2 == 1, np.floor(v) % 2 == 1
    du, dv = u - np.floor(u) - np.float32(0.5), v - np.floor(v) - np.float32(0.5)
    second = {
        "hoops": row,
        "stripes": column,
        "checks": row ^ column,
        "dots": du * du + dv * dv < 0.08,
    }[paint.pattern]
    return np.where(second[:, None], other, first)
