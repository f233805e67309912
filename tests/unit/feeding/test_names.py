from hypothesis import given
from hypothesis import strategies as st

from proxx_worker.contract.candidates import is_candidate_name
from proxx_worker.feeding.names import chunk_stem, spec_stem

PARTS = st.lists(st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=12), min_size=1, max_size=4)


def test_root_path_and_profile_are_in_the_name() -> None:
    assert spec_stem("/mnt/CARD_A", "CLIP/C0001.MP4", "proxy_h264_low") == "CARD_A+CLIP+C0001.MP4+proxy_h264_low"
    assert spec_stem("/", "C0001.MP4", "p") == "C0001.MP4+p"
    assert spec_stem("/mnt/.card", "C 1+2%.MP4", "p") == "%2Ecard+C 1%2B2%25.MP4+p"


def test_chunks_are_numbered() -> None:
    assert chunk_stem("/mnt/CARD_A", "", "p", 0) == "CARD_A+p-000"
    assert chunk_stem("/mnt/CARD_A", "CLIP", "p", 1234) == "CARD_A+CLIP+p-1234"


def test_a_long_name_keeps_its_end_and_stays_unlike_others() -> None:
    one, other = (spec_stem("/r", f"{letter}{'ä' * 300}/C0001.MP4", "proxy_h264_low") for letter in "ab")
    assert one != other
    assert one.endswith("+C0001.MP4+proxy_h264_low")
    assert len(one.encode()) <= 227, "a number may be added to it"
    assert len(chunk_stem("/r", "x" * 300, "p", 7).encode()) == 227


@given(PARTS, PARTS)
def test_no_two_clips_share_a_name_and_every_name_is_taken_from_an_inbox(one: list[str], other: list[str]) -> None:
    names = [spec_stem("/r", "/".join(parts), "p") for parts in (one, other)]
    assert (names[0] == names[1]) == (one == other)
    assert all(is_candidate_name(name.encode() + b".json") for name in names)


@given(st.binary(min_size=1, max_size=300).filter(lambda name: b"/" not in name and b"\0" not in name))
def test_a_name_of_any_bytes_has_one(name: bytes) -> None:
    stem = spec_stem("/r", name.decode("utf-8", "surrogateescape"), "p").encode("utf-8", "surrogateescape")
    assert is_candidate_name(stem + b".json")
