"""ffprobe's answers and what follows from them, each answer as small as the case allows."""

import json
from fractions import Fraction

import pytest

from proxx_worker.contract.errors import ErrorCode, JsonValue, ProxxError
from proxx_worker.media.facts import AudioFacts, ColorFacts, MediaFacts, RawSource, Timecode, VideoFacts
from proxx_worker.media.probe_command import LOOKS, Look, look_argv, probe_argv
from proxx_worker.media.source_probe import read_head, read_look, read_source, says_input_output_error, video_frame
from tests.unit.media.documents import Document, audio, data, document, matrix, video

FRAME_ENTRIES = (
    "frame=stream_index,interlaced_frame,top_field_first,color_range,color_space,color_primaries,color_transfer,chroma_location"
    ":frame_side_data_list"
)


def facts(stdout: bytes, gapless: frozenset[int] = frozenset()) -> MediaFacts:
    found = read_source(stdout, "", 0, gapless=gapless)
    assert isinstance(found, MediaFacts)
    return found


def refusal(stdout: bytes, stderr: str = "", exit_code: int = 0) -> ProxxError:
    with pytest.raises(ProxxError) as caught:
        read_source(stdout, stderr, exit_code)
    return caught.value


def test_the_one_command_reaches_nothing_but_the_file_it_is_given() -> None:
    assert probe_argv("/usr/bin/ffprobe", "/dev/fd/7") == [
        "/usr/bin/ffprobe",
        "-hide_banner",
        "-v",
        "warning",
        "-protocol_whitelist",
        "file",
        "-format_whitelist",
        (
            "mov,mxf,matroska,mpegts,mpeg,avi,dv,asf,flv,wtv,gxf,ivf,ogg,h264,mpegvideo,"
            "wav,w64,aiff,caf,mp3,flac,aac,ac3,eac3,au,srt,webvtt,ass,scc"
        ),
        "-probesize",
        "50000000",
        "-analyzeduration",
        "10000000",
        "-of",
        "json=compact=1",
        "-show_error",
        "-show_format",
        "-show_streams",
        "-show_frames",
        "-read_intervals",
        "%+#2",
        "-show_entries",
        FRAME_ENTRIES,
        "-i",
        "file:/dev/fd/7",
    ]


@pytest.mark.parametrize(("look", "packets", "decoder"), [(LOOKS[0], "%+#2", []), (LOOKS[1], "%+#300", ["-skip_frame", "nokey"])])
def test_a_further_look_is_at_one_stream_and_as_restricted(look: Look, packets: str, decoder: list[str]) -> None:
    first, further = probe_argv("/usr/bin/ffprobe", "/dev/fd/7"), look_argv("/usr/bin/ffprobe", "/dev/fd/7", 3, look)
    shown = first.index("-show_format")
    assert further[:shown] == first[:shown]
    assert further[shown:] == [
        "-select_streams",
        "3",
        *decoder,
        "-show_frames",
        "-read_intervals",
        packets,
        "-show_entries",
        FRAME_ENTRIES,
        "-i",
        "file:/dev/fd/7",
    ]


