"""Holds a model file against a board's contract, rule by rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from vision.contract import Facts, Line, Rule, Rules
from vision.rules_board import compiler_version, memory_rules, operator_rules, payload_rules
from vision.rules_tensors import (
    class_count,
    input_rules,
    output_rules,
    raw_outputs,
    score_range,
)

FORMS: Mapping[str, Rule] = {"raw": raw_outputs}
"""Form of the outputs (`target.head`) -> its rules."""


def judge(rules: Rules, facts: Facts) -> list[Line]:
    """Every rule's lines, in a fixed order."""
    every: tuple[Rule, ...] = (
        input_rules,
        output_rules,
        class_count,
        FORMS[rules.form],
        operator_rules,
        payload_rules,
        memory_rules,
        compiler_version,
        score_range,
    )
    return [
        replace(line, source=f"target.{line.source}; {rules.firmware}")
        for rule in every
        for line in rule(rules, facts)
    ]
