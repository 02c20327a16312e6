"""A float network and its int8 form, whatever the file format: what a diagnosis needs of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vision.branches import Graph
    from vision.decode import Floats


@dataclass(frozen=True)
class Tensor:
    """An activation that both forms have. value = (integer - zero_point) * scale."""

    name: str
    kind: str
    """Of the operator that makes it."""
    shape: tuple[int, ...]
    scale: float
    zero_point: int
    limits: tuple[int, int]
    """The smallest and the largest integer."""
    axis: int
    """The channels'."""


@dataclass(frozen=True)
class Weights:
    """A convolution's weights."""

    tensor: str
    """The activation that the convolution makes."""
    true: Floats
    found: Floats
    """Dequantized."""
    axis: int
    """The output channels'."""


class Pair(Protocol):
    """Both forms of a network."""

    graph: Graph
    tensors: Sequence[Tensor]

    @property
    def runtime(self) -> str:
        """What ran them, with its version."""

    def run(self, image: NDArray[np.uint8]) -> Iterator[tuple[Tensor, Floats, NDArray[np.int_]]]:
        """Each tensor's float values and integers for an image `[S, S, 3]` uint8 RGB."""

    def weights(self) -> Iterator[Weights]:
        """Each convolution's weights in both forms."""
