"""Fixtures of the end-to-end tests: the built project, and a copy to change."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest

from e2e.checkout import ROOT, Checkout, Delivered, copy_of

BASE = ("target=grove_v2", *os.environ.get("EDGEMAKE_E2E_OVERRIDES", "").split())
"""The main job; the variable makes it smaller while tests are written."""


@pytest.fixture(scope="session")
def chain() -> Delivered:
    """The main job, built where the tests lie; nothing runs if that was done before."""
    return Checkout(ROOT, BASE).deliver()


@pytest.fixture(scope="session")
def workshop(chain: Delivered, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A copy of the built project that tests may change, in a folder of an awkward name."""
    place = tmp_path_factory.mktemp("copy") / "Atelier à côté, 模型 1"
    toolchains = f"toolchain.dir={ROOT / '.toolchains'}"
    copy = copy_of(chain, place, (*BASE, toolchains))
    assert copy.build() == []  # the store of another folder serves as it is
    yield copy
    shutil.rmtree(place.parent)
