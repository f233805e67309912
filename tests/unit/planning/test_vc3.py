import pytest

from proxx_worker.planning.vc3 import COLOR_VOLUME_AT, HEADER_BYTES, bt2020_color_volume


def dnxhr(volume: int, *, compression: int = 1274, version: int = 3) -> bytes:
    """What a frame begins with, up to and with the byte `volume`."""
    head = bytes.fromhex("00000280") + bytes([version]) + bytes(0x23) + compression.to_bytes(4)
    return head + bytes([volume])


@pytest.mark.parametrize(("before", "after"), [(0, 2), (0b100, 2), (0b110, 2), (2, 2), (0b1000_0001, 0b1000_0011)])
def test_only_the_color_volume_changes(before: int, after: int) -> None:
    header = dnxhr(before)
    assert (len(header), header[COLOR_VOLUME_AT]) == (HEADER_BYTES, before)
    assert bt2020_color_volume(header) == bytes([after])


@pytest.mark.parametrize("compression", range(1270, 1275))
def test_every_kind_of_dnxhr_has_it(compression: int) -> None:
    assert bt2020_color_volume(dnxhr(0, compression=compression)) == b"\2"


@pytest.mark.parametrize(
    "header", [b"", dnxhr(0)[:-1], dnxhr(0, compression=1269), dnxhr(0, compression=1275), dnxhr(0, version=1)]
)
def test_anything_else_is_refused(header: bytes) -> None:
    with pytest.raises(ValueError, match=f"begins with {header[:5].hex()}, which is not DNxHR"):
        bt2020_color_volume(header)
