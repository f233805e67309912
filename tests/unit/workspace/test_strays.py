"""Files that are not JobSpecs: reported once, and not while somebody still renames them into place."""

from proxx_worker.workspace.strays import Strays


def test_one_sight_is_not_enough() -> None:
    strays = Strays()
    strays.seen([b"spec.json.part"])
    assert strays.take() == ()
    strays.seen([])
    assert strays.take() == ()


def test_what_stays_is_reported_once() -> None:
    strays = Strays()
    for _ in range(2):
        strays.seen([b"b.mov", b"a.mov"])
    assert strays.take() == (b"a.mov", b"b.mov")
    strays.seen([b"b.mov", b"a.mov", b"c.mov"])
    assert strays.take() == ()
    strays.seen([b"b.mov", b"a.mov", b"c.mov"])
    assert strays.take() == (b"c.mov",)


def test_what_went_and_came_again_is_reported_again() -> None:
    strays = Strays()
    for names in ([b"a"], [b"a"]):
        strays.seen(names)
    assert strays.take() == (b"a",)
    for names in ([], [b"a"], [b"a"]):
        strays.seen(names)
    assert strays.take() == (b"a",)


def test_what_went_before_it_was_taken_is_not_reported() -> None:
    strays = Strays()
    for names in ([b"a"], [b"a"], []):
        strays.seen(names)
    assert strays.take() == ()


def test_a_folder_full_of_clips_is_not_remembered_whole() -> None:
    strays = Strays()
    for _ in range(2):
        strays.seen(b"%06d.mov" % number for number in range(100_000))
    assert len(strays.take()) == 1000