def test_a_phone_clip_by_value() -> None:
    phone = document(
        audio(index=0, sample_rate="44100", time_base="1/44100", start_pts=0, duration_ts=4631),
        video(
            index=1,
            codec_name="hevc",
            profile="Main 10",
            codec_tag_string="hvc1",
            width=1280,
            height=720,
            coded_width=1280,
            coded_height=720,
            pix_fmt="yuv420p10le",
            color_range="tv",
            color_space="bt2020nc",
            color_transfer="arib-std-b67",
            color_primaries="bt2020",
            chroma_location="left",
            field_order="unknown",
            r_frame_rate="30/1",
            avg_frame_rate="30/1",
            time_base="1/600",
            duration_ts=64,
            nb_frames="5",
            side_data_list=[
                {"side_data_type": "DOVI configuration record", "dv_profile": 8, "dv_bl_signal_compatibility_id": 4},
                matrix(0, 65536, -65536, 0),
            ],
        ),
        data("mebx", index=2),
        data("tmcd", index=3, tags={"timecode": "10:00:00:00", "reel_name": "A001"}),
        frames=[{"stream_index": 0}, {"stream_index": 1, "interlaced_frame": 0}],
        start_time="0.000000",
        duration="0.106667",
    )
    assert facts(phone, frozenset({2})) == MediaFacts(
        formats=("mov", "mp4", "m4a", "3gp", "3g2", "mj2"),
        video=VideoFacts(
            index=1,
            codec="hevc",
            profile="Main 10",
            codec_tag="hvc1",
            width=1280,
            height=720,
            sample_aspect=Fraction(1),
            rotation=90,
            field_order="progressive",
            rate=Fraction(30),
            average_rate=Fraction(30),
            constant_rate=True,
            time_base=Fraction(1, 600),
            start=Fraction(0),
            duration=Fraction(64, 600),
            frames=4,
            frames_certain=False,
            pixel_format="yuv420p10le",
            bit_depth=10,
            has_alpha=False,
            color=ColorFacts("tv", "bt2020nc", "bt2020", "arib-std-b67", "left"),
            dolby_vision_profile=8,
            coded_width=1280,
            coded_height=720,
            told_rate=Fraction(30),
        ),
        audio=(
            AudioFacts(
                0,
                "aac",
                2,
                "stereo",
                44100,
                "fltp",
                None,
                Fraction(0),
                Fraction(4631, 44100),
                "LC",
                gapless=True,
                time_base=Fraction(1, 44100),
            ),
        ),
        timecode=Timecode("10:00:00:00", drop_frame=False, origin="tmcd"),
        reel="A001",
        start=Fraction(0),
        duration=Fraction(106667, 10**6),
        other_streams=("data:mebx", "data:tmcd"),
    )


@pytest.mark.parametrize(
    ("codec", "demuxer", "tags", "alpha"),
    [
        ("vp9", "matroska,webm", {"alpha_mode": "1"}, True),
        ("vp8", "matroska,webm", {"ALPHA_MODE": "1"}, True),
        ("vp9", "matroska,webm", {"alpha_mode": "0"}, False),
        ("vp9", "matroska,webm", {}, False),
        ("h264", "matroska,webm", {"alpha_mode": "1"}, False),
        ("vp9", "mov,mp4,m4a,3gp,3g2,mj2", {"alpha_mode": "1"}, False),
    ],
)
def test_alpha_beside_the_picture(codec: str, demuxer: str, tags: dict[str, str], *, alpha: bool) -> None:
    found = facts(document(video(codec_name=codec, tags={**tags}), demuxer=demuxer))
    assert (found.video.has_alpha, found.video.pixel_format) == (alpha, "yuv420p")


def test_fields_have_an_order_in_time() -> None:
    orders = {order: facts(document(video(field_order=order))).video for order in ("progressive", "tt", "tb", "bb", "bt")}
    assert {order: found.top_field_first for order, found in orders.items()} == {
        "progressive": None,
        "tt": True,
        "tb": True,
        "bb": False,
        "bt": False,
    }
    assert [order for order, found in orders.items() if not found.interlaced] == ["progressive"]
    unsaid = facts(document(video(field_order="unknown"))).video
    assert (unsaid.field_order, unsaid.interlaced, unsaid.top_field_first) == (None, False, None)


def test_field_coded_video_has_the_rate_of_its_frames_even_where_only_the_first_frame_tells_the_fields() -> None:
    stdout = document(
        video(field_order="unknown", r_frame_rate="50/1"),
        frames=[{"stream_index": 0, "interlaced_frame": 1, "top_field_first": 1}],
        demuxer="mpegts",
    )
    assert (facts(stdout).video.rate, facts(stdout).video.field_order) == (Fraction(25), "tt")


def test_another_picture_and_a_thin_raster_are_noted() -> None:
    found = facts(document(video(width=1440), video(index=1, nb_frames="2"), audio(index=2)))
    assert found.video.index == 0
    assert found.other_streams == ("video:h264",)
    assert found.notes == (
        "video stream 1 is not the main one: ignored",
        "1440x1080 is usually displayed as 16:9, but its pixels are flagged square: kept as flagged",
    )
    assert facts(document(video(width=1440, sample_aspect_ratio="4:3"))).notes == ()


