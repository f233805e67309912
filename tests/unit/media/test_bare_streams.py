"""What bare streams' own headers make of their facts, and of which none are taken."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.media.bare_streams import numbered_by_order
from proxx_worker.media.facts import MediaFacts, RawSource
from tests.unit.media import bitstreams as made
from tests.unit.planning.sources import CLIP, clip

MPEG_2 = made.sequence(2) + made.sequence_extension() + made.group()
H264 = made.avc_set((1001, 60000)) + made.avc_picture(0, 0, idr=True)


def bare(demuxer: str, codec: str) -> MediaFacts:
    """As ffprobe tells of such a stream: 25 that nobody said, ticks of a 1200000th, no start, no length."""
    said = clip(codec=codec, rate=Fraction(25), time_base=Fraction(1, 1_200_000), start=None, duration=None, frames=None)
    return replace(said, formats=(demuxer,), audio=(), start=None, duration=None, notes=("a note",))


def reader(content: bytes) -> Callable[[int, int], bytes]:
    return lambda offset, size: content[offset : offset + size]


def numbered(demuxer: str, codec: str, content: bytes) -> MediaFacts:
    found = numbered_by_order(bare(demuxer, codec), reader(content))
    assert isinstance(found, MediaFacts)
    return found


def refusal(demuxer: str, codec: str, content: bytes) -> ProxxError:
    with pytest.raises(ProxxError) as caught:
        numbered(demuxer, codec, content)
    return caught.value


@pytest.mark.parametrize(
    ("demuxer", "codec", "content", "rate", "frames", "note"),
    [
        ("mpegvideo", "mpeg2video", MPEG_2 + made.frame("I", 0), Fraction(24), 1, "a bare MPEG-2 stream: its frames"),
        ("mpegvideo", "mpeg1video", made.sequence() + made.picture("I", 0), Fraction(25), 1, "a bare MPEG-1 stream: its frames"),
        (
            "h264",
            "h264",
            H264 + made.avc_picture(1, 2),
            Fraction(30000, 1001),
            2,
            "as 30000/1001 frames per second, as its parameter",
        ),
    ],
)
def test_frames_have_the_rate_that_the_stream_says(
    demuxer: str, codec: str, content: bytes, rate: Fraction, frames: int, note: str
) -> None:
    found = numbered(demuxer, codec, content)
    said = bare(demuxer, codec)
    assert found == replace(
        said,
        video=replace(
            said.video, rate=rate, average_rate=None, constant_rate=True, time_base=1 / rate, start=Fraction(0),
            duration=frames / rate, frames=frames, frames_certain=True,
        ),
        start=Fraction(0),
        duration=frames / rate,
        notes=("a note", found.notes[1]),
    )  # fmt: skip
    assert note in found.notes[1]
    assert "states no duration" in found.notes[1]


def test_pictures_that_are_left_out_are_noted() -> None:
    found = numbered("mpegvideo", "mpeg2video", MPEG_2 + made.frame("I", 1) + made.frame("B", 0))
    assert found.video.promised_frames == 1
    assert found.notes[2] == "frames left out at the beginning: 1; they depend on others that are not in the stream"


@pytest.mark.parametrize(
    ("demuxer", "codec", "content", "said"),
    [
        ("mpegvideo", "mpeg2video", made.sequence(0) + made.picture("I", 0), "a bare MPEG-2 stream without a rate"),
        ("h264", "h264", made.avc_set(None) + made.avc_picture(0, 0, idr=True), "a bare H.264 stream without a rate"),
        ("h264", "h264", made.avc_set((1, 2000)), "a bare H.264 stream without a rate"),  # ticks of a millisecond
        ("h264", "h264", made.avc_set((3, 4)), "a bare H.264 stream without a rate"),
    ],
)
def test_without_a_rate_the_remedy_is_told(demuxer: str, codec: str, content: bytes, said: str) -> None:
    error = refusal(demuxer, codec, content)
    assert error.code is ErrorCode.SOURCE_UNSUPPORTED
    assert f"{said}; wrap it in mov or mp4 at its rate" in error.error.message


@pytest.mark.parametrize("rate", [1, 240])
def test_rates_of_cameras_are_rates(rate: int) -> None:
    assert numbered("h264", "h264", made.avc_set((1, 2 * rate))).video.rate == rate


def test_what_cannot_be_counted_is_refused_with_the_reason() -> None:
    error = refusal("mpegvideo", "mpeg2video", MPEG_2 + made.frame("I", 0, repeat=True))
    assert error.code is ErrorCode.SOURCE_UNSUPPORTED
    assert "a bare MPEG-2 stream with pulldown" in error.error.message
    assert "wrap it in mov or mp4 with a time at each frame" in error.error.message


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (H264 + made.avc_picture(1, 8) + made.avc_picture(2, 4), "has gaps in its own picture numbering, at or after frame 0"),
        (H264 + made.unit(b"\x65\xf0"), "has headers that cannot be read"),
    ],
)
def test_what_is_missing_is_damage(content: bytes, said: str) -> None:
    error = refusal("h264", "h264", content)
    assert error.code is ErrorCode.SOURCE_DAMAGED
    assert said in error.error.message


def test_other_sources_are_not_read() -> None:
    def read(_offset: int, _size: int) -> bytes:
        raise AssertionError

    assert numbered_by_order(CLIP, read) is CLIP
    assert numbered_by_order(raw := RawSource("BRAW"), read) is raw


UNITS = st.one_of(
    st.binary(max_size=40).map(made.unit),
    st.tuples(st.sampled_from([MPEG_2, H264, made.avc_set(structured=True)]), st.integers(0, 600)).map(
        lambda cut: cut[0][: cut[1]]
    ),
    st.tuples(st.sampled_from(sorted(b"\x00\xb3\xb5\xb8\x06\x67\x65\x41\x02\x26\x40\x42\x44\x4e")), st.binary(max_size=60)).map(
        lambda parts: made.unit(bytes([parts[0]]) + parts[1])
    ),
)


@given(st.sampled_from(["mpegvideo", "h264"]), st.lists(UNITS, max_size=12).map(b"".join))
def test_any_bytes_are_facts_or_a_refusal(demuxer: str, content: bytes) -> None:
    try:
        outcome: Fraction | ErrorCode = numbered(demuxer, demuxer, content).video.rate
    except ProxxError as error:
        outcome = error.code
    refused = outcome in {ErrorCode.SOURCE_UNSUPPORTED, ErrorCode.SOURCE_DAMAGED}
    assert refused or 1 <= Fraction(outcome) <= 240
