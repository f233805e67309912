"""Lines that FFmpeg 5.1 to 9.0 really printed, and what they mean."""

import re
from pathlib import Path

import pytest

from proxx_worker.media.ffmpeg_words import WORDS, Meaning, decoder_names, find, says, speaker, without_addresses

LINES = {
    "[info] Stream mapping:": Meaning.STARTED,
    "[error] av_interleaved_write_frame(): No space left on device": Meaning.NO_SPACE,
    "[vost#0:0/dnxhd @ 0x5555] [error] Error submitting a packet to the muxer: No space left on device": Meaning.NO_SPACE,
    "[vist#0:0/prores @ 0x1] [dec:prores @ 0x2] [error] Error submitting packet to decoder: Cannot allocate memory": (
        Meaning.NO_MEMORY
    ),
    "[prores_aw @ 0x5625e7a52c80] [error] Failed to allocate packet of size 33456628": Meaning.NO_MEMORY,
    "[error] x: Disk quota exceeded": Meaning.NO_SPACE,
    "[fatal] bad.mov: corrupt decoded frame in stream 0": Meaning.CORRUPT,
    "[h264 @ 0x564417e88380] [info] concealing 409 DC, 409 AC, 409 MV errors in B frame": Meaning.CORRUPT,
    "[vist#0:0/h264 @ 0x1a] [dec:h264 @ 0x2b] [fatal] corrupt decoded frame": Meaning.CORRUPT,
    "[in#0/mxf @ 0x5555600f9040] [fatal] corrupt input packet in stream 0": Meaning.CORRUPT,
    "[fatal] file:/x.mxf: corrupt input packet in stream 0": Meaning.INCOMPLETE,
    "[mpegts @ 0x55e5755e49c0] [warning] Packet corrupt (stream = 1, dts = 301498), dropping it.": Meaning.DROPPED,
    "[in#0/mpegts @ 0x5555893a6e80] [warning] Packet corrupt (stream = 1, dts = NOPTS), dropping it.": Meaning.DROPPED,
    "[error] Error while decoding stream #0:0: Invalid data found when processing input": Meaning.DECODING,
    "[vist#0:0/dnxhd @ 0x1a] [dec:dnxhd @ 0x2b] [error] Error submitting packet to decoder: Invalid data found": Meaning.DECODING,
    "[in#0/mxf @ 0x55] [error] Task finished with error code: -1094995529": Meaning.READING,
    "[in#0/mov,mp4,m4a,3gp,3g2,mj2 @ 0x55] [error] Error during demuxing: Input/output error": Meaning.READING,
    "[error] /x.mov: Input/output error": Meaning.READING,
    "[error] Could not write header for output file #0 (incorrect codec parameters ?): Operation not permitted": Meaning.WRITING,
    "[error] Error initializing output stream 0:0 -- ": Meaning.WRITING,
    "[out#0/mxf @ 0x55558526a840] [error] Could not write header (incorrect codec parameters ?)": Meaning.WRITING,
    "[vf#0:0 @ 0x55558527ae40] [error] Error sending frames to consumers: Operation not permitted": Meaning.WRITING,
    "[vost#0:0/libx264 @ 0x1] [enc:libx264 @ 0x2] [error] Error while opening encoder": Meaning.WRITING,
    "[mov @ 0x55] [error] Non-monotonous DTS in output stream 0:0; previous: 2560, current: 2560; aborting.": Meaning.TIMES,
    "[error] Non-monotonic DTS; previous: 2560, current: 2560": Meaning.TIMES,
    "[info] Conversion failed!": Meaning.GAVE_UP,
    "[out#0/mxf @ 0x55] [info] video:90KiB audio:2064KiB subtitle:0KiB other streams:0KiB": Meaning.AUDIO_WRITTEN,
    "[opus @ 0x55] [error] Error parsing Opus packet header.": Meaning.HARMLESS,
    "[opus @ 0x55] Error parsing Opus packet header.": Meaning.HARMLESS,
    "[h264 @ 0x55] [error] SEI type 5 size 2208 truncated at 1896": Meaning.HARMLESS,
    "[msmpeg4v3 @ 0x55] [error] ext header missing, 3 left": Meaning.HARMLESS,
    "[h264 @ 0x5606dbd11d40] [error] co located POCs unavailable": Meaning.REFERENCE,
    "[h264 @ 0x557d15657700] [error] mmco: unref short failure": Meaning.REFERENCE,
    "[h264 @ 0x557d15657700] [error] reference picture missing during reorder": Meaning.REFERENCE,
    "[h264 @ 0x557d15657700] [error] Missing reference picture, default is 65562": Meaning.REFERENCE,
    "[hevc @ 0x557d15657700] [error] Could not find ref with POC 8": Meaning.REFERENCE,
    "[Parsed_aresample_0 @ 0x7f] [SWR @ 0x7e] [error] Failed to compensate for timestamp delta of 3599.999667": Meaning.UNFILLED,
    "[mov,mp4,m4a,3gp,3g2,mj2 @ 0x5] Skipped opening external track: x.mov": Meaning.EXTERNAL_TRACK,
    "[hls,applehttp @ 0x5] Format not on whitelist 'mov'": Meaning.REFUSED_FORMAT,
}