def test_op_atom_says_that_its_sound_lies_elsewhere() -> None:
    found = facts(document(video(), data("[0][0][0][0]", tags={"data_type": "audio"}), demuxer="mxf"))
    assert found.notes == ("the audio of this OP-Atom clip is in other files and not part of this source",)


@pytest.mark.parametrize(
    ("tag", "name"),
    [("aprn", "ProRes RAW"), ("aprh", "ProRes RAW HQ"), ("brxq", "Blackmagic RAW"), ("CRAW", "Canon RAW (CRM, CR3)")],
)
def test_raw_in_a_movie_is_known_by_its_sample_entry(tag: str, name: str) -> None:
    # Whether or not this FFmpeg can decode it.
    for codec in (None, "prores_raw"):
        stdout = document(audio(index=0), video(index=1, codec_name=codec, codec_tag_string=tag))
        assert read_source(stdout, "", 0) == RawSource(name)


def test_a_tag_of_raw_on_another_kind_of_stream_means_nothing() -> None:
    assert facts(document(video(), data("CRAW"))).other_streams == ("data:CRAW",)


def head_of(content: bytes) -> RawSource | None:
    return read_head(content, lambda offset, size: content[offset : offset + size])


def test_raw_is_known_by_its_first_bytes_without_ffprobe() -> None:
    assert head_of(b"\0\0\1\xe8RED2") == RawSource("REDCODE RAW (R3D)")
    assert head_of(b"\0\0\0\x18ftypmp42") is None


@pytest.mark.parametrize(("head", "reason"), [(b"", "empty"), (b"#EXTM3U\n", "playlist"), (b"\xff\xd8\xff\xe0", "a JPEG still")])
def test_a_refused_head_needs_no_ffprobe(head: bytes, reason: str) -> None:
    with pytest.raises(ProxxError, match=reason) as caught:
        head_of(head)
    assert caught.value.code is ErrorCode.SOURCE_UNSUPPORTED


@pytest.mark.parametrize(
    ("stdout", "named"),
    [
        (document(audio(codec_name="pcm_s24le"), demuxer="wav"), "WAV, BWF, RF64"),
        (document({"codec_type": "subtitle", "codec_name": "subrip"}, demuxer="srt"), "SubRip"),
        (document(audio(), video(index=2, codec_name="mjpeg", disposition={"attached_pic": 1})), "cover:mjpeg"),
        (document(), "no streams"),
    ],
)
def test_a_known_format_without_a_picture(stdout: bytes, named: str) -> None:
    error = refusal(stdout)
    assert error.code is ErrorCode.SOURCE_NO_VIDEO
    assert named in error.error.message


DOVI_5: Document = {"side_data_type": "DOVI configuration record", "dv_profile": 5}


@pytest.mark.parametrize(
    ("stdout", "reason"),
    [
        (document(video(), demuxer="hls"), "'hls'"),
        (document(video(codec_name=None, codec_tag_string="vvc1")), "vvc1"),
        (document(video(codec_tag_string="encv")), "encrypted"),
        (document(video(), audio(codec_tag_string="enca")), "encrypted"),
        (document(video(), audio(codec_name=None)), "does not support"),
        (document(video(), audio(channels=0)), "reports no channels"),
        (document(video(side_data_list=[dict(DOVI_5)])), "profile 5"),
        (document(video(side_data_list=[matrix(1, 1, -1, 1)])), "multiple of 90 degrees"),
        (document(video(width=0)), "reports no size"),
        (document(video(height=None)), "reports no size"),
        (document(video(pix_fmt="unknown")), "reports no pixel format"),
        (document(video(time_base="0/1")), "reports no rate"),
        (document(video(index=None)), "reports no place"),
        (document(video(pix_fmt="bayer_rggb16le")), "bayer_rggb16le"),
    ],
)
def test_media_that_no_proxy_can_be_made_from(stdout: bytes, reason: str) -> None:
    error = refusal(stdout)
    assert error.code is ErrorCode.SOURCE_UNSUPPORTED
    assert reason in error.error.message


WITH_ERROR = json.dumps({"error": {"code": -1094995529, "string": "Invalid data found"}}).encode()


