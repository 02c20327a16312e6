"""Writes the board's memory system in the form that the vela compiler reads."""

from __future__ import annotations

from collections.abc import Mapping

Scalar = bool | int | float | str | None


def vela_ini(
    system_config: str,
    memory_mode: str,
    core_clock: float,
    system: Mapping[str, Scalar],
    memory: Mapping[str, Scalar],
) -> str:
    """The text of a configuration file with one system and one memory section.

    `core_clock` is in Hz; keys of `system` and `memory` are vela's own (its OPTIONS.md), in
    the order given.
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