@pytest.mark.parametrize(("line", "meaning"), LINES.items())
def test_a_line_means_what_it_says(line: str, meaning: Meaning) -> None:
    assert says(meaning, line)


@pytest.mark.parametrize("line", ["[h264 @ 0x1] [error] error while decoding MB 13 9", "[info] Input #0, mxf, from 'x'", ""])
def test_other_lines_mean_nothing(line: str) -> None:
    assert [meaning for meaning in Meaning if says(meaning, line)] == []


def test_every_meaning_was_seen_and_every_word_has_its_versions() -> None:
    assert {words.meaning for words in WORDS} == set(Meaning) == set(LINES.values())
    assert all(re.fullmatch(r"\d\.\d(, \d\.\d)*", words.seen) for words in WORDS)


def test_the_refused_format_is_told() -> None:
    refused = find(Meaning.REFUSED_FORMAT, "[hls,applehttp @ 0x5] Format not on whitelist 'mov'")
    assert refused is not None
    assert refused["format"] == "hls,applehttp"


@pytest.mark.parametrize(
    ("line", "name", "plain"),
    [
        ("[h264 @ 0x55e6] [error] Reference 4 >= 3", "h264", "[h264] [error] Reference 4 >= 3"),
        ("[vist#0:0/h264 @ 0x1a] [dec:h264 @ 0x2b] [fatal] x", "dec:h264", "[vist#0:0/h264] [dec:h264] [fatal] x"),
        ("[mov,mp4 @ 000001f2] y", "mov,mp4", "[mov,mp4] y"),
        ("[mpeg4 @ 0x1] [error] end (2 left 6F, score= -7)", "mpeg4", "[mpeg4] [error] end (2 left 6F)"),
        ("no speaker [h264 @ 0x1] here", "", "no speaker [h264] here"),
        ("", "", ""),
        (
            "[fatal] subfile,,start,0,end,18800,,:file:/dev/fd/0: corrupt decoded frame in stream 0",
            "",
            "[fatal] file:/dev/fd/0: corrupt decoded frame in stream 0",
        ),
    ],
)
def test_who_speaks_and_the_line_without_addresses(line: str, name: str, plain: str) -> None:
    assert (speaker(line), without_addresses(line)) == (name, plain)


def test_decoders_bear_their_codecs_names_or_their_own() -> None:
    assert decoder_names("aac") == {"aac", "aacfloat", "aac_fixed", "libaac"}
    assert "libdav1d" in decoder_names("av1")
    assert "prores_aw" not in decoder_names("prores")


def test_no_version_is_asked_for_or_compared(project_root: Path) -> None:
    """The operator pins FFmpeg. The words' table alone names versions, for readers."""
    asked = re.compile(
        r"""["']-?-version["']\s*,\s*["']-|["']-(?:show_)?(?:program_|library_)?versions?["']"""
        r"""|(?i:ff(?:mpeg|probe)\w*_?version|libav\w+)"""
    )
    for path in sorted((project_root / "proxx_worker").rglob("*.py")):
        code = re.sub(r'"""(?:[^"]|"(?!""))*"""', "", path.read_text())
        lines = [line.partition("# ")[0] for line in code.splitlines()]
        assert [line for line in lines if asked.search(line)] == [], path
