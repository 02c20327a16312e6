"""Holds an int8 ONNX file against a board's contract, rule by rule."""

from __future__ import annotations

from vision.contract import Line
from vision.onnx_contract import OnnxRule, OnnxRules, OnnxSubject
from vision.rules_onnx import (
    class_count,
    convolutions,
    kernel_shapes,
    score_steps,
    share,
    tensors,
    versions,
)
from vision.rules_onnx_run import closeness, on_the_board, runs, scores


def judge_onnx(rules: OnnxRules, subject: OnnxSubject) -> list[Line]:
    """Every rule's lines, in a fixed order."""
    every: tuple[OnnxRule, ...] = (
        versions,
        tensors,
        class_count,
        score_steps,
        convolutions,
        share,
        kernel_shapes,
        runs,
        scores,
        closeness,
        on_the_board,
    )
    return [found for rule in every for found in rule(rules, subject)]
