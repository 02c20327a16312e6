"""Rules on what runs where: operators, NPU placement, NPU driver, compiler."""

from __future__ import annotations

from collections.abc import Iterator

from vision.contract import Facts, Line, Npu, Rules, line, unproven
from vision.npu_payload import Payload
from vision.tflite_file import NPU

COMPILE = "vela compiles what is int8 throughout; build such a file, it is then compiled here"


def operator_rules(rules: Rules, facts: Facts) -> Iterator[Line]:
    """What is left to the processor must be registered in the firmware."""
    if rules.npu is not None and not facts.payloads:
        return  # not compiled, which is a fault of its own: all of it is left to the processor
    strange = sorted(set(facts.model.operators) - set(rules.operators))
    remedy = "replace these operators in the network, or the layers that make them"
    if NPU in strange:
        remedy = "this file was compiled for an NPU; give the int8 file that it was compiled from"
    yield line(
        "operators",
        not strange,
        ", ".join(strange or sorted(facts.model.operators)),
        "only what the firmware registers",
        remedy,
        key="contract.operators",
    )


def npu_rules(rules: Rules, facts: Facts) -> Iterator[Line]:
    """Placement, the driver's payload and the compiler's version, where there is an NPU."""
    if rules.npu is None:
        return
    remedy = "compile with target.vela.accelerator of this board and a proven vela"
    key = "vela.payload"
    if not facts.payloads:
        found = "no operator for the NPU: it is not compiled"
        yield line("NPU payload", False, found, "one", COMPILE, key=key)
        return
    yield _placement(rules.npu, facts)
    for payload in facts.payloads:
        if payload is None:
            yield line("NPU payload", False, "unreadable", "readable", remedy, key=key)
        else:
            yield from _payload(rules.npu, payload, remedy)
    yield _compiler(rules.npu, facts.cost.version)


def _placement(npu: Npu, facts: Facts) -> Line:
    """Of a file that was compiled elsewhere only what is left on the processor can be counted."""
    rule, key = "NPU placement", "vela.min_npu_percent"
    percent, left = facts.cost.npu_percent, set(facts.model.operators) - {NPU}
    demanded = f"at least {npu.min_percent:g} %"
    if percent is None and npu.min_percent < 100:
        why = (
            "what the NPU runs is hidden in its commands; give the int8 file that this one was "
            "compiled from, and it is compiled and counted here"
        )
        found = f"on the processor: {', '.join(sorted(left))}"
        return unproven(rule, found, demanded, why, key=key)
    told = f"on the processor: {', '.join(sorted(left))}" if percent is None else f"{percent:g} %"
    return line(
        rule,
        percent is not None and percent >= npu.min_percent,
        told,
        demanded,
        "see the operators vela left on the processor (cpu in vela.json) and replace them",
        key=key,
    )


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
    demanded, key = f"proven on the board: {', '.join(npu.proven) or 'none yet'}", "vela.proven"
    if not version:
        why = "the file does not name the vela that compiled it; whoever compiled it knows"
        return unproven("vela version", "not in the file", demanded, why, key=key)
    return line(
        "vela version",
        version in npu.proven,
        version,
        demanded,
        "its payload passed the rules above; if the board refuses the file, lock a proven version "
        "in toolchains/vela.in and tell us",
        key=key,
        otherwise="warn",
    )
