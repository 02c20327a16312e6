"""Rules on what runs where and whether it fits: operators, NPU driver, memory, compiler."""

from __future__ import annotations

from collections.abc import Iterator

from vision.contract import Facts, Line, Rules, line


def operator_rules(rules: Rules, facts: Facts) -> Iterator[Line]:
    """What the compiler leaves to the processor must be registered in the firmware."""
    strange = sorted(set(facts.model.operators) - set(rules.operators))
    remedy = "replace these operators in the network, or the layers that make them"
    yield line(
        "operators",
        not strange,
        ", ".join(strange or sorted(facts.model.operators)),
        "only what the firmware registers",
        remedy,
        key="contract.operators",
    )
    enough = facts.npu_percent >= rules.min_npu_percent
    yield line(
        "NPU placement",
        enough,
        f"{facts.npu_percent:g} %",
        f"at least {rules.min_npu_percent:g} %",
        "see the operators vela left on the processor (cpu in vela.json) and replace them",
        key="contract.min_npu_percent",
    )


def payload_rules(rules: Rules, facts: Facts) -> Iterator[Line]:
    """What the NPU's driver compares with the hardware before it runs."""
    remedy = "compile with target.vela.accelerator of this board and a proven vela"
    many = len(facts.payloads)
    if not many:
        yield line("NPU payload", False, "no NPU operator", "one", remedy, key="vela")
    for payload in facts.payloads:
        if payload is None:
            yield line("NPU payload", False, "unreadable", "readable", remedy, key="vela")
            continue
        fourcc = payload.fourcc
        yield line(
            "NPU payload",
            fourcc == rules.npu_fourcc,
            fourcc,
            rules.npu_fourcc,
            remedy,
            key="contract.npu_fourcc",
        )
        yield line(
            "NPU configuration",
            payload.config == rules.npu_config,
            f"{payload.config:#x}",
            f"{rules.npu_config:#x}",
            remedy,
            key="contract.npu_config",
        )
        major, minor = (int(part) for part in rules.npu_arch.split(".")[:2])
        yield line(
            "NPU architecture",
            payload.arch[0] == major and payload.arch[1] <= minor,
            ".".join(map(str, payload.arch)),
            f"{major}.{minor} or an earlier minor",
            remedy,
            key="contract.npu_arch",
        )


def memory_rules(rules: Rules, facts: Facts) -> Iterator[Line]:
    """Vela never fails for want of memory; the board does."""
    smaller = "reduce model.imgsz or take a smaller model"
    yield line(
        "SRAM",
        facts.sram_bytes <= rules.sram_bytes,
        f"{facts.sram_bytes} bytes",
        f"at most {rules.sram_bytes} bytes",
        smaller,
        key="memory.sram_bytes",
    )
    size = facts.file_bytes
    yield line(
        "flash",
        size <= rules.flash_bytes,
        f"{size} bytes",
        f"at most {rules.flash_bytes} bytes",
        "take a smaller model",
        key="memory.flash_bytes",
    )
    yield line(
        "flash slot",
        size <= rules.flash_slot_bytes,
        f"{size} bytes",
        f"at most {rules.flash_slot_bytes} bytes for a neighbour in the next slot",
        "put this model into the first slot and leave the next ones empty",
        key="memory.flash_slot_bytes",
        otherwise="warn",
    )


def compiler_version(rules: Rules, facts: Facts) -> Iterator[Line]:
    """Whether people have run files of this vela on the board."""
    yield line(
        "vela version",
        facts.vela in rules.vela_proven,
        facts.vela,
        f"proven on the board: {', '.join(rules.vela_proven)}",
        "its payload passed the rules above; if the board refuses the file, lock a proven version "
        "in toolchains/vela.in and tell us",
        key="vela.proven",
        otherwise="warn",
    )
