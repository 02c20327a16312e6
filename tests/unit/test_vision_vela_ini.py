from typing import Any

from stage_configs import config

from vision.vela_ini import faults, vela_ini

TARGET: Any = config().target
GROVE = TARGET.vela.ini


def test_the_file_holds_both_sections_in_the_order_given() -> None:
    text = vela_ini("Sys", "Mode", 400e6, {"axi0_port": "Sram", "Sram_clock_scale": 1.0}, {"x": 1})
    assert text == (
        "[System_Config.Sys]\ncore_clock=400000000.0\naxi0_port=Sram\nSram_clock_scale=1.0\n"
        "\n[Memory_Mode.Mode]\nx=1\n"
    )


def test_the_boards_own_values_have_no_fault() -> None:
    assert faults(GROVE.system, GROVE.memory) == []


def test_every_slip_that_vela_would_swallow_is_named() -> None:
    system = {**GROVE.system, "Sram_clok": 1, "axi0_port": "Foo", "Dram_clock_scale": -1}
    memory = {"const_mem_area": "Axi7", "arena_mem_area": "Axi0"}
    found = "\n".join(sorted(faults(system, memory)))
    assert "system.Sram_clok: vela knows no such key" in found
    assert "system.axi0_port=Foo: it is one of Sram" in found
    assert "system.Dram_clock_scale=-1: it is a number from" in found
    assert "memory.const_mem_area=Axi7: it is one of Axi0, Axi1" in found
    assert "memory.cache_mem_area is missing" in found


def test_a_number_written_as_text_is_a_fault() -> None:
    found = faults({**GROVE.system, "Sram_clock_scale": "abc"}, GROVE.memory)
    assert found == ["system.Sram_clock_scale=abc: it is a number from 1e-09"]
