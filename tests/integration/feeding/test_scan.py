"""Real folders looked through."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.feeding.clips import Skip
from proxx_worker.feeding.scan import Walk, find_clips, walk
from tests.integration.feeding.conftest import MOVIE
from tests.unit.feeding.test_spans import CLIP, NEXT, TOP, playlist

Put = Callable[..., Path]
PARTITION = bytes.fromhex("060e2b34020501010d01020101020400") + b"\0" * 88


ANYWHERE = Walk()


def found(root: Path, how: Walk = ANYWHERE) -> tuple[list[str], dict[str, Skip]]:
    findings = find_clips([str(root)], how)
    skipped = {os.path.relpath(path, root): reason for path, reason in findings.skipped}
    return [clip.relative for clip in findings.clips], skipped


def test_clips_are_told_by_content_and_everything_else_by_its_reason(tmp_path: Path, put: Put) -> None:
    for name in ("B/2.mov", "A/1.bin", "A/b.mov", "A/a/3"):
        put(f"card/{name}")
    put("card/notes.txt", b"two takes")
    put("card/A/sound.wav", b"RIFF\0\0\0\0WAVEfmt ")
    put("card/A/still.mov", b"\xff\xd8\xff\xe0")
    put("card/empty.mov", b"")
    put("card/noise.mov", b"\0\1\2\3\4\5")
    put("card/._1.mov")
    put("card/.Trashes/1.mov")
    put("card/A/Proxy/1.mov")
    put("card/C.mov.part")
    (tmp_path / "card" / "link").symlink_to(tmp_path)
    (tmp_path / "card" / "linked.mov").symlink_to(tmp_path / "card" / "B" / "2.mov")
    (tmp_path / "card" / "dangling.mov").symlink_to(tmp_path / "nothing")
    os.mkfifo(tmp_path / "card" / "fifo.mov")
    clips, skipped = found(tmp_path / "card")
    assert clips == ["A/1.bin", "A/a/3", "A/b.mov", "B/2.mov", "linked.mov"]
    assert skipped == {
        "notes.txt": Skip.TEXT, "A/sound.wav": Skip.AUDIO, "A/still.mov": Skip.STILL, "empty.mov": Skip.EMPTY,
        "dangling.mov": Skip.BROKEN_LINK,
        "noise.mov": Skip.UNKNOWN, "._1.mov": Skip.HIDDEN, ".Trashes": Skip.HIDDEN, "A/Proxy": Skip.PROXY_FOLDER,
        "C.mov.part": Skip.UNFINISHED, "link": Skip.LINK, "fifo.mov": Skip.SPECIAL,
    }  # fmt: skip


def test_our_own_outputs_are_left_out_also_behind_a_symlink(tmp_path: Path, put: Put) -> None:
    put("san/in/1.mov")
    put("san/in/out/1.mov")
    put("san/in/Dailies/1.mov")
    (tmp_path / "alias").symlink_to(tmp_path / "san")
    how = Walk(own_proxies=frozenset({"Dailies"}), left_out=frozenset({str(tmp_path / "san" / "in" / "out")}))
    assert found(tmp_path / "alias" / "in", how)[0] == ["1.mov"]


def test_a_folder_can_be_looked_at_without_those_below(tmp_path: Path, put: Put) -> None:
    put("in/1.mov")
    put("in/A/2.mov")
    assert [entry.relative for entry in walk(str(tmp_path / "in"), Walk(recursive=False)).entries] == ["1.mov"]


def test_a_stop_ends_the_walk(tmp_path: Path, put: Put) -> None:
    put("in/1.mov")
    assert walk(str(tmp_path / "in"), Walk(), lambda: True).entries == []


def test_a_name_of_any_bytes_is_found(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/card/\xe4"
    Path(os.fsdecode(folder)).mkdir(parents=True)
    Path(os.fsdecode(folder + b"/\xff.mov")).write_bytes(MOVIE)
    (clip,) = find_clips([str(tmp_path / "card")], Walk()).clips
    assert clip.relative == "\udce4/\udcff.mov"


def test_a_folder_that_cannot_be_listed_is_no_empty_one(tmp_path: Path) -> None:
    with pytest.raises(ProxxError) as caught:
        find_clips([str(tmp_path / "nothing")], Walk())
    assert caught.value.code is ErrorCode.IO_ERROR
    (fault,) = walk(str(tmp_path / "nothing"), Walk()).unreadable
    assert "nothing" in fault.error.message


def test_two_roots_one_in_the_other_have_each_clip_once(tmp_path: Path, put: Put) -> None:
    put("card/A/1.mov")
    findings = find_clips([str(tmp_path / "card"), str(tmp_path / "card" / "A")], Walk())
    assert [clip.relative for clip in findings.clips] == ["A/1.mov"]


def test_cards_of_every_layout_give_their_clips_and_nothing_else(tmp_path: Path, put: Put) -> None:
    audio = PARTITION + bytes.fromhex("060e2b34040101010d010301 020601 00")
    clips = {
        "P2/CONTENTS/VIDEO/0001AB.MXF", "XF/CONTENTS/CLIPS001/A10091/A1009101.MXF", "EX/BPAV/CLPR/709_001_01/709_001_01.MP4",
        "FX/PRIVATE/M4ROOT/CLIP/C0001.MP4", "FS/XDROOT/Clip/Clip0001.MXF", "PDW/Clip/C0001.MXF",
        "HMC/PRIVATE/AVCHD/BDMV/STREAM/00000.MTS", "HERO/DCIM/100GOPRO/GX010123.MP4", "5D/DCIM/100CANON/MVI_0001.MOV",
        "A001R1AB/A001C001_170101_R1AB.mov", "loose/holiday.mov",
    }  # fmt: skip
    for name in clips:
        put(f"cards/{name}", PARTITION if name.endswith("MXF") else MOVIE)
    for name in (
        "P2/CONTENTS/PROXY/0001AB.MP4", "FX/PRIVATE/M4ROOT/SUB/C0001S03.MP4", "FS/XDROOT/Sub/Clip0001S03.MP4",
        "HERO/DCIM/100GOPRO/GL010123.LRV", "HERO/DCIM/100GOPRO/GX010123.THM", "FX/PRIVATE/M4ROOT/THMBNL/C0001T01.JPG",
        "PDW/Sub/C0001S01.MXF", "PDW/Edit/E0001.MP4",
    ):  # fmt: skip
        put(f"cards/{name}")
    put("cards/P2/CONTENTS/AUDIO/0001AB00.MXF", audio)
    put("cards/PDW/MEDIAPRO.XML", b"<?xml version='1.0'?>")
    assert set(found(tmp_path / "cards")[0]) == clips


def test_parts_of_one_shot_are_found_by_name_by_playlist_and_by_clip_file(tmp_path: Path, put: Put) -> None:
    for name in ("00000", "00001", "00002"):
        put(f"c/AVCHD/BDMV/STREAM/{name}.MTS")
    put("c/AVCHD/BDMV/PLAYLIST/00000.MPL", playlist(("00000", 1), ("00001", 1), ("00002", 5), ("00009", 5)))
    put("c/DCIM/100GOPRO/GX010123.MP4")
    put("c/DCIM/100GOPRO/GX020123.MP4")
    for name, relation in (("0001AB", NEXT), ("0002CD", TOP), ("0003EF", b"")):
        put(f"c/CONTENTS/VIDEO/{name}.MXF", PARTITION)
        put(f"c/CONTENTS/CLIP/{name}.XML", CLIP % (b"ONE" if relation is NEXT else name.encode(), relation))
    put("c/CONTENTS/VIDEO/0004GH.MXF", PARTITION)
    spans = find_clips([str(tmp_path / "c")], Walk()).spans
    assert [[Path(path).name for path in span] for span in spans] == [
        ["GX010123.MP4", "GX020123.MP4"],
        ["00001.MTS", "00002.MTS"],
        ["0001AB.MXF", "0002CD.MXF"],
    ]
