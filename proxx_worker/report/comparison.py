"""The one FFmpeg pass over a source and its proxy, as data: both brought to one size, one range, one matrix and one time base.

Frames are paired by their number, not by their time: each gets the time number/rate, so that one that slipped is compared with
the wrong frame, as an editor would see it. PQ and HLG stay as they are: nothing is tone-mapped.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import sqrt

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.media.demuxers import demuxer_name
from proxx_worker.media.facts import MediaFacts, VideoFacts
from proxx_worker.media.pixel_formats import pixel_format
from proxx_worker.media.probe_command import PROBE_BYTES, PROBE_MICROSECONDS
from proxx_worker.planning.argv import dropping, input_name, numbered, protocols, uncropped
from proxx_worker.planning.color import MATRIX_FILTER_NAMES, is_full_range, is_standard_definition
from proxx_worker.planning.color_tags import same
from proxx_worker.planning.geometry import upright

MEAN_WIDTH, MEAN_HEIGHT = 48, 28
"""The size of the small image whose pixels are block means: coding noise averages out in it, a moved or wrong frame does not."""

SAMPLE_WIDTH, SAMPLE_HEIGHT = 96, 54
"""The points of each frame at which luma is read as it is."""

AUDIO_RATE = 16_000
"""Samples per second of the compared audio: enough for its envelope and timing, a third of the usual rate."""

MOST_AUDIO_STREAMS = 32
"""Compared streams of one file: AVI, which transports the measurements, has room for 100 in all."""

_LARGEST = 960 * 540
_SMALLEST = 32
_EXACT = "accurate_rnd+full_chroma_inp"
_AREA = f"area+{_EXACT}"
_BICUBIC = f"bicubic+{_EXACT}"
_UNTAGGED = "setparams=range=tv:color_primaries=unknown:color_trc=unknown:colorspace=bt709"
"""One set of tags for both: a newer FFmpeg would convert the one to the other's by itself."""

_PRINT = r"metadata=mode=print:file=pipe\\:2:direct=1"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A source and its proxy, and how they are compared.

    `converted_rate`: the rate that the proxy was converted to, None where every frame kept its time. `width`, `height`: of
    both, in pixels. `source_matrix`, `proxy_matrix`: by which each is read, in ffprobe's names; the source's is the common one.
    """

    source: MediaFacts
    proxy: MediaFacts
    converted_rate: Fraction | None
    width: int
    height: int
    source_matrix: str
    proxy_matrix: str

    @property
    def rate(self) -> Fraction:
        """Frames per second of the comparison; of a variable rate the average."""
        return self.converted_rate or self.source.video.rate

    @property
    def interlaced(self) -> bool:
        """Whether either video has two moments in a frame."""
        return self.source.video.interlaced or self.proxy.video.interlaced

    @property
    def audio_streams(self) -> int:
        """Audio streams that both have and that are compared."""
        return min(len(self.source.audio), len(self.proxy.audio), MOST_AUDIO_STREAMS)


def plan_comparison(source: MediaFacts, proxy: MediaFacts, converted_rate: Fraction | None) -> Comparison:
    """How `source` and `proxy` are compared: at the proxy's size, or less where that has more than half a million pixels."""
    shown = upright(proxy.video)
    factor = min(1.0, sqrt(_LARGEST / (shown.width * shown.height)))
    matrix = _matrix_of(source.video)
    return Comparison(
        source,
        proxy,
        converted_rate,
        _side(shown.width * factor, 2),
        # Fields of 4:2:0: each has whole chroma lines.
        _side(shown.height * factor, 4 if source.video.interlaced or proxy.video.interlaced else 2),
        matrix,
        # What a proxy leaves unspecified its source left unspecified, and its smaller size must not decide the matrix.
        matrix if proxy.video.color.matrix is None and not _is_rgb(proxy.video) else _matrix_of(proxy.video),
    )


