"""Toy stage: the result and its length."""

import json

from edgemake.work import Work


def run(params: dict[str, int], work: Work) -> None:
    text = work.inputs["chosen"].read_text()
    (work.out / "model.txt").write_text(text.upper())
    passed = len(text) <= params["limit"]
    line = {
        "rule": "length",
        "result": "pass" if passed else "fail",
        "found": str(len(text)),
        "demanded": f"at most {params['limit']}",
        "remedy": "choose fewer words",
    }
    (work.out / "verdict.json").write_text(json.dumps({"passed": passed, "lines": [line]}))
