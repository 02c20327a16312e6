"""Rule on the class names, which the firmware is told by a command: the file holds none."""

from __future__ import annotations

from collections.abc import Iterator

from vision.at_info import at_info
from vision.contract import Facts, Line, Rules, line, unproven

ROOM = 64
"""Characters kept for the model's own name, which goes by the same command."""
RULE, KEY = "class names", "at_info_chars"


def name_rules(rules: Rules, facts: Facts) -> Iterator[Line]:
    """All names must fit into one command; hosts have crashed over a missing one."""
    if rules.at_info_chars is None:
        return
    demanded = f"an AT+INFO command of at most {rules.at_info_chars} characters"
    if facts.names is None:
        why = "the file holds no names; whoever knows them tells the board, all of them, by AT+INFO"
        yield unproven(RULE, f"{facts.classes} classes without names", demanded, why, key=KEY)
        return
    task = "pose" if facts.keypoints else "detect"
    length = len(at_info("x" * ROOM, task, facts.names, facts.file_bytes))
    yield line(
        RULE,
        length <= rules.at_info_chars,
        f"{len(facts.names)} names, {length} characters with a name of {ROOM} for the model",
        demanded,
        "shorten the class names: the firmware cuts the command off, and names are missing",
        key=KEY,
        otherwise="warn",
    )
