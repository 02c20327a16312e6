import struct

import pytest

from vision.npu_payload import Payload, read_payload


def words(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}I", *values)


def test_the_header_of_vela_5_2() -> None:
    header = b"COP1" + words(0x00100001, 0x1006, 0x10060000, 5, 5, 0x00020002, 0, 0)
    assert read_payload(header) == Payload("COP1", 0x1006, (1, 0, 6))


def test_idle_actions_may_come_first() -> None:
    assert read_payload(b"COP1" + words(5, 5, 1, 7, 0x20110000, 0)).arch == (2, 1, 1)


@pytest.mark.parametrize("data", [b"", b"COP1", b"COP1" + words(2, 1, 2, 3), b"abc"])
def test_a_header_without_configuration_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="states no configuration"):
        read_payload(data)