@pytest.mark.parametrize(
    ("stdout", "stderr", "exit_code", "reason"),
    [
        (WITH_ERROR, "[mov] moov atom not found", 1, "Invalid data found"),
        (
            WITH_ERROR,
            "/dev/fd/7: Invalid\n[mov @ 0x55] moov atom not found\nmore",
            1,
            "readable media: Invalid data found, moov atom not found;",
        ),
        (b"", "first words\nlast words\n", 1, "readable media: first words;"),
        (b"", "", 3, "exited with 3 and no message"),
        (b"", "", -11, "ended by signal 11"),
        (b"{}", "", 0, "and no message"),
        (document(video()), "", 1, "exited with 1"),
        (WITH_ERROR, "[hls @ 0x55] Format not on whitelist 'mov'\n", 1, "detects hls"),
        (
            WITH_ERROR,
            "[vvc @ 0x55] Format not on whitelist 'mov'\n",
            1,
            "a bare H.266 stream: wrap it in mov or mp4 at its rate",
        ),
    ],
)
def test_what_ffprobe_cannot_read_is_unsupported_with_its_words(stdout: bytes, stderr: str, exit_code: int, reason: str) -> None:
    error = refusal(stdout, stderr, exit_code)
    assert error.code is ErrorCode.SOURCE_UNSUPPORTED
    assert reason in error.error.message


def test_a_skipped_track_is_refused_even_where_the_rest_could_be_read() -> None:
    error = refusal(document(video()), "[mov,mp4 @ 0x1] Skipped opening external track: stream 0, alias: ...")
    assert error.code is ErrorCode.SOURCE_UNSUPPORTED
    assert "another file" in error.error.message


@pytest.mark.parametrize(("answer", "expected"), [({"error": {"code": -5}}, True), ({"error": {"code": -2}}, False), ({}, False)])
def test_an_input_output_error_is_told_apart(answer: JsonValue, expected: object) -> None:
    assert says_input_output_error(json.dumps(answer).encode()) is expected
    assert not says_input_output_error(b"")


def test_control_characters_of_the_file_never_reach_a_message() -> None:
    hostile = "\x1b]0;owned\x07\n"
    for stdout, stderr in (
        (document(video(codec_name=None, codec_tag_string=hostile)), ""),
        (document(video(), demuxer=hostile), ""),
        (b"", hostile + "x" + hostile),
        (document(video(), audio(codec_name=hostile, channels=0)), ""),
        (document(video(codec_name=hostile, width=0)), ""),
        (document(video(pix_fmt=hostile)), ""),
        (document(audio(codec_name=hostile)), ""),
    ):
        assert refusal(stdout, stderr, 1 if stderr else 0).error.message.isprintable()
    noted = facts(document(video(tags={"timecode": hostile})))
    assert all(note.isprintable() for note in noted.notes)


def test_the_pixel_aspect_of_avid_s_codecs_is_the_container_s_and_of_no_other() -> None:
    stream = video(codec_tag_string="AVdn", width=1440, height=1080, sample_aspect_ratio="1:1")
    found = read_source(document(stream), "", 0, Fraction(4, 3))
    assert isinstance(found, MediaFacts)
    assert (found.video.sample_aspect, found.notes) == (Fraction(4, 3), ())
    other = read_source(document({**stream, "codec_tag_string": "avc1"}), "", 0, Fraction(4, 3))
    assert isinstance(other, MediaFacts)
    assert other.video.sample_aspect == 1


NO_CODE = "[0][0][0][0]"


@pytest.mark.parametrize(
    ("demuxer", "codec", "code", "reorders", "delay"),
    [
        ("avi", "mpeg4", "XVID", 2, 2),
        ("avi", "h264", NO_CODE, 2, 2),
        ("avi", "mpeg4", "XVID", 0, 0),
        ("avi", "mpeg4", "XVID", None, 0),
        ("mov,mp4,m4a,3gp,3g2,mj2", "h264", "avc1", 2, 0),
        ("matroska,webm", "mpeg4", "XVID", 1, 1),
        ("matroska,webm", "h264", "H264", 2, 2),
        ("matroska,webm", "h264", NO_CODE, 2, 0),
        ("matroska,webm", "svq3", "SVQ3", 1, 0),
    ],
)
def test_a_decoder_delays_what_has_no_presentation_times(
    demuxer: str, codec: str, code: str, reorders: int | None, delay: int
) -> None:
    """A track in Matroska that is stored as in AVI (V_MS/VFW/FOURCC) is told by its four-character code."""
    stream = video(has_b_frames=reorders, codec_name=codec, codec_tag_string=code)
    assert facts(document(stream, demuxer=demuxer)).video.delay == delay