def _side(length: float, multiple: int) -> int:
    """SSIM needs blocks of 8 in chroma as well, so a tiny frame is enlarged."""
    return max(_SMALLEST, int(length) // multiple * multiple)


def _matrix_of(video: VideoFacts) -> str:
    """The matrix with which a player decodes this video; if unspecified, by its size. RGB gets its own from the scaler."""
    if _is_rgb(video):
        return "bt2020nc" if video.color.primaries == "bt2020" else "bt709"
    return video.color.matrix or ("smpte170m" if is_standard_definition(video) else "bt709")


def _is_rgb(video: VideoFacts) -> bool:
    kind = pixel_format(video.pixel_format)
    return kind is not None and kind.chroma == "rgb"


def comparison_argv(ffmpeg: str, comparison: Comparison, source: str, proxy: str) -> list[str]:
    """The whole command. `source` and `proxy`: names of open descriptors (`/dev/fd/5`).

    Standard output is an AVI file: the mosaic of block means (planar 4:2:0, source above proxy), that of samples (likewise),
    then for each audio stream the source's and the proxy's (16-bit, all channels). Standard error has the figures as blocks of
    `frame:` and `key=value` lines, beside what FFmpeg complains of. Raises SOURCE_UNSUPPORTED for a container that no worker
    opens.
    """
    outputs = ["[means]", "[samples]"]
    for number in range(comparison.audio_streams):
        outputs += [f"[source{number}]", f"[proxy{number}]"]
    return [
        ffmpeg, "-nostdin", "-hide_banner", "-nostats", "-loglevel", "level+warning",
        "-filter_complex_threads", "1",
        *input_options(comparison.source), "-i", input_name(comparison.source, source),
        *input_options(comparison.proxy), "-i", input_name(comparison.proxy, proxy),
        "-filter_complex", ";".join(_graph(comparison)),
        *(word for output in outputs for word in ("-map", output)),
        "-c:v", "rawvideo", "-c:a", "pcm_s16le", "-fps_mode", "passthrough", "-map_metadata", "-1", "-f", "avi", "pipe:1",
    ]  # fmt: skip


def input_options(facts: MediaFacts) -> list[str]:
    """The options before a file's `-i`: only that file is opened, with the demuxer that the probe found."""
    demuxer = demuxer_name(",".join(facts.formats))
    if demuxer is None:
        name = ",".join(facts.formats)
        raise ProxxError(ErrorCode.SOURCE_UNSUPPORTED, f"files in the format {name} cannot be compared")
    return [
        *protocols(facts), "-f", demuxer, *dropping(facts),
        "-probesize", str(PROBE_BYTES), "-analyzeduration", str(PROBE_MICROSECONDS),
        *uncropped(facts.video), *numbered(facts),
    ]  # fmt: skip


def _graph(comparison: Comparison) -> list[str]:
    source, proxy = comparison.source, comparison.proxy
    mean = f"scale={MEAN_WIDTH}:{MEAN_HEIGHT}:flags={_AREA},setsar=1"
    lines = [
        f"[0:{source.video.index}]{','.join(_timed(comparison, 'source'))},split=2[s0][s1]",
        f"[1:{proxy.video.index}]{','.join(_timed(comparison, 'proxy'))},split=2[p0][p1]",
        f"[s0]{','.join(_compared(comparison, source.video, 'source'))},split=2[s2][s3]",
        f"[p0]{','.join(_compared(comparison, proxy.video, 'proxy'))}[p2]",
        # All end with the shorter one: the rest of the longer one shows in the numbers of frames.
        f"[p2][s2]ssim=shortest=1,metadata=mode=modify:key=of:value=pair,{_PRINT}[p3]",
        f"[s3]{mean}[s4]", f"[p3]{mean}[p4]", "[s4][p4]vstack=shortest=1[means]",
        # Points of the frames as they are: any scaling would soften values beyond black and white.
        f"[s1]{','.join(_sampled(comparison, source.video))}[s5]",
        f"[p1]{','.join(_sampled(comparison, proxy.video))}[p5]",
        "[s5][p5]vstack=shortest=1[samples]",
    ]  # fmt: skip
    for number in range(comparison.audio_streams):
        for file, facts, side in ((0, source, "source"), (1, proxy, "proxy")):
            lines.append(f"[{file}:{facts.audio[number].index}]{','.join(_audio(side, number))}[{side}{number}]")
    return lines


def printed(side: str) -> list[str]:
    """The filters that print the time of each frame on standard error."""
    return [
        # Nothing from a file may be taken for a figure.
        "sidedata=mode=delete",
        "metadata=mode=delete",
        f"metadata=mode=add:key=of:value={side}",
        _PRINT,
    ]


def _timed(comparison: Comparison, side: str) -> list[str]:
    """Each frame's time is printed, then replaced by its number."""
    filters = printed(side)
    if side == "source" and comparison.converted_rate is not None:
        if "mxf" in comparison.proxy.formats:
            filters.append("setpts=PTS-STARTPTS")  # MXF has no late start: there the proxy counts from the first frame
        filters.append(f"fps=fps={comparison.converted_rate}:round=near")
    frame = 1 / comparison.rate
    return [*filters, f"settb={frame.numerator}/{frame.denominator}", "setpts=N"]


def _compared(comparison: Comparison, video: VideoFacts, side: str) -> list[str]:
    filters = to_common(comparison, video, comparison.width, comparison.height)
    if comparison.interlaced:
        filters += ["idet", f"metadata=mode=add:key=fields:value={side}", _PRINT]
    return filters


def _sampled(comparison: Comparison, video: VideoFacts) -> list[str]:
    scale = _scale(comparison, video, SAMPLE_WIDTH, SAMPLE_HEIGHT, "neighbor")
    return [scale, "format=pix_fmts=yuv420p", "setsar=1", _UNTAGGED]


def to_common(comparison: Comparison, video: VideoFacts, width: int, height: int) -> list[str]:
    """The filters that bring one of the videos to `width` x `height`, 8-bit 4:2:0, limited range and the common matrix."""
    shown = upright(video)
    shrinks = shown.width * 3 > width * 4 and shown.height * 3 > height * 4
    scale = _scale(comparison, video, width, height, _AREA if shrinks else _BICUBIC)
    # Each field is a different moment: scaling across them would blend two into one line.
    filters = [scale + ":interl=1" if comparison.interlaced else scale, "format=pix_fmts=yuv420p"]
    matrix = _matrix(comparison, video)
    given, common = MATRIX_FILTER_NAMES.get(matrix), MATRIX_FILTER_NAMES.get(comparison.source_matrix)
    if given is not None and common is not None and not same("matrix", matrix, comparison.source_matrix):
        filters.append(f"colormatrix={given}:{common}")
    return [*filters, "setsar=1", _UNTAGGED]


def _scale(comparison: Comparison, video: VideoFacts, width: int, height: int, flags: str) -> str:
    kind, rgb = pixel_format(video.pixel_format), _is_rgb(video)
    full = rgb or (kind is not None and is_full_range(video, kind))
    scale = f"scale=w={width}:h={height}:flags={flags}:in_range={'pc' if full else 'tv'}:out_range=tv"
    return f"{scale}:out_color_matrix={'bt2020' if _matrix(comparison, video) == 'bt2020nc' else 'bt709'}" if rgb else scale


def _matrix(comparison: Comparison, video: VideoFacts) -> str:
    return comparison.source_matrix if video is comparison.source.video else comparison.proxy_matrix


def _audio(side: str, number: int) -> list[str]:
    return [
        "ametadata=mode=delete",
        # From the file's start, with silence in gaps: late, early or broken audio shows in its samples. 2 ms is more than
        # any container rounds a time by, and less than a gap that would be heard as a lag (11 ms in a real clip).
        "aresample=48000:async=1:min_hard_comp=0.002:first_pts=0",
        "ebur128=metadata=1",
        f"ametadata=mode=add:key=of:value={side}{number}",
        f"a{_PRINT}",
        f"aresample={AUDIO_RATE}",
        "aformat=sample_fmts=s16",
    ]
