"""docs/check.md explains every rule that a verdict may hold."""

import re
from pathlib import Path

import pytest
from contract_facts import GROVE, PAIR, POSE, XIAO, decoded, facts, pose
from stage_configs import config
from test_check_onnx import GOOD, rules

from vision.contract import Facts, Rules
from vision.judge import judge
from vision.judge_onnx import judge_onnx

PAGE = (Path(__file__).parents[2] / "docs/check.md").read_text(encoding="utf-8")
EXPLAINED = {
    name.strip()
    for row in re.findall(r"^\| ([^|]+) \|", PAGE, re.MULTILINE)
    for name in row.split(",")
}


@pytest.mark.parametrize(
    ("demands", "found"),
    [(GROVE, facts()), (POSE, pose()), (XIAO, decoded()), (PAIR, decoded())],
    ids=["six_raw", "seven_raw", "decoded", "pair"],
)
def test_every_rule_of_a_tflite_board(demands: Rules, found: Facts) -> None:
    names = {line.rule for line in judge(demands, found)}
    names = {re.sub("^scores of .*", "scores of a stride", name) for name in names}
    assert len(names) > 15
    assert names <= EXPLAINED


def test_every_rule_of_an_onnx_board() -> None:
    names = {line.rule for line in judge_onnx(rules(), GOOD)}
    assert len(names) > 12
    assert names <= EXPLAINED
    assert {"form", "kind of file"} <= EXPLAINED  # of files from elsewhere


@pytest.mark.parametrize(
    "target", ["grove_v2", "grove_v2_himax", "xiao_esp32s3", "spacemit_k1", "spacemit_k3"]
)
def test_what_only_the_board_can_show(target: str) -> None:
    chosen = config(f"target={target}").target
    rows = [row for row in PAGE.splitlines() if row.startswith("| ")]
    for rule, why in chosen.contract.unproven.items():
        [row] = [row for row in rows if row.startswith(f"| {rule} |")]
        assert f"`{target}`" in row or "boards | the board" in row or "| all |" in row
        assert len(why) > 30
