"""Model files that boards take, as facts; tests change one thing at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from stage_configs import config

from edgemake.step import Step
from stages import check
from vision.contract import Cost, Facts, Npu, Rules
from vision.judge import judge
from vision.npu_payload import Payload
from vision.tflite_file import ModelFile, Tensor

SOURCE = Step("source", {}, {}, ("file",))["file"]


def rules_of(*overrides: str) -> Rules:
    """The rules of a config, as the stage makes them of its params."""
    given = check.plan(config(*overrides), SOURCE, SOURCE, SOURCE, SOURCE).params.rules
    npu = given["npu"]
    return Rules(**{**given, "npu": None if npu is None else Npu(**npu)})


GROVE = rules_of()
POSE = rules_of("model=yolov8n_pose")
XIAO = rules_of("target=xiao_esp32s3")
PAIR = rules_of("target=grove_v2_himax")


def tensor(*shape: int, **changes: Any) -> Tensor:
    plain = Tensor("t", "int8", shape, (0.05,), (10,))
    return replace(plain, **changes)


INPUT = tensor(1, 192, 192, 3, scales=(1 / 255,), zero_points=(-128,))
CELLS = {8: 576, 16: 144, 32: 36}
N = sum(CELLS.values())
VELA = Cost("vela 5.0.0", "5.0.0", 300_000, 0, False, "", 100.0, 50.0)
TFLM = Cost("TFLite Micro 1 on x86-64", "1", 540_000, 90_000, True, "", None, None)


LOGITS = tuple(tensor(1, s, s, 10) for s in (24, 12, 6))


def outputs(classes: int = 10) -> tuple[Tensor, ...]:
    return tuple(tensor(1, n, c) for n in CELLS.values() for c in (64, classes))


def seven(order: list[str], keypoints: int = 51) -> tuple[Tensor, ...]:
    """Pose outputs in an order of names."""
    shapes = {"keypoints": (1, N, keypoints)}
    shapes |= {f"box_{s}": (1, n, 64) for s, n in CELLS.items()}
    shapes |= {f"class_{s}": (1, n, 1) for s, n in CELLS.items()}
    return tuple(tensor(*shapes[name]) for name in order)


def cold(count: int) -> tuple[Tensor, ...]:
    """Outputs of which the last `count` class tensors hold no positive logit."""
    found = list(outputs())
    for i in range(6 - 2 * count, 6, 2):
        found[i + 1] = replace(found[i + 1], zero_points=(127,))
    return tuple(found)


def facts(**changes: Any) -> Facts:
    model = {name: changes.pop(name) for name in ("inputs", "outputs") if name in changes}
    operators = changes.pop("operators", {"ETHOS_U": 1})
    classes = changes.pop("classes", 10)
    figures = ("npu_percent", "version", "arena_bytes")
    cost: dict[str, Any] = {name: changes.pop(name) for name in figures if name in changes}
    file = ModelFile((INPUT,), outputs(classes), operators, (b"",))
    good = Facts(
        model=replace(file, **model),
        logits=(),
        file_bytes=2_000_000,
        classes=classes,
        names=tuple(map(str, range(classes))),
        keypoints=None,
        payloads=(Payload("COP1", 0x1006, (1, 0, 6)),),
        cost=replace(VELA, **cost),
    )
    return replace(good, **changes)


def pose(**changes: Any) -> Facts:
    order = changes.pop("order", POSE.order)
    keypoints = changes.pop("keypoints", (17, 3))
    made = seven(order, keypoints[0] * keypoints[1])
    return facts(outputs=made, classes=1, keypoints=keypoints, **changes)


def decoded(*shape: int, **changes: Any) -> Facts:
    """One decoded output, with the logits it was made of, for a board without an NPU."""
    scale = changes.pop("scale", 1 / 255)
    one = tensor(*(shape or (1, 14, N)), scales=(scale,), zero_points=(-128,))
    changes.setdefault("logits", LOGITS)
    plain = facts(outputs=(one,), operators={"CONV_2D": 9, "LOGISTIC": 9}, payloads=(), cost=TFLM)
    return replace(plain, **changes)


def results(found: Facts, kind: str, rules: Rules = GROVE) -> list[str]:
    return [line.rule for line in judge(rules, found) if line.result == kind]
