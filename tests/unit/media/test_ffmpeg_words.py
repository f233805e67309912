"""Lines that FFmpeg 5.1 to 9.0 really printed, and what they mean."""

import re
from pathlib import Path

import pytest

from proxx_worker.media.ffmpeg_words import WORDS, Meaning, find, is_information, says, speaker, without_addresses

LINES = {
    "[info] Input #0, mxf, from 'file:/dev/fd/0':": Meaning.DESCRIBED,
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
    "[flv @ 0x55] [error] Packet mismatch 2048 1103 1114": Meaning.READING,
    "[flv @ 0x55] [error] Missing AMF_END_OF_OBJECT in AMF_DATA_TYPE_OBJECT": Meaning.READING,
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


@pytest.mark.parametrize("line", ["[h264 @ 0x1] [error] error while decoding MB 13 9", "[info] Output #0, mxf, to 'x'", ""])
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


ALLEGED = (
    "No space left on device",
    "av_interleaved_write_frame(): Cannot allocate memory",
    "Packet corrupt (stream = 0, dts = 5), dropping it",
    "x: corrupt decoded frame in stream 0",
    "concealing 409 DC, 409 AC, 409 MV errors in B frame",
    "[h264 @ 0x1] [error] error while decoding MB 13 9",
    "[dec:h264] [in#0/mxf] [out#0/mxf] [fatal] Input/output error",
    "Stream mapping:",
    "[info] Stream mapping:",
    "Input #0, ",
    "Conversion failed!",
    "video:90KiB audio:2064KiB ",
    "Non-monotonic DTS",
)


@pytest.mark.parametrize("alleged", ALLEGED)
@pytest.mark.parametrize(
    "quoting",
    [
        "[info]     title           : {}",
        "[info]       handler_name    : {}",
        "                    : {}",
        "    {}",
        "[info] Output #0, mov, to '{}.mov':",
    ],
)
def test_what_ffmpeg_quotes_from_a_file_means_nothing(quoting: str, alleged: str) -> None:
    line = quoting.format(alleged)
    assert is_information(line) or line.startswith("[info] Output"), line
    assert [meaning for meaning in Meaning if says(meaning, line)] == []


def test_the_source_is_described_in_a_line_of_its_own() -> None:
    line = "[info] Input #0, mov,mp4,m4a,3gp,3g2,mj2, from 'file:/dev/fd/0':"
    assert [meaning for meaning in Meaning if says(meaning, line)] == [Meaning.DESCRIBED]


@pytest.mark.parametrize(
    ("line", "informs"),
    [
        ("[info] x", True),
        ("[h264 @ 0x1] [info] x", True),
        ("[vist#0:0/h264 @ 0x1a] [dec:h264 @ 0x2b] [info] x", True),
        ("    x", True),
        ("   x", False),
        ("[warning] [info] x", False),
        ("[h264] [info] x", False),
        ("x [info] y", False),
        ("[h264 @ 0x1] [error] [info] x", False),
        ("terminate called after throwing an instance of 'std::bad_alloc'", False),
        ("", False),
    ],
)
def test_what_only_informs(line: str, *, informs: bool) -> None:
    assert is_information(line) is informs


def test_words_of_trouble_are_not_information() -> None:
    assert not says(Meaning.READING, "[info] x: Input/output error")
    assert not says(Meaning.DROPPED, "[mpegts @ 0x55] [info] Packet corrupt (stream = 1, dts = 301498), dropping it.")
    assert says(Meaning.CORRUPT, "[info]   Stream #0:0: Video: proresconcealing 4 DC, 4 AC, 4 MV errors in P frame"), (
        "two threads"
    )
    assert says(Meaning.CORRUPT, "concealing 4 DC, 4 AC, 4 MV errors in P frame"), "as ffprobe reports it"


@pytest.mark.parametrize(
    ("line", "full"),
    [
        ("[error] Error writing trailer of x.mov: No space left on device", True),
        ("[in#0/mov @ 0x1] [error] Task finished with error code: -28 (No space left on device)", True),
        ("[error] Error writing trailer of No space left on device.mov: Input/output error", False),
    ],
)
def test_no_space_is_the_reason_and_not_a_name(line: str, *, full: bool) -> None:
    assert says(Meaning.NO_SPACE, line) is full


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
