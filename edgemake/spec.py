"""What a coordinator tells a runner: one step, as plain JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Spec:
    """Everything a runner needs to know; plain JSON, so that it can travel."""

    root: str
    toolchains: str | None
    stage: str
    digest: str
    preimage: Mapping[str, Any]
    inputs: Mapping[str, Any]
    """Input name -> path, or {name for the stage: path}."""
    ignore: Mapping[str, list[str]]
    """Input name -> file patterns that do not count in a folder of the user's."""
    files: Mapping[str, Mapping[str, str]]
    packages: Mapping[str, str]
    why: list[str]
    label: str
    request: str
    python: str
    cores: int
    """Cores that a cluster gave to the step; 0: it takes tokens of the machine that it runs on."""
    needs: Mapping[str, Any]
    """`resources.Needs`, as a dict."""
    workers: int
    """How many steps its build runs side by side."""
    build: str
    """Tells the steps of one build from those of others on the machine."""
    network: bool
    resumable: bool
    force: bool
    environment: Mapping[str, str]
    tokens: bool = False
    """The cores that a cluster gave are of a machine that others use too: it takes tokens for
    them."""
