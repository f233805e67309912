"""The files that editing systems relink by, from results by value."""

import json
from fractions import Fraction
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from proxx_worker.contract.finished import FinishedJob, read_finished
from proxx_worker.media.facts import MediaFacts, Timecode
from proxx_worker.relink.ale import ale
from proxx_worker.relink.clips import UnfitError, clips_of
from proxx_worker.relink.fcpxml import fcpxml, file_url
from tests.unit.contract.test_finished import RESULT, TASK
from tests.unit.report.facts import BT709, media, record_of, video

NTSC = Fraction(30000, 1001)


def job(facts: MediaFacts, *, source: str = "/a/A001.mov", **changes: Any) -> FinishedJob:  # noqa: ANN401 - any JSON value
    task = TASK | {"source": source, "source_media": record_of(facts), "output_sha256": "ab", "output": "/p/A001.mov"}
    document: dict[str, Any] = RESULT | {"tasks": [task | changes.pop("task", {})]} | changes
    return read_finished(json.dumps(document).encode())


def drop_frame() -> MediaFacts:
    """Ten minutes into the clock, where labels have been dropped."""
    facts = media(video(rate=NTSC, average_rate=NTSC, width=720, height=486, field_order="bb", sample_aspect=Fraction(10, 11)))
    return MediaFacts(
        facts.formats, facts.video, facts.audio, Timecode("00:10:00;00", drop_frame=True, origin="tmcd"), "R001", None, None
    )


def asset_of(data: bytes) -> tuple[ET.Element, ET.Element, ET.Element]:
    root = ET.fromstring(data)  # noqa: S314 - our own file
    found = [root.find(path) for path in ("resources/format", "resources/asset", "library/event/asset-clip")]
    assert all(one is not None for one in found)
    return tuple(found)  # type: ignore[return-value] # none is None


def test_fcpxml_counts_in_exact_frames() -> None:
    look, asset, clip = asset_of(fcpxml(clips_of([job(drop_frame())]), "event"))
    assert look.attrib == {
        "id": "f1", "frameDuration": "1001/30000s", "width": "720", "height": "486", "paspH": "10", "paspV": "11",
        "fieldOrder": "lower first", "colorSpace": "1-1-1 (Rec. 709)",
    }  # fmt: skip
    assert Fraction(asset.attrib["start"].removesuffix("s")) == 17982 / NTSC
    assert Fraction(asset.attrib["duration"].removesuffix("s")) == 25 / NTSC
    assert (asset.attrib["audioSources"], asset.attrib["audioChannels"], asset.attrib["audioRate"]) == ("1", "2", "48000")
    assert [(rep.attrib["kind"], rep.attrib["src"]) for rep in asset] == [
        ("original-media", "file:///a/A001.mov"),
        ("proxy-media", "file:///p/A001.mov"),
    ]
    assert clip.attrib["tcFormat"] == "DF"


def test_fcpxml_of_a_clip_without_timecode_or_sound_and_turned_upright() -> None:
    facts = media(video(rotation=90, sample_aspect=Fraction(4, 3)), audio_streams=0)
    silent = MediaFacts(facts.formats, facts.video, (), None, None, None, None)
    look, asset, clip = asset_of(fcpxml(clips_of([job(silent)]), "event"))
    assert (look.attrib["width"], look.attrib["height"], look.attrib["paspH"], look.attrib["paspV"]) == ("1080", "1920", "3", "4")
    assert (asset.attrib["start"], asset.attrib["duration"], clip.attrib["tcFormat"]) == ("0s", "1s", "NDF")
    assert "hasAudio" not in asset.attrib


def test_clips_of_one_look_share_a_format_and_names_are_escaped() -> None:
    hostile = '/a/<&"\u0001\u202e>.mov'
    data = fcpxml(clips_of([job(media()), job(media(), source=hostile)]), "a & b")
    root = ET.fromstring(data)  # noqa: S314 - our own file
    assert len(root.findall("resources/format")) == 1
    assert [one.attrib["name"] for one in root.findall("resources/asset")] == ["A001", '<&"\ufffd\u202e>']
    assert file_url("/a/b c#%\udcff.mov") == "file:///a/b%20c%23%25%FF.mov"


