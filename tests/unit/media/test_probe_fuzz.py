"""Whatever ffprobe prints, the answer is facts, a RAW format, or a refusal that names a source's fault."""

import json
from collections.abc import Iterator

from hypothesis import example, given, settings
from hypothesis import strategies as st

from proxx_worker.contract.errors import ErrorCode, JsonValue, ProxxError
from proxx_worker.contract.text import visible
from proxx_worker.media.facts import MediaFacts, RawSource
from proxx_worker.media.source_probe import read_source
from proxx_worker.media.source_record import source_media
from tests.unit.media.documents import audio, data, document, matrix, video

REFUSALS = {ErrorCode.SOURCE_UNSUPPORTED, ErrorCode.SOURCE_NO_VIDEO}

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
    st.sampled_from(["0/0", "1/0", "-1/1", "9223372036854775807/1", "1/9223372036854775807", "0:1", "16:9", "N/A", "unknown"]),
    st.sampled_from(["video", "audio", "data", "tmcd", "encv", "Display Matrix", "DOVI configuration record", "yuv420p10le"]),
)
values: st.SearchStrategy[JsonValue] = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3), max_leaves=6
)
names = st.sampled_from(sorted({*video(), *audio(), *data("tmcd"), "tags", "side_data_list", "disposition", "timecode"}))


def answer(stdout: bytes, stderr: str, exit_code: int) -> MediaFacts | RawSource | ProxxError:
    try:
        return read_source(stdout, stderr, exit_code)
    except ProxxError as refusal:
        return refusal


def check(stdout: bytes, stderr: str = "", exit_code: int = 0) -> None:
    found = answer(stdout, stderr, exit_code)
    match found:
        case ProxxError():
            assert found.code in REFUSALS
            assert visible(found.error.message) == found.error.message
        case MediaFacts():
            json.dumps(source_media(found).model_dump(mode="json"))
            assert found.video.rate > 0
            assert found.video.sample_aspect > 0
            assert found.video.width > 0
            assert found.reel is None or "\0" not in found.reel
            assert [visible(note) for note in found.notes] == list(found.notes)
        case RawSource():
            assert found.format


@given(st.binary(max_size=200), st.text(max_size=80), st.integers(-64, 255))
@example(b"\xff", "\x1b[31m", -9)
def test_any_bytes(stdout: bytes, stderr: str, exit_code: int) -> None:
    check(stdout, stderr, exit_code)


@given(values)
def test_any_json(answer: JsonValue) -> None:
    check(json.dumps(answer).encode("utf-8", "surrogatepass"))


@settings(max_examples=150)
@given(st.data())
def test_any_fields_in_the_places_where_fields_are_read(draw: st.DataObject) -> None:
    def mutated() -> Iterator[dict[str, JsonValue]]:
        for make in draw.draw(st.lists(st.sampled_from([video, audio, lambda **fields: data("tmcd", **fields)]), max_size=4)):
            yield make(**draw.draw(st.dictionaries(names, values, max_size=4)))

    streams = list(mutated())
    frames = draw.draw(st.lists(st.dictionaries(names, values, max_size=3), max_size=2))
    container = draw.draw(st.dictionaries(st.sampled_from(["duration", "start_time", "tags"]), values, max_size=3))
    demuxer = draw.draw(st.sampled_from(["mov,mp4,m4a,3gp,3g2,mj2", "mxf", "matroska,webm", "mpegts", "avi", "gxf"]))
    check(document(*streams, frames=frames, demuxer=demuxer, **container))


@given(st.lists(st.integers(-(2**31), 2**31 - 1), min_size=4, max_size=4))
def test_any_display_matrix(entries: list[int]) -> None:
    a, b, c, d = entries
    check(document(video(side_data_list=[matrix(a, b, c, d)])))


@given(st.text(alphabet="0123456789:;. -", max_size=14), st.fractions(min_value=0.01, max_value=1000))
def test_any_timecode(text: str, rate: object) -> None:
    check(document(video(tags={"timecode": text}, r_frame_rate=str(rate), avg_frame_rate=str(rate))))
