"""Bare streams by hand, out of fields of bits as the standards write them."""

Field = tuple[int, int]
"""A number, and in how many bits it stands."""


def packed(*fields: Field) -> bytes:
    """Fields one after another, filled up with zeros to whole bytes."""
    bits = "".join(f"{value:0{count}b}" for value, count in fields)
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
