"""The board's memory system in the form that the vela compiler reads.

Vela ignores keys that it does not know and takes defaults for those it misses, so a slip of the
pen would give a wrong estimate in silence; `faults` finds it. Key names: vela 5.2,
`architecture_features.py` and OPTIONS.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

Scalar = bool | int | float | str | None

MEMORIES = ("Sram", "Dram", "OnChipFlash", "OffChipFlash")
PORTS = ("Axi0", "Axi1")
SYSTEM_CHOICES = {"axi0_port": MEMORIES, "axi1_port": MEMORIES}
SYSTEM_NUMBERS = {
    f"{memory}_{figure}": lowest
    for memory in MEMORIES
    for figure, lowest in (
        ("clock_scale", 1e-9),
        ("burst_length", 1),
        ("read_latency", 0),
        ("write_latency", 0),
    )
}
MODE_CHOICES = {"const_mem_area": PORTS, "arena_mem_area": PORTS, "cache_mem_area": PORTS}
MODE_NUMBERS = {"arena_cache_size": 1.0}


def vela_ini(
    system_config: str,
    memory_mode: str,
    core_clock: float,
    system: Mapping[str, Scalar],
    memory: Mapping[str, Scalar],
) -> str:
    """The text of a configuration file with one system and one memory section.

    `core_clock` is in Hz; keys of `system` and `memory` are vela's own, in the order given.
    """
    sections = (
        (f"System_Config.{system_config}", {"core_clock": core_clock, **system}),
        (f"Memory_Mode.{memory_mode}", memory),
    )
    blocks = [
        f"[{title}]\n" + "".join(f"{key}={value}\n" for key, value in values.items())
        for title, values in sections
    ]
    return "\n".join(blocks)


def faults(system: Mapping[str, Scalar], memory: Mapping[str, Scalar]) -> list[str]:
    """What vela would misread: a sentence for each key that is unknown, missing or out of range."""
    return [
        *_section("system", system, SYSTEM_CHOICES, SYSTEM_NUMBERS),
        *_section("memory", memory, MODE_CHOICES, MODE_NUMBERS),
    ]


def _section(
    section: str,
    values: Mapping[str, Scalar],
    choices: Mapping[str, tuple[str, ...]],
    numbers: Mapping[str, float],
) -> Iterator[str]:
    for key in choices.keys() - values.keys():
        yield f"{section}.{key} is missing; it is one of {', '.join(choices[key])}"
    for key, value in values.items():
        if key in choices:
            if value not in choices[key]:
                yield f"{section}.{key}={value}: it is one of {', '.join(choices[key])}"
        elif key in numbers:
            if not isinstance(value, int | float) or value < numbers[key]:
                yield f"{section}.{key}={value}: it is a number from {numbers[key]:g}"
        else:
            known = ", ".join((*choices, *numbers))
            yield f"{section}.{key}: vela knows no such key; there are {known}"