@pytest.mark.parametrize(
    ("demuxer", "start", "end", "duration"),
    [
        ("matroska,webm", "100.000000", "101.000000", Fraction(1)),
        ("matroska,webm", "-0.007000", "1.000000", Fraction(1)),
        ("matroska,webm", "0.000000", "1.000000", Fraction(1)),
        ("matroska,webm", "100.000000", "1.000000", Fraction(1)),
        ("mpegts", "0.500000", "1.000000", Fraction(1)),
    ],
)
def test_matroska_tells_its_end_and_not_its_length(demuxer: str, start: str, end: str, duration: Fraction) -> None:
    found = facts(document(video(), demuxer=demuxer, start_time=start, duration=end))
    assert (found.start, found.duration) == (Fraction(start), duration)


def test_single_fields_of_hevc_are_no_frames() -> None:
    field: Document = {"stream_index": 0, "interlaced_frame": 1, "top_field_first": 1}
    assert "field-coded HEVC" in refusal(document(video(codec_name="hevc"), frames=[field])).error.message


def test_two_field_orders_are_told_in_a_note() -> None:
    picture, frame = video(field_order="tt"), {"stream_index": 0, "interlaced_frame": 1, "top_field_first": 0}
    found = read_source(document(picture, frames=[frame]), "", 0)
    assert isinstance(found, MediaFacts)
    assert any("the container declares" in note for note in found.notes)


def test_an_orientation_that_only_the_pictures_state_is_the_source_s() -> None:
    frame: Document = {"stream_index": 0, "side_data_list": [matrix(0, 65536, -65536, 0, kind="3x3 displaymatrix")]}
    found = facts(document(video(), frames=[frame]))
    assert (found.video.rotation, found.video.mirrored, found.video.oriented_by_frames) == (90, False, True)
    assert found.notes == (
        "the pictures state an orientation (90 degrees clockwise), the container none: the first one's is taken",
    )
    said = facts(document(video(side_data_list=[matrix(0, 65536, -65536, 0)]), frames=[frame]))
    assert (said.video.rotation, said.video.oriented_by_frames, said.notes) == (90, False, ())


SOUND_FIRST = ({"stream_index": 1}, {"stream_index": 1})
FIELDS: Document = {"stream_index": 0, "interlaced_frame": 1, "top_field_first": 1}


def test_a_frame_found_later_counts_as_the_first() -> None:
    report = document(video(field_order="unknown"), audio(), frames=SOUND_FIRST)
    assert video_frame(report, 0) is None
    assert facts(report).video.field_order is None
    look = json.dumps({"frames": [FIELDS, {"stream_index": 0}]}).encode()
    frame = read_look(look, "", 0, 0)
    assert frame is not None
    assert frame.values == FIELDS
    found = read_source(report, "", 0, first_frame=frame)
    assert isinstance(found, MediaFacts)
    assert found.video.field_order == "tt"


@pytest.mark.parametrize("stdout", [b"", b"[]", b"{}", b'{"frames": [{"stream_index": 1}]}'])
def test_a_report_without_a_frame_of_the_video(stdout: bytes) -> None:
    assert video_frame(stdout, 0) is None


def test_a_further_look_may_find_nothing_but_not_fail() -> None:
    assert read_look(b'{"frames": []}', "", 0, 0) is None
    for stdout, exit_code, reason in ((b"", 0, "exited with 0"), (b"{}", 1, "exited with 1"), (b"", -11, "signal 11")):
        with pytest.raises(ProxxError, match=reason) as caught:
            read_look(stdout, "", exit_code, 0)
        assert caught.value.code is ErrorCode.SOURCE_UNSUPPORTED
