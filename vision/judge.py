"""Holds a model file against a board's contract, rule by rule."""

from __future__ import annotations

from dataclasses import replace

from vision.contract import Facts, Line, Rule, Rules
from vision.rules_board import npu_rules, operator_rules
from vision.rules_forms import FORMS
from vision.rules_memory import arena_rule, flash_rules
from vision.rules_names import name_rules
from vision.rules_scores import score_range
from vision.rules_tensors import class_count, input_rules, output_rules
from vision.rules_unproven import on_the_board


def judge(rules: Rules, facts: Facts) -> list[Line]:
    """Every rule's lines, in a fixed order."""
    of_the_form: tuple[Rule, ...] = () if rules.form is None else (class_count, FORMS[rules.form])
    scores: tuple[Rule, ...] = () if rules.form is None else (name_rules, score_range)
    every: tuple[Rule, ...] = (
        *(input_rules, output_rules, *of_the_form, operator_rules, npu_rules),
        *(arena_rule, flash_rules, *scores, on_the_board),
    )
    return [
        replace(line, source=f"target.{line.source}; {rules.firmware}")
        for rule in every
        for line in rule(rules, facts)
    ]
