"""Whether two paths name one clip."""

from pathlib import Path
from unicodedata import normalize

import pytest

from proxx_worker.feeding.same_clip import same_clip


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("/not/there/a.mov", "/not/there/a.mov", True),
        ("//not/./there//a.mov", "/not/there/a.mov", True),
        (normalize("NFC", "/not/there/\u00e9.mov"), normalize("NFD", "/not/there/\u00e9.mov"), True),
        ("/not/there/a.mov", "/not/there/A.mov", False),
        ("/not/there/b/../a.mov", "/not/there/a.mov", False),
    ],
)
def test_what_is_not_there_goes_by_its_name(one: str, other: str, *, same: bool) -> None:
    assert same_clip(one, other) is same
    assert same_clip(other, one) is same


def test_what_is_there_goes_by_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "card" / "deep").mkdir(parents=True)
    (tmp_path / "card" / "a.mov").write_bytes(b"a")
    (tmp_path / "card" / "b.mov").write_bytes(b"b")
    (tmp_path / "link").symlink_to(tmp_path / "card" / "deep")
    a = f"{tmp_path}/card/a.mov"
    assert same_clip(f"{tmp_path}/link/../a.mov", a)
    assert not same_clip(f"{tmp_path}/link/../b.mov", a)
    assert not same_clip(f"{tmp_path}/card/c.mov", a)


def test_two_files_whose_names_differ_in_their_accents_alone_are_two_clips(tmp_path: Path) -> None:
    one, other = (tmp_path / normalize(form, "\u00e9.mov") for form in ("NFC", "NFD"))
    one.write_bytes(b"1")
    other.write_bytes(b"2")
    assert same_clip(str(one), str(other)) is (one.stat().st_ino == other.stat().st_ino)
