"""Rules on what runs where: operators, NPU placement, NPU driver, compiler."""

from __future__ import annotations

from collections.abc import Iterator

from vision.contract import Facts, Line, Npu, Rules, line
from vision.npu_payload import Payload


def operator_rules(rules: Rules, facts: Facts) -> Iterator[Line]:
    """What is left to the processor must be registered in the firmware."""
    strange = sorted(set(facts.model.operators) - set(rules.operators))
    yield line(
        "operators",
        not strange,
        ", ".join(strange or sorted(facts.model.operators)),
        "only what the firmware registers",
        "replace these operators in the network, or the layers that make them",
        key="contract.operators",
    )


def npu_rules(rules: Rules, facts: Facts) -> Iterator[Line]:
    """Placement, the driver's payload and the compiler's version, where there is an NPU."""
    if rules.npu is None:
        return
    percent = facts.cost.npu_percent or 0
    yield line(
        "NPU placement",
        percent >= rules.npu.min_percent,
        f"{percent:g} %",
        f"at least {rules.npu.min_percent:g} %",
        "see the operators vela left on the processor (cpu in vela.json) and replace them",
        key="vela.min_npu_percent",
    )
    remedy = "compile with target.vela.accelerator of this board and a proven vela"
    key = "vela.payload"
    if not facts.payloads:
        yield line("NPU payload", False, "no NPU operator", "one", remedy, key=key)
    for payload in facts.payloads:
        if payload is None:
            yield line("NPU payload", False, "unreadable", "readable", remedy, key=key)
        else:
            yield from _payload(rules.npu, payload, remedy)
    yield _compiler(rules.npu, facts.cost.version)


def _payload(npu: Npu, payload: Payload, remedy: str) -> Iterator[Line]:
    """What the NPU's driver compares with the hardware before it runs."""
    fourcc = payload.fourcc
    key = "vela.payload.fourcc"
    yield line("NPU payload", fourcc == npu.fourcc, fourcc, npu.fourcc, remedy, key=key)
    yield line(
        "NPU configuration",
        payload.config == npu.config,
        f"{payload.config:#x}",
        f"{npu.config:#x}",
        remedy,
        key="vela.payload.config",
    )
    major, minor = (int(part) for part in npu.arch.split(".")[:2])
    yield line(
        "NPU architecture",
        payload.arch[0] == major and payload.arch[1] <= minor,
        ".".join(map(str, payload.arch)),
        f"{major}.{minor} or an earlier minor",
        remedy,
        key="vela.payload.arch",
    )


def _compiler(npu: Npu, version: str) -> Line:
    """Whether people have run files of this vela on the board."""
    return line(
        "vela version",
        version in npu.proven,
        version,
        f"proven on the board: {', '.join(npu.proven) or 'none yet'}",
        "its payload passed the rules above; if the board refuses the file, lock a proven version "
        "in toolchains/vela.in and tell us",
        key="vela.proven",
        otherwise="warn",
    )
