import struct
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.media.quicktime import avid_pixel_aspect, refuse_external_media, refuse_protected

SELF, ELSEWHERE = 1, 0


def box(kind: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def long_box(kind: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I4sQ", 1, kind, 16 + len(body)) + body


def reference(kind: bytes, flags: int, location: bytes = b"") -> bytes:
    return box(kind, struct.pack(">I", flags), location)


def track(*references: bytes) -> bytes:
    table = box(b"dref", struct.pack(">II", 0, len(references)), *references)
    return box(b"trak", box(b"tkhd", b"\0" * 84), box(b"mdia", box(b"minf", box(b"vmhd"), box(b"dinf", table))))


def movie(*tracks: bytes) -> bytes:
    return box(b"ftyp", b"qt  ") + box(b"mdat", b"\0" * 50) + box(b"moov", box(b"mvhd", b"\0" * 100), *tracks)


def check(content: bytes) -> None:
    refuse_external_media(lambda offset, size: content[offset : offset + size], len(content))


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (movie(track(reference(b"alis", ELSEWHERE, b"\0\1\2\3"))), "(alis)"),
        (movie(track(reference(b"url ", ELSEWHERE, b"file:///etc/passwd\0"))), "(url  file:///etc/passwd)"),
        (movie(track(reference(b"url ", ELSEWHERE, b"http://h/\x1b[31m\0"))), "(url  http://h/\\x1b[31m)"),
        (movie(track(reference(b"url ", SELF)), track(reference(b"url ", SELF), reference(b"rsrc", ELSEWHERE, b"x"))), "(rsrc)"),
        (box(b"ftyp") + long_box(b"mdat", b"\0" * 9) + long_box(b"moov", track(reference(b"alis", ELSEWHERE, b"x"))), "(alis)"),
        (box(b"ftyp") + struct.pack(">I4s", 0, b"moov") + track(reference(b"alis", ELSEWHERE, b"x")), "(alis)"),
    ],
)
def test_media_in_another_file_is_refused(content: bytes, named: str) -> None:
    with pytest.raises(ProxxError) as refusal:
        check(content)
    assert refusal.value.code is ErrorCode.SOURCE_UNSUPPORTED
    assert named in refusal.value.error.message


@pytest.mark.parametrize(
    "content",
    [
        movie(track(reference(b"url ", SELF))),
        movie(track(reference(b"alis", SELF, b"\0\1\2\3"))),
        movie(track(reference(b"url ", ELSEWHERE))),  # careless, but FFmpeg takes it for this file too
        movie(track(reference(b"url ", ELSEWHERE, b"\0\0"))),
        movie(track()),
        movie(),
        b"",
        b"no boxes at all, but a text that is longer than a header",
        b"\0\0\0\x08\xff\xff\xff\xffmoov",
        struct.pack(">I4s", 4, b"moov"),
        struct.pack(">I4sQ", 1, b"moov", 3),
        struct.pack(">I4s", 1, b"moov") + b"\0" * 4,
    ],
)
def test_what_lies_in_the_file_itself_passes(content: bytes) -> None:
    check(content)


def test_a_table_that_lies_about_its_entries_comes_to_an_end() -> None:
    lying = box(b"dref", struct.pack(">II", 0, 9), struct.pack(">I4sI", 0, b"alis", 0), b"\0" * 40)
    check(movie(box(b"trak", box(b"mdia", box(b"minf", box(b"dinf", lying))))))


def test_a_hostile_number_of_boxes_is_looked_at_up_to_a_bound() -> None:
    reads = 0
    content = box(b"free") * 50_000 + movie(track(reference(b"alis", ELSEWHERE, b"x")))

    def read(offset: int, size: int) -> bytes:
        nonlocal reads
        reads += 1
        return content[offset : offset + size]

    refuse_external_media(read, len(content))
    assert reads == 10_000


@given(st.binary(max_size=200), st.integers(0, 199))
def test_a_damaged_movie_is_refused_or_passes(noise: bytes, place: int) -> None:
    whole = movie(track(reference(b"alis", ELSEWHERE, b"x")))
    try:
        check(whole[:place] + noise + whole[place:])
    except ProxxError as refusal:
        assert refusal.code is ErrorCode.SOURCE_UNSUPPORTED  # noqa: PT017 - passing is as good


def described(kind: bytes, *extensions: bytes) -> bytes:
    """A track whose one sample description is a picture of `kind`."""
    table = box(b"stsd", struct.pack(">II", 0, 1), box(kind, b"\0" * 78, *extensions))
    return box(b"trak", box(b"mdia", box(b"minf", box(b"stbl", table))))


SQUARE, THIN = box(b"pasp", struct.pack(">II", 1, 1)), box(b"pasp", struct.pack(">II", 4, 3))
ARES = box(b"ARES", b"ARES0001", bytes(100))


@pytest.mark.parametrize(
    ("content", "aspect"),
    [
        (movie(described(b"AVdn", ARES, THIN)), Fraction(4, 3)),
        (movie(described(b"mp4a", THIN), described(b"AVd1", SQUARE)), Fraction(1)),
        (movie(described(b"AVj2", ARES, struct.pack(">I", 0))), None),  # no pasp, and QuickTime's four zeros at the end
        (movie(described(b"AVdn", box(b"pasp", struct.pack(">II", 4, 0)))), None),
        (movie(described(b"AVdn", box(b"pasp", b"\0\0"))), None),
        (movie(described(b"avc1", THIN)), None),  # FFmpeg reads it right
        (movie(track(reference(b"url ", SELF))), None),
        (b"", None),
    ],
)
def test_the_pixel_aspect_of_avid_s_codecs_is_what_pasp_says(content: bytes, aspect: Fraction | None) -> None:
    assert avid_pixel_aspect(lambda offset, size: content[offset : offset + size], len(content)) == aspect


@pytest.mark.parametrize("kind", [b"encv", b"enca"])
def test_an_encrypted_track_is_refused(kind: bytes) -> None:
    content = movie(described(b"avc1"), described(kind, box(b"sinf", box(b"frma", b"avc1"))))
    with pytest.raises(ProxxError, match=f"encrypted \\({kind.decode()}\\)") as refusal:
        refuse_protected(lambda offset, size: content[offset : offset + size], len(content))
    assert refusal.value.code is ErrorCode.SOURCE_UNSUPPORTED


@pytest.mark.parametrize("content", [movie(described(b"avc1", THIN), described(b"mp4a")), movie(track()), b"", b"encv" * 40])
def test_what_is_not_encrypted_passes(content: bytes) -> None:
    refuse_protected(lambda offset, size: content[offset : offset + size], len(content))
