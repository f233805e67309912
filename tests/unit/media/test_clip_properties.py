"""Clip properties as facts: what is known, what is localised and therefore unknown, and rates that come rounded."""

from fractions import Fraction

import pytest

from proxx_worker.media.clip_properties import Property, exact_rate, read_clip

RED: dict[str, Property] = {
    "Frames": "1570", "FPS": 23.976, "Start": "0", "End": "1569", "Start TC": "20:01:34:07", "Drop frame": "0",
    "Resolution": "6144x3240", "PAR": "Square", "Audio Ch": "2", "Sample Rate": "48000", "Type": "Video + Audio",
    "Video Codec": "RED", "Format": "RED", "Reel Name": "", "Online Status": "Online", "Super Scale": 1,
}  # fmt: skip
"""As dumps from real installations have them (docs/resolve.md)."""


def test_what_is_told_in_known_words_is_known() -> None:
    clip = read_clip(RED)
    assert (clip.frames, clip.rate, clip.size, clip.sample_aspect) == (1570, Fraction(24000, 1001), (6144, 3240), Fraction(1))
    assert clip.timecode is not None
    assert (clip.timecode.text, clip.timecode.drop_frame, clip.timecode.origin) == ("20:01:34:07", False, "resolve")
    assert (clip.audio_channels, clip.reel, clip.offline) == (2, None, False)
    assert clip.properties == RED
    assert (clip.text("Video Codec"), clip.text("Reel Name"), clip.text("FPS"), clip.text("Nothing")) == ("RED", None, None, None)


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({"PAR": "正方形"}, "sample_aspect", None),
        ({"PAR": "2.0"}, "sample_aspect", Fraction(2)),
        ({"PAR": "0"}, "sample_aspect", None),
        ({"PAR": None}, "sample_aspect", None),
        ({"Resolution": "6K"}, "size", None),
        ({"Resolution": "0x3240"}, "size", None),
        ({"Resolution": None}, "size", None),
        ({"Frames": ""}, "frames", None),
        ({"Frames": "0"}, "frames", None),
        ({"Frames": 7}, "frames", 7),
        ({"Frames": -7}, "frames", None),
        ({"Frames": True}, "frames", None),
        ({"Audio Ch": "zwei"}, "audio_channels", None),
        ({"Audio Ch": "0"}, "audio_channels", 0),
        ({"Reel Name": "A001"}, "reel", "A001"),
        ({"Reel Name": 5}, "reel", None),
        ({"Online Status": "Offline"}, "offline", True),
        ({"Online Status": "オンライン"}, "offline", False),
        ({"FPS": "variable"}, "rate", None),
    ],
)
def test_what_is_not_known_is_unknown(changes: dict[str, Property], field: str, value: object) -> None:
    assert getattr(read_clip({**RED, **changes}), field) == value


@pytest.mark.parametrize(
    ("told", "rate"),
    [
        (24, Fraction(24)),
        (25.0, Fraction(25)),
        ("25", Fraction(25)),
        (23.976, Fraction(24000, 1001)),
        (23.98, Fraction(24000, 1001)),
        ("29.97", Fraction(30000, 1001)),
        (59.94, Fraction(60000, 1001)),
        (119.88, Fraction(120000, 1001)),
        (23.99, None),
        (12.5, None),
        (0.2, None),
        (0, None),
        (-25, None),
        (1001, None),
        (float("nan"), None),
        (True, None),
        (None, None),
        ("", None),
    ],
)
def test_a_rounded_rate_stands_for_an_exact_one(told: Property, rate: Fraction | None) -> None:
    assert exact_rate(told) == rate


@pytest.mark.parametrize(
    ("fps", "text", "drop", "timecode"),
    [
        (25, "10:00:00:00", "0", "10:00:00:00"),
        (25, "10:00:00:00", "いいえ", "10:00:00:00"),
        (25, "10:00:00:00", "1", None),
        (25, "10:00:00:25", "0", None),
        (25, "10:00:00", "0", None),
        (25, "", "0", None),
        (29.97, "10:00:00:00", "0", "10:00:00:00"),
        (29.97, "10:00:00:00", "1", "10:00:00;00"),
        (29.97, "10:00:00;00", "0", "10:00:00;00"),
        (29.97, "10:00:00:00", "sì", None),
        (29.97, "10:00:00:00", None, None),
        (29.97, "10:01:00:00", "0", "10:01:00:00"),
        (29.97, "10:01:00:00", "1", None),
        (None, "10:00:00:00", "0", None),
    ],
)
def test_a_timecode_is_one_that_a_clock_can_show(fps: Property, text: str, drop: Property, timecode: str | None) -> None:
    found = read_clip({**RED, "FPS": fps, "Start TC": text, "Drop frame": drop}).timecode
    assert (None if found is None else found.text) == timecode
