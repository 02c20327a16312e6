"""Two interpreters on the same int8 file: how far their raw outputs lie apart, in quanta.

A quantum is one step of an output's int8 scale. Interpreters round differently where they bring a
sum back to int8, so a step is nothing; more than that is told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class OutputAgreement:
    """One output tensor, over all images."""

    name: str
    values: int
    within: int
    """Values that differ by one quantum at most."""
    largest: int
    """Difference, quanta."""


def compare(
    one: Mapping[str, NDArray[np.int8]],
    other: Mapping[str, NDArray[np.int8]],
    names: Sequence[str],
    kernels: str = "output",
) -> list[OutputAgreement]:
    """`one`, `other`: `output_0`, … `[images, …]` int8, an output for each of `names`.

    `kernels`: `exact` takes `exact_0`, … of `one`, which its slower kernels gave. Raises
    ValueError when shapes differ, KeyError when an output is missing.
    """
    import numpy as np

    found = []
    for index, name in enumerate(names):
        values, others = one[f"{kernels}_{index}"], other[f"output_{index}"]
        if values.shape != others.shape:
            raise ValueError(f"output {name}: shapes {values.shape} and {others.shape}")
        apart = np.abs(values.astype(np.int16) - others.astype(np.int16))
        largest = int(apart.max(initial=0))
        found.append(OutputAgreement(name, apart.size, int((apart <= 1).sum()), largest))
    return found


def together(outputs: Sequence[OutputAgreement]) -> dict[str, Any]:
    """All outputs as metrics.json has it; every value counts alike."""
    values, within = (sum(getattr(o, key) for o in outputs) for key in ("values", "within"))
    largest = max(output.largest for output in outputs)
    return {"within_one_quantum": _share(within, values), "largest": largest}


def each(outputs: Sequence[OutputAgreement]) -> list[dict[str, Any]]:
    """Each output on its own, named."""
    return [{"name": output.name, **together([output])} for output in outputs]


def _share(part: int, whole: int) -> float:
    return round(part / whole, 6) if whole else 1.0