def test_ale_has_labels_with_the_end_after_the_last_frame() -> None:
    lines = ale(clips_of([job(drop_frame())])).splitlines()
    assert lines[:5] == ["Heading", "FIELD_DELIM\tTABS", "VIDEO_FORMAT\tNTSC", "AUDIO_FORMAT\t48khz", "FPS\t29.97"]
    columns, row = lines[7].split("\t"), lines[10].split("\t")
    cells = dict(zip(columns, row, strict=True))
    assert (cells["Start"], cells["End"], cells["Duration"]) == ("00:10:00;00", "00:10:00;25", "00:00:00;25")
    assert (cells["Tape"], cells["Tracks"], cells["FPS"]) == ("R001", "VA1A2", "29.97")
    assert (cells["Source File"], cells["Source Path"], cells["Proxy Path"]) == ("A001.mov", "/a/A001.mov", "/p/A001.mov")


@pytest.mark.parametrize(
    ("height", "rate", "said"),
    [
        (576, Fraction(25), "PAL"),
        (576, Fraction(24), "CUSTOM"),
        (576, NTSC, "CUSTOM"),
        (576, Fraction(50), "CUSTOM"),
        (486, NTSC, "NTSC"),
        (480, NTSC, "NTSC"),
        (486, Fraction(24000, 1001), "NTSC"),
        (480, Fraction(24000, 1001), "NTSC"),
        (486, Fraction(25), "CUSTOM"),
        (480, Fraction(30), "CUSTOM"),
        (480, Fraction(60000, 1001), "CUSTOM"),
        (720, Fraction(25), "720"),
        (720, Fraction(60000, 1001), "720"),
        (1080, NTSC, "1080"),
        (1080, Fraction(24), "1080"),
        (2160, Fraction(25), "CUSTOM"),
    ],
)
def test_ale_names_pal_and_ntsc_only_at_their_rates(height: int, rate: Fraction, said: str) -> None:
    facts = media(video(rate=rate, average_rate=rate, width=720, height=height))
    assert f"VIDEO_FORMAT\t{said}" in ale(clips_of([job(facts)])).splitlines()


def test_ale_cells_hold_no_tabs() -> None:
    row = ale(clips_of([job(media(), source="/a/one\ttwo\n.mov")])).splitlines()[10]
    assert row.startswith("one two \tVA1A2\t10:00:00:00\t10:00:01:00")


@pytest.mark.parametrize(
    ("jobs", "says"),
    [
        ([job(media(video(constant_rate=False)))], "variable frame rate"),
        ([job(media(video(rate=Fraction(15))))], "Avid does not support 15"),
        ([job(media()), job(media(video(rate=Fraction(24))))], "one frame rate, but these clips have 2"),
    ],
)
def test_what_ale_cannot_say(jobs: list[FinishedJob], says: str) -> None:
    with pytest.raises(UnfitError, match=says):
        ale(clips_of(jobs))


@pytest.mark.parametrize(
    ("unfit", "says"),
    [
        (job(media(), settings={"fps_mode": "explicit", "fps": "24/1"}), "another frame rate"),
        (job(media(), task={"source_media": None}), "does not describe its proxy"),
        (job(media(), task={"checks": []}), "does not describe its proxy"),
        (job(media(), task={"source_media": {"video": {}}}), "lacks what is needed"),
        (job(media(), task={"source_media": record_of(media()) | {"audio": 1}}), "lacks what is needed"),
        (job(media(), task={"source_media": record_of(media()) | {"video": [1]}}), "lacks what is needed"),
        (job(media(), task={"source_media": record_of(media()) | {"reel": 7}}), "lacks what is needed"),
        (job(media(), task={"source_media": record_of(media()) | {"audio": [{"channels": "2"}]}}), "lacks what is needed"),
    ],
)
def test_results_that_cannot_be_relinked(unfit: FinishedJob, says: str) -> None:
    with pytest.raises(UnfitError, match=says):
        clips_of([unfit])


def test_only_completed_tasks_have_clips_and_paths_are_the_specs() -> None:
    mapped = job(media(), task={"source_path": "/mnt/A001.mov", "output_path": "/mnt/p.mov"})
    [clip] = clips_of([mapped, job(media(), task={"status": "FAILED", "output": None})])
    assert (clip.source, clip.proxy, clip.proxy_file) == ("/a/A001.mov", "/p/A001.mov", "/mnt/p.mov")
    assert clip.color == (BT709.primaries, BT709.transfer, BT709.matrix)
