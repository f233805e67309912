import pytest

from proxx_worker.feeding.cards import Place
from proxx_worker.feeding.clips import Clip, Findings, Skip, content_skip, folder_skip, has_extension, name_skip, tell
from proxx_worker.media.content_kind import ContentKind

P2 = Place("P2", is_clip=True, separate_audio=True)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (".DS_Store", Skip.HIDDEN),
        ("._A001C001.mov", Skip.HIDDEN),
        ("A001.mov.part", Skip.UNFINISHED),
        ("A001.MOV.TMP", Skip.UNFINISHED),
        ("A001.mov.crdownload", Skip.UNFINISHED),
        ("A001.mov~", Skip.UNFINISHED),
        ("GOPR0001.THM", Skip.THUMBNAIL),
        ("GL010001.LRV", Skip.PROXY),
        ("DJI_0001.LRF", Skip.PROXY),
        ("A001C001_CANON_001_Proxy.MP4", Skip.PROXY),
        ("A_0001C001X250101_101112XX_CANON_001_Proxy.MP4", Skip.PROXY),
        ("ProRes_422_Proxy.mov", None),
        ("IMG_0001.CR3", Skip.STILL),
        ("A001C001.mov", None),
        ("A001C001.xml", None),
        ("part.mov", None),
        ("proxy.mov", None),
    ],
)
def test_a_name_rules_out_what_it_can(name: str, reason: Skip | None) -> None:
    assert name_skip(name) is reason


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (".Trashes", Skip.HIDDEN),
        ("System Volume Information", Skip.SYSTEM),
        ("$RECYCLE.BIN", Skip.SYSTEM),
        ("Proxy", Skip.PROXY_FOLDER),
        ("proxies", Skip.PROXY_FOLDER),
        ("Dailies", Skip.PROXY_FOLDER),
        ("CLIP", None),
    ],
)
def test_folders_of_others_and_of_proxies_are_not_looked_through(name: str, reason: Skip | None) -> None:
    assert folder_skip(name, own_proxies={"Dailies"}) is reason


def test_an_extension_is_asked_for_in_any_spelling() -> None:
    assert has_extension("a/A001.MXF", ["mov", ".mxf"])
    assert not has_extension("a/A001.mp4", ["mov", ".mxf"])
    assert not has_extension("a/A001", ["mov"])


def test_content_decides_and_then_the_place() -> None:
    beside = Place("P2", is_clip=False)
    assert content_skip(ContentKind.MOVIE, P2) is None
    assert content_skip(ContentKind.RAW, P2) is None
    assert content_skip(ContentKind.TEXT, P2) is Skip.TEXT
    assert content_skip(ContentKind.MOVIE, beside) is Skip.CARD_DATA
    assert content_skip(ContentKind.MOVIE, Place("XAVC", is_clip=False, is_proxy=True)) is Skip.PROXY
    assert content_skip(ContentKind.AUDIO, beside) is Skip.AUDIO
    kinds = set(ContentKind) - {ContentKind.MOVIE, ContentKind.RAW}
    assert {content_skip(kind, P2) for kind in kinds} == {Skip(kind.value) for kind in kinds}


def test_it_is_told_in_one_line_and_what_a_person_must_know_in_others() -> None:
    clips = (
        Clip("/c/V/1.MXF", "/c", "V/1.MXF", place=P2),
        Clip("/c/V/2.MXF", "/c", "V/2.MXF", place=P2),
        Clip("/c/a.mov", "/c", "a.mov"),
    )
    skipped = (("/c/a.txt", Skip.TEXT), ("/c/b.wav", Skip.AUDIO), ("/c/c.txt", Skip.TEXT))
    assert tell(Findings(clips, skipped, (("/c/V/1.MXF", "/c/V/2.MXF"),))) == [
        "3 clips (2 P2), 3 skipped: 2 text, 1 audio",
        "spanned, one task each: 1.MXF + 2.MXF",
        "2 clips from cards that store audio in separate files: their proxies have no audio",
    ]
    assert tell(Findings((clips[2],), ())) == ["1 clip, none skipped"]
    many = tuple((f"/{number}", f"/{number}b") for number in range(25))
    assert tell(Findings((), (), many))[-1] == "and 5 more spanned shots"
