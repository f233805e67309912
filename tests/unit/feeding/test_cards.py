"""Paths as cards have them, upper and lower case as copies leave them."""

import pytest

from proxx_worker.feeding.cards import NO_CARD, Place, disc_roots, place_of, spanned_by_name

DISC = ["/m/PDW/MEDIAPRO.XML", "/m/PDW/DISCMETA.XML", "/m/PDW/Clip/C0001.MXF", "/m/PDW/Sub/C0001S01.MXF"]


@pytest.mark.parametrize(
    ("path", "layout"),
    [
        ("/m/P2/CONTENTS/VIDEO/0001AB.MXF", "P2"),
        ("/m/P2/contents/video/0001AB.mxf", "P2"),
        ("/m/P2/CONTENTS/AVCLIP/0001AB.MXF", "P2 AVC-LongG"),
        ("/m/XF/CONTENTS/CLIPS001/A10091/A1009101.MXF", "Canon XF"),
        ("/m/C70/CONTENTS/CLIPS001/A001C001.MP4", "Canon XF"),
        ("/m/EX/BPAV/CLPR/709_001_01/709_001_01.MP4", "XDCAM EX"),
        ("/m/SAM/PROAV/CLPR/C0001/C0001V01.MXF", "XDCAM SAM"),
        ("/m/FX/PRIVATE/M4ROOT/CLIP/C0001.MP4", "XAVC"),
        ("/m/FX/XDROOT/Clip/Clip0001.MXF", "XAVC"),
        ("/m/HMC/PRIVATE/AVCHD/BDMV/STREAM/00000.MTS", "AVCHD"),
        ("/m/HERO/DCIM/100GOPRO/GX010123.MP4", "GoPro"),
        ("/m/5D/DCIM/100CANON/MVI_0001.MOV", "Canon"),
        ("/m/5D/DCIM/100EOS5D/MVI_0001.MOV", "Canon"),
        ("/m/A001R1JL/A004C010_20100610_R1JL.mov", "ARRI"),
        ("/m/A001R1AB/A001C001_170101_R1AB.mxf", "ARRI"),
        ("/m/roll/A_0001C001_220520_142530_a12BC.mxf", "ARRI"),
        ("/m/PDW/Clip/C0001.MXF", "XDCAM"),
    ],
)
def test_each_layout_has_its_clips(path: str, layout: str) -> None:
    place = place_of(path, disc_roots(DISC))
    assert (place.layout, place.is_clip) == (layout, True)


@pytest.mark.parametrize(
    ("path", "layout", "is_proxy"),
    [
        ("/m/P2/CONTENTS/AUDIO/0001AB00.MXF", "P2", False),
        ("/m/P2/CONTENTS/PROXY/0001AB.MP4", "P2", True),
        ("/m/P2/CONTENTS/VIDEO/note.mov", "P2", False),
        ("/m/EX/BPAV/TAKR/709_001/709_001.MP4", "XDCAM EX", False),
        ("/m/SAM/PROAV/CLPR/C0001/C0001A01.MXF", "XDCAM SAM", False),
        ("/m/SAM/PROAV/CLPR/C0001/C0001S01.MXF", "XDCAM SAM", True),
        ("/m/FX/PRIVATE/M4ROOT/SUB/C0001S03.MP4", "XAVC", True),
        ("/m/FX/PRIVATE/M4ROOT/GENERAL/x.mp4", "XAVC", False),
        ("/m/HMC/PRIVATE/AVCHD/BDMV/PLAYLIST/00000.MTS", "AVCHD", False),
        ("/m/PDW/Sub/C0001S01.MXF", "XDCAM", True),
        ("/m/PDW/Edit/E0001.MXF", "XDCAM", False),
    ],
)
def test_what_lies_beside_the_clips_is_none(path: str, layout: str, *, is_proxy: bool) -> None:
    place = place_of(path, disc_roots(DISC))
    assert (place.layout, place.is_clip, place.is_proxy) == (layout, False, is_proxy)


def test_folders_called_clip_and_sub_alone_make_no_disc() -> None:
    assert place_of("/m/PDW/Clip/C0001.MXF", frozenset()) == NO_CARD
    assert place_of("/m/PDW/Sub/C0001S01.MXF", frozenset()) == NO_CARD
    assert place_of("/m/PDW/holiday.mov", disc_roots(DISC)) == NO_CARD


@pytest.mark.parametrize("proxy", ["/m/PDW/Sub/C0001S01.MXF", "/m/PDW/SUB/c0001s03.mp4"])
def test_a_proxy_in_sub_beside_its_clip_makes_a_disc_too(proxy: str) -> None:
    """Where only the folders were copied, the list of clips is missing."""
    discs = disc_roots(["/m/PDW/Clip/C0001.MXF", proxy])
    assert place_of("/m/PDW/Clip/C0001.MXF", discs) == Place("XDCAM", is_clip=True)
    assert place_of(proxy, discs) == Place("XDCAM", is_clip=False, is_proxy=True)


@pytest.mark.parametrize("other", ["/m/PDW/Clip/C0002.MXF", "/m/Other/Clip/C0001.MXF", "/m/PDW/C0001.MXF"])
def test_a_proxy_in_sub_without_its_clip_makes_none(other: str) -> None:
    assert disc_roots([other, "/m/PDW/Sub/C0001S01.MXF"]) == frozenset()


def test_sound_apart_is_said_of_the_layouts_that_have_it() -> None:
    assert place_of("/m/CONTENTS/VIDEO/0001AB.MXF", frozenset()).separate_audio
    assert not place_of("/m/CONTENTS/AVCLIP/0001AB.MXF", frozenset()).separate_audio


def test_parts_of_one_shot_are_told_by_their_names() -> None:
    clips = [
        "/m/CLIPS001/A10091/A1009101.MXF",
        "/m/CLIPS001/A10092/A1009202.MXF",
        "/m/CLIPS001/A10092/A1009201.MXF",
        "/m/BPAV/CLPR/709_001_01/709_001_01.MP4",
        "/m/BPAV/CLPR/709_001_02/709_001_02.MP4",
        "/m/BPAV/CLPR/709_002_01/709_002_01.MP4",
        "/m/DCIM/100GOPRO/GX020123.MP4",
        "/m/DCIM/100GOPRO/GX010123.MP4",
        "/m/DCIM/100GOPRO/GX010124.MP4",
        "/m/DCIM/100GOPRO/GP010007.MP4",
        "/m/DCIM/100GOPRO/GOPR0007.MP4",
        "/m/A001_C001.RDC/A001_C001_0101AB_002.R3D",
        "/m/A001_C001.RDC/A001_C001_0101AB_001.R3D",
        "/m/other.mov",
    ]
    assert {tuple(path.rpartition("/")[2] for path in span) for span in spanned_by_name(clips)} == {
        ("A1009201.MXF", "A1009202.MXF"),
        ("709_001_01.MP4", "709_001_02.MP4"),
        ("GX010123.MP4", "GX020123.MP4"),
        ("GOPR0007.MP4", "GP010007.MP4"),
        ("A001_C001_0101AB_001.R3D", "A001_C001_0101AB_002.R3D"),
    }
