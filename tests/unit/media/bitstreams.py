"""Bare streams by hand, out of fields of bits as the standards write them."""

Field = tuple[int, int]
"""A number, and in how many bits it stands."""


def packed(*fields: Field) -> bytes:
    """Fields one after another, filled up with zeros to whole bytes."""
    bits = "".join(f"{value:0{count}b}" for value, count in fields if count)
    return int((bits + "0" * (-len(bits) % 8)) or "0", 2).to_bytes((len(bits) + 7) // 8, "big")


def ue(number: int) -> Field:
    """An unsigned Exp-Golomb number."""
    return number + 1, 2 * (number + 1).bit_length() - 1


def se(number: int) -> Field:
    """A signed Exp-Golomb number."""
    return ue(2 * number - 1 if number > 0 else -2 * number)


def unit(content: bytes) -> bytes:
    """Behind a start code."""
    return b"\0\0\1" + content


# --- MPEG-1 and MPEG-2 video ---


def sequence(code: int = 3) -> bytes:
    return unit(b"\xb3" + packed((320, 12), (180, 12), (1, 4), (code, 4), (0, 18), (1, 1), (112, 10), (0, 3)))


def sequence_extension(numerator: int = 0, denominator: int = 0) -> bytes:
    fields = ((1, 4), (0x48, 8), (0, 1), (1, 2), (0, 4), (0, 12), (1, 1), (0, 8), (0, 1), (numerator, 2), (denominator, 5))
    return unit(b"\xb5" + packed(*fields))


def group(*, closed: bool = False) -> bytes:
    return unit(b"\xb8" + packed((0, 25), (int(closed), 1), (0, 6)))


def picture(kind: str, place: int) -> bytes:
    """A picture header of MPEG-1 or MPEG-2; `place`: temporal_reference."""
    return unit(b"\0" + packed((place, 10), ("-IPB".index(kind), 3), (0xFFFF, 16), (0, 3))) + unit(b"\1" + bytes(9))


def coding_extension(structure: int = 3, *, repeat: bool = False) -> bytes:
    fields = ((8, 4), (0xFFFF, 16), (0, 2), (structure, 2), (0, 6), (int(repeat), 1), (1, 1), (1, 1))
    return unit(b"\xb5" + packed(*fields))


def frame(kind: str, place: int, structure: int = 3, *, repeat: bool = False) -> bytes:
    """A picture of MPEG-2."""
    header = unit(b"\0" + packed((place, 10), ("-IPB".index(kind), 3), (0xFFFF, 16), (0, 3)))
    return header + coding_extension(structure, repeat=repeat) + unit(b"\1" + bytes(9))


# --- H.264 ---

HRD = (ue(1), (0x11, 8), ue(9), ue(9), (1, 1), ue(9), ue(9), (0, 1), (23, 5), (9, 5), (4, 5), (24, 5))
"""Two buffers; delays of 10 and 5 bits."""

UNDESCRIBED = ((0, 1), (0, 1), (0, 1), (0, 1))
DESCRIBED = (
    (1, 1), (255, 8), (4, 16), (3, 16), (1, 1), (0, 1), (1, 1), (5, 3), (0, 1), (1, 1), (1, 8), (1, 8), (1, 8), (1, 1), ue(0),
    ue(0),
)  # fmt: skip
"""Pixel aspect, overscan, colours, chroma's place."""

PARTLY = ((1, 1), (1, 8), (0, 1), (1, 1), (5, 3), (0, 1), (0, 1), (0, 1))
"""A pixel aspect by number, no colours."""


def escaped(content: bytes) -> bytes:
    """A NAL unit's content with the bytes that keep start codes out of it."""
    out = bytearray()
    for byte in content:
        if byte <= 3 and out[-2:] == b"\0\0":
            out.append(3)
        out.append(byte)
    return bytes(out)


def avc_set(  # noqa: PLR0913 - a standard's fields, each of which a test may vary
    ticks: tuple[int, int] | None = (1, 50),
    *,
    profile: int = 77,
    fields: bool = False,
    order: tuple[Field, ...] = (ue(0), ue(2)),
    skips: bool = False,
    description: tuple[Field, ...] = UNDESCRIBED,
    buffered: int = 0,
    structured: bool = False,
    cropped: bool = True,
    chroma: tuple[Field, ...] = (ue(1), ue(0), ue(0), (0, 1), (0, 1)),
) -> bytes:
    """A sequence parameter set. frame_num has 4 bits; `order`: by default pic_order_cnt_lsb of 6; `buffered`: how many HRDs."""
    usability = description
    usability += ((0, 1),) if ticks is None else ((1, 1), (ticks[0], 32), (ticks[1], 32), (0, 1))
    for number in range(2):
        usability += ((1, 1), *HRD) if number < buffered else ((0, 1),)
    usability += ((0, 1),) if buffered else ()
    usability += ((int(structured), 1), (0, 1))
    crop: tuple[Field, ...] = ((1, 1), ue(0), ue(0), ue(0), ue(2)) if cropped else ((0, 1),)
    fields_of_set = (
        (profile, 8), (0, 8), (40, 8), ue(0), *(chroma if profile == 100 else ()), ue(0), *order, ue(4), (int(skips), 1), ue(19),
        ue(11), *(((0, 1), (1, 1)) if fields else ((1, 1),)), (1, 1), *crop, (1, 1), *usability,
        (1, 1),
    )  # fmt: skip
    return unit(b"\x67" + escaped(packed(*fields_of_set)))


def avc_picture(
    number: int, place: int | None = None, *, idr: bool = False, reference: bool = True, field: int | None = None
) -> bytes:
    """The first slice of a picture, and a second one. `field`: 0 for a frame where there may be fields, 1 top, 2 bottom."""
    header = (0x65 if idr else 0x41 if reference else 0x01).to_bytes(1, "big")
    structure: tuple[Field, ...] = () if field is None else ((0, 1),) if field == 0 else ((1, 1), (field - 1, 1))
    fields = (
        ue(0), ue(7), ue(0), (number, 4), *structure, *((ue(0),) if idr else ()), *(() if place is None else ((place, 6),)),
        (0x5A5A, 16),
    )  # fmt: skip
    return unit(header + escaped(packed(*fields))) + unit(header + packed(ue(60), (0x5A5A, 16)))


def avc_message(structure: int, delays: int = 15) -> bytes:
    """A supplemental unit: user data of 300 bytes, then picture timing."""
    timing = packed((0, delays), (structure, 4), (1, 1))
    return unit(b"\x06" + escaped(b"\x05\xff\x2d" + b"u" * 300 + b"\x01" + bytes([len(timing)]) + timing + b"\x80"))


# --- H.265 ---

PROFILE = ((1, 8), (0x60000000, 32), (0, 48), (93, 8))


def layered(layers: int) -> tuple[Field, ...]:
    """A profile for `layers` beside the highest, the first of them with its own profile and level."""
    if not layers:
        return PROFILE
    flags = [(3 if number == 0 else 0, 2) for number in range(8)]
    return (*PROFILE, *flags, (0, 88), (0, 8))


def hevc_video_set(ticks: tuple[int, int] | None = None, layers: int = 0) -> bytes:
    fields = [(0, 4), (3, 2), (0, 6), (layers, 3), (1, 1), (0xFFFF, 16), *layered(layers), (1, 1)]
    fields += 3 * (layers + 1) * [ue(1)]
    fields += [(1, 6), ue(1), (0, 2), *(((0, 1),) if ticks is None else ((1, 1), (ticks[0], 32), (ticks[1], 32))), (1, 1)]
    return unit(b"\x40\x01" + escaped(packed(*fields)))


SETS = (ue(3), ue(1), ue(1), ue(0), (1, 1), ue(0), (1, 1), (1, 1), (0, 1), ue(0), (1, 1), (0, 1), (1, 1), (0, 1), (0, 1),
        (0, 1), ue(0), ue(1), ue(0), (1, 1))  # fmt: skip
"""Reference sets: one of its own, one told by it (a picture kept, one not used but kept, one dropped), one of its own."""


def hevc_lists() -> list[Field]:
    """Scaling lists: the first of each size as one before, the others by value."""
    fields: list[Field] = []
    for size in range(4):
        for number in range(2 if size == 3 else 6):
            if number == 0:
                fields += [(0, 1), ue(0)]
            else:
                fields += [(1, 1), *([se(-3)] if size > 1 else []), *(min(64, 16 << 2 * size) * [se(1)])]
    return fields


def hevc_set(
    ticks: tuple[int, int] | None = (1, 25),
    *,
    layers: int = 0,
    separate: bool = False,
    full: bool = False,
    fields: bool = False,
    structured: bool = False,
    usability: bool = True,
) -> bytes:
    """A sequence parameter set, slice_pic_order_cnt_lsb of 4 bits; `full`: with everything that may be in one."""
    parts = [(0, 4), (layers, 3), (1, 1), *layered(layers), ue(0), *((ue(3), (int(separate), 1)) if separate else (ue(1),))]
    parts += [ue(320), ue(180), *(((1, 1), ue(0), ue(0), ue(0), ue(2)) if full else ((0, 1),)), ue(0), ue(0), ue(0), (0, 1)]
    parts += [ue(4), ue(2), ue(5), ue(0), ue(3), ue(0), ue(3), ue(0), ue(0)]
    parts += [(1, 1), (1, 1), *hevc_lists()] if full else [(0, 1)]
    parts += [(2, 2), *(((1, 1), (0x77, 8), ue(0), ue(1), (0, 1)) if full else ((0, 1),))]
    parts += [*SETS, (1, 1), ue(2), (9, 5), (8, 5)] if full else [ue(0), (0, 1)]
    parts += [(3, 2), (int(usability), 1)]
    if usability:
        parts += DESCRIBED if full else UNDESCRIBED
        parts += [(0, 1), (int(fields), 1), (int(structured), 1)]
        parts += [(1, 1), ue(0), ue(0), ue(0), ue(0)] if full else [(0, 1)]
        parts += [(0, 1)] if ticks is None else [(1, 1), (ticks[0], 32), (ticks[1], 32), (0, 1)]
    return unit(b"\x42\x01" + escaped(packed(*parts, (0, 8), (1, 1))))


def hevc_picture_set(number: int = 0, *, hides: bool = False, extra: int = 0) -> bytes:
    return unit(b"\x44\x01" + packed(ue(number), ue(0), (0, 1), (int(hides), 1), (extra, 3), (1, 1)))


def hevc_picture(kind: int, place: int, *, layer: int = 1, described_by: int = 0, extra: int = 0) -> bytes:
    """The first slice segment of a picture, and a second one. `kind`: nal_unit_type; `layer`: its temporal one, from 1."""
    header = bytes([kind << 1, layer])
    fields = [(1, 1), *(((0, 1),) if 16 <= kind <= 23 else ()), ue(described_by), (0, extra), ue(1)]
    fields += [] if kind in {19, 20} else [(place, 4)]
    return unit(header + escaped(packed(*fields, (0x5A5A, 16)))) + unit(header + packed((0, 1), (0x5A5A, 16)))


def hevc_message(structure: int) -> bytes:
    return unit(b"\x4e\x01" + b"\x81\x02\xaa\xaa" + b"\x01\x01" + packed((structure, 4)) + b"\x80")
