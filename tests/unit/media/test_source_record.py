from dataclasses import fields, replace
from fractions import Fraction

from pydantic import BaseModel

from proxx_worker.contract.source_media import SourceAudio, SourceColor, SourceMedia, SourceTimecode, SourceVideo
from proxx_worker.media.facts import AudioFacts, ColorFacts, MediaFacts, Timecode, VideoFacts
from proxx_worker.media.source_record import rational, source_media
from tests.unit.planning.sources import CLIP, DROP_FRAME, clip

ODD = replace(
    clip(rate=Fraction(30000, 1001), average_rate=None, start=None, mirrored=True, color=ColorFacts(range="tv")),
    timecode=DROP_FRAME,
    reel="A001",
    other_streams=("data:tmcd",),
    notes=("a note",),
)


def test_a_source_is_written_field_by_field() -> None:
    assert source_media(ODD).model_dump() == {
        "formats": ["mov", "mp4", "m4a", "3gp", "3g2", "mj2"],
        "video": {
            "index": 0, "codec": "h264", "profile": "High", "codec_tag": "avc1", "width": 1920, "height": 1080,
            "sample_aspect": "1/1", "rotation": 0, "field_order": "progressive", "rate": "30000/1001", "average_rate": None,
            "constant_rate": True, "time_base": "1/12800", "start": None, "duration": "1/1", "frames": 25,
            "frames_certain": True, "pixel_format": "yuv420p", "bit_depth": 8, "has_alpha": False,
            "color": {
                "range": "tv", "matrix": None, "primaries": None, "transfer": None, "chroma_location": None,
                "mastering_display": None, "content_light": None,
            },
            "dolby_vision_profile": None, "coded_width": None, "coded_height": None, "mirrored": True,
            "clean_aperture": False,
        },
        "audio": [
            {
                "index": 1, "codec": "aac", "channels": 2, "layout": "stereo", "sample_rate": 48000, "sample_format": "fltp",
                "bits_per_sample": None, "start": "0/1", "duration": "1/1", "profile": "LC", "unbroken": True,
                "time_base": "1/48000",
            }
        ],
        "timecode": {"text": "01:00:00;02", "drop_frame": True, "origin": "tmcd"},
        "reel": "A001",
        "start": "0/1",
        "duration": "1/1",
        "other_streams": ["data:tmcd"],
        "notes": ["a note"],
        "resolve": None,
    }  # fmt: skip


def test_what_is_not_there_is_null() -> None:
    assert source_media(CLIP).timecode is None
    assert source_media(CLIP).reel is None


def test_every_fact_has_a_field() -> None:
    """A new fact is a new field of the contract, or is left out on purpose, here."""
    records: dict[type, type[BaseModel]] = {
        MediaFacts: SourceMedia,
        VideoFacts: SourceVideo,
        AudioFacts: SourceAudio,
        ColorFacts: SourceColor,
        Timecode: SourceTimecode,
    }
    # An open end is told in `notes`, and the command shows how far the file is read. The delay is FFmpeg's, not the clip's;
    # so is the rate that it tells, and the timecode's own rate is a track's, where the video's varies. Which of the two states
    # the orientation is told in `notes`, too.
    left_out = {"open_end", "delay", "told_rate", "own_rate", "oriented_by_frames"}
    renamed = {"gapless": "unbroken"}
    for facts, record in records.items():
        names = {renamed.get(field.name, field.name) for field in fields(facts)}
        assert names - left_out == set(record.model_fields) - {"resolve"}


def test_rationals_always_have_two_terms() -> None:
    assert [rational(Fraction(25)), rational(Fraction(-1, 2))] == ["25/1", "-1/2"]
