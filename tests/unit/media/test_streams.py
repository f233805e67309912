from fractions import Fraction

import pytest

from proxx_worker.contract.errors import ErrorCode, JsonValue, ProxxError
from proxx_worker.media.facts import AudioFacts
from proxx_worker.media.ffprobe_json import Section
from proxx_worker.media.streams import audio_of, codec_tag, is_video, kind_of, refuse_unreadable, video_stream_of
from tests.unit.media.documents import audio, data, section, video

NOT_DEFAULT: JsonValue = {"default": 0}


def picture(*streams: dict[str, JsonValue]) -> int | None:
    found = video_stream_of([section(stream) for stream in streams])
    return None if found is None else found.integer("index")


@pytest.mark.parametrize("disposition", ["attached_pic", "timed_thumbnails", "still_image"])
def test_covers_and_thumbnails_are_no_picture(disposition: str) -> None:
    cover = video(disposition={"default": 1, disposition: 1})
    assert not is_video(section(cover))
    assert picture(audio(), cover) is None


def test_position_says_nothing() -> None:
    assert picture(audio(index=0), data("mebx", index=1), video(index=2)) == 2


def test_a_default_track_goes_before_another() -> None:
    assert picture(video(disposition=NOT_DEFAULT, nb_frames="900"), video(index=1)) == 1


def test_the_track_with_more_frames_is_the_clip_however_large_the_other_is() -> None:
    stills = video(index=0, nb_frames="2", width=2048, height=1536)
    assert picture(stills, video(index=1, nb_frames="53", width=1440)) == 1


def test_then_the_larger_then_the_earlier() -> None:
    assert picture(video(index=0, nb_frames=None, width=640), video(index=1, nb_frames=None)) == 1
    assert picture(video(index=0), video(index=1)) == 0


@pytest.mark.parametrize(
    "stream",
    [
        video(codec_tag_string="encv"),
        audio(codec_tag_string="enca"),
        video(codec_tag_string="drmi"),
        video(side_data_list=[{"side_data_type": "Encryption initialization data"}]),
    ],
)
def test_an_encrypted_stream_is_refused(stream: dict[str, JsonValue]) -> None:
    with pytest.raises(ProxxError, match="is encrypted") as refusal:
        refuse_unreadable(section(stream), Section({}))
    assert refusal.value.code is ErrorCode.SOURCE_UNSUPPORTED


def test_windows_media_keeps_its_protection_in_the_container() -> None:
    with pytest.raises(ProxxError, match="is encrypted"):
        refuse_unreadable(section(video()), Section({"tags": {"ASF_Protection_Type": "DRM"}}))


@pytest.mark.parametrize(("name", "tag"), [(None, "vvc1"), ("unknown", "XYZ "), ("none", "[0][0][0][0]")])
def test_a_codec_that_nobody_knows_is_refused_by_its_tag(name: str | None, tag: str) -> None:
    shown = "no tag" if tag.startswith("[") else tag
    with pytest.raises(ProxxError) as refusal:
        refuse_unreadable(section(video(codec_name=name, codec_tag_string=tag)), Section({}))
    assert refusal.value.code is ErrorCode.SOURCE_UNSUPPORTED
    assert f"({shown})" in refusal.value.error.message


def test_a_readable_stream_passes() -> None:
    refuse_unreadable(section(video()), Section({}))


def test_audio_by_value() -> None:
    assert audio_of(section(audio(bits_per_raw_sample="24", bits_per_sample=32))) == AudioFacts(
        index=1,
        codec="aac",
        channels=2,
        layout="stereo",
        sample_rate=48000,
        sample_format="fltp",
        bits_per_sample=24,
        start=Fraction(0),
        duration=Fraction(1),
        profile="LC",
        time_base=Fraction(1, 48000),
    )


@pytest.mark.parametrize(
    ("number", "gapless"),
    [("0x2", True), ("0x1f", True), ("0x3", False), ("2", False), ("0x", False), (2, False), (None, False)],
)
def test_a_track_is_known_by_its_number(number: JsonValue, gapless: bool) -> None:
    assert audio_of(section(audio(id=number)), frozenset({2, 31})).gapless is gapless


def test_what_audio_need_not_say_is_none() -> None:
    found = audio_of(section(audio(channel_layout="unknown", duration_ts=None, time_base="0/0", bits_per_sample=16)))
    assert (found.layout, found.start, found.duration, found.bits_per_sample) == (None, None, None, 16)


@pytest.mark.parametrize("missing", [{"channels": 0}, {"sample_rate": "0"}, {"index": None}, {"codec_name": None}])
def test_audio_that_cannot_be_carried_is_refused(missing: dict[str, JsonValue]) -> None:
    with pytest.raises(ProxxError, match="reports no channels or sample rate") as refusal:
        audio_of(section(audio(**missing)))
    assert refusal.value.code is ErrorCode.SOURCE_UNSUPPORTED


@pytest.mark.parametrize(
    ("stream", "kind"),
    [
        (data("tmcd"), "data:tmcd"),
        (data("gpmd", codec_name="bin_data"), "data:gpmd"),
        (data("[0][0][0][0]"), "data:unknown"),
        ({"codec_type": "subtitle", "codec_name": "dvb_subtitle", "codec_tag_string": "[0][0][0][0]"}, "subtitle:dvb_subtitle"),
        (video(codec_name="mjpeg", disposition={"attached_pic": 1}), "cover:mjpeg"),
        (video(codec_name="hevc"), "video:hevc"),
        (video(codec_name=None), "video:avc1"),
        ({}, "unknown:unknown"),
    ],
)
def test_what_else_is_in_there(stream: dict[str, JsonValue], kind: str) -> None:
    assert kind_of(section(stream)) == kind


def test_a_tag_of_zeros_is_none() -> None:
    assert codec_tag(section({"codec_tag_string": "[0][0][0][0]"})) is None
    assert codec_tag(section({"codec_tag_string": "apco"})) == "apco"
