"""Camera RAW in a result: what Resolve told, and null for the rest."""

from proxx_worker.contract.source_media import SourceMedia
from proxx_worker.media.clip_properties import SurveyedRaw, read_clip
from proxx_worker.media.raw_record import raw_source_media
from tests.unit.media.test_clip_properties import RED


def test_what_is_told_stands_where_it_stands_for_every_source() -> None:
    source = SurveyedRaw("REDCODE RAW (R3D)", read_clip({**RED, "FPS": 25, "Reel Name": "A001"}), ("A_002.R3D",), ("A.RMD",))
    record = raw_source_media(source)
    assert (record.formats, record.video.codec) == (["REDCODE RAW (R3D)"], "RED")
    assert (record.video.width, record.video.height, record.video.sample_aspect) == (6144, 3240, "1/1")
    assert (record.video.rate, record.video.constant_rate, record.video.frames, record.video.duration) == (
        "25/1",
        True,
        1570,
        "314/5",
    )
    assert record.timecode is not None
    assert (record.timecode.text, record.timecode.origin, record.reel) == ("20:01:34:07", "resolve", "A001")
    assert record.resolve is not None
    assert record.resolve["properties"] == {**RED, "FPS": 25, "Reel Name": "A001"}
    assert (record.resolve["parts"], record.resolve["sidecars"], record.resolve["audio_channels"]) == (
        ["A_002.R3D"],
        ["A.RMD"],
        2,
    )
    assert record.notes == [
        "the clip continues in 1 more files: A_002.R3D",
        "Resolve applies A.RMD, which is beside the clip",
        "Resolve reports 2 channels of audio, but not how they are divided into streams",
    ]
    assert SourceMedia.model_validate_json(record.model_dump_json(), strict=False) == record


def test_what_is_not_told_is_null() -> None:
    record = raw_source_media(SurveyedRaw("Canon RAW (CRM, CR3)", read_clip({})))
    video = record.video
    assert (video.codec, video.width, video.height, video.sample_aspect, video.rate) == (
        "Canon RAW (CRM, CR3)",
        None,
        None,
        None,
        None,
    )
    assert (video.constant_rate, video.frames, video.frames_certain, record.duration) == (False, None, False, None)
    assert (record.timecode, record.reel, record.audio, record.notes) == (None, None, [], [])
