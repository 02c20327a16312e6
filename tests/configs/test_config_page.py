"""docs/config.md is what the schema says."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

sys.path.insert(0, str(Path(__file__).parent))
from composed import ROOT, plain

from edgemake.compose_hints import groups
from edgemake.config import validated
from edgemake.manual import markdown
from stages.schema import Config


def test_the_page_is_made_from_the_schema() -> None:
    page = (ROOT / "docs/config.md").read_text()
    again = "doit config --markdown target=grove_v2 > docs/config.md"
    values = msgspec.to_builtins(validated(plain(), Config))
    assert page == markdown(Config, values, groups(ROOT / "conf")) + "\n", again
