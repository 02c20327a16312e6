"""Names of the steps' nodes in a report's graph.

The graph is drawn while planning is all that is known; what ran is filled in when the model is
delivered. Both sides find a node by these names. Standard library only.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable


def node_ids(steps: Iterable[tuple[str, str]]) -> list[str]:
    """An id for each (stage, label), in order; equal pairs are counted."""
    seen: Counter[str] = Counter()
    ids = []
    for stage, label in steps:
        pair = f"{stage}\0{label}".encode()
        name = f"node-{hashlib.sha256(pair).hexdigest()[:8]}"
        seen[name] += 1
        ids.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return ids
