"""The images on the page: frames of source and proxy, and their difference, extracted from both files by a checked seek."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import isclose

from proxx_worker.engines.source_file import OpenSource
from proxx_worker.engines.tools import Tools
from proxx_worker.media.demuxers import NUMBERED
from proxx_worker.planning.argv import input_name
from proxx_worker.planning.geometry import upright
from proxx_worker.process.child import run_child
from proxx_worker.process.stop import StopSignal
from proxx_worker.report.avi import AviStreams
from proxx_worker.report.compare import require_ended
from proxx_worker.report.comparison import Comparison, input_options, printed, to_common
from proxx_worker.report.figures import FigureReader
from proxx_worker.report.summary import Place

WIDTH, HEIGHT = 400, 300
"""The box that an image fits in, in pixels."""

GAIN = 8
"""The factor of the difference."""

_QUALITIES = (5, 9, 15, 24, 31)
_VIEWS = 3
_SCALER_NAMES = {"bt2020nc": "bt2020", "smpte170m": "bt601", "bt470bg": "bt470", "smpte240m": "smpte240m", "fcc": "fcc"}


@dataclass(frozen=True, slots=True)
class ShownFrame:
    """Three JPEG files of one size."""

    place: Place
    width: int
    height: int
    source: bytes
    proxy: bytes
    difference: bytes


def show_frames(
    tools: Tools,
    comparison: Comparison,
    source: OpenSource,
    proxy: OpenSource,
    places: Sequence[Place],
    *,
    most_bytes: int,
    stop: StopSignal,
    stall_seconds: float,
) -> list[ShownFrame]:
    """The images of these frames, together at most `most_bytes` long as far as JPEG allows.

    A frame that cannot be extracted is left out. Raises INTERRUPTED for a stop, ENCODE_STALLED, FFMPEG_MISSING, IO_ERROR.
    """
    extractor = _Extractor(tools, comparison, (source, proxy), stop, stall_seconds)
    shown = []
    for found in places:
        # A bare stream has no times to seek by: it is decoded from its beginning.
        place = replace(found, source_time=None) if comparison.source.demuxer in NUMBERED else found
        allowed = most_bytes // max(1, len(places))
        for quality in _QUALITIES:
            pictures = extractor.extract(place, quality)
            if pictures is None or sum(map(len, pictures)) <= allowed:
                break
        else:
            pictures = None
        if pictures is not None:
            width, height = picture_size(comparison)
            shown.append(ShownFrame(place, width, height, *pictures))
    return shown


def picture_size(comparison: Comparison) -> tuple[int, int]:
    """Width and height in square pixels: as displayed, not as stored."""
    aspect = upright(comparison.source.video).display_aspect
    width = min(Fraction(WIDTH), HEIGHT * aspect)
    multiple = 4 if comparison.interlaced else 2
    return max(16, int(width) // 2 * 2), max(16, int(width / aspect) // multiple * multiple)


@dataclass(frozen=True, slots=True)
class _Extractor:
    """Extracts single frames of one comparison. `files`: source and proxy."""

    tools: Tools
    comparison: Comparison
    files: tuple[OpenSource, OpenSource]
    stop: StopSignal
    stall_seconds: float

    def extract(self, place: Place, quality: int) -> tuple[bytes, bytes, bytes] | None:
        pictures = self._run(place, quality)
        if pictures is None and (place.source_time or place.proxy_time):
            # The seek ended elsewhere: no index, or a wrong one. Counting frames from the first one is slow but reliable.
            pictures = self._run(replace(place, source_time=None, proxy_time=None), quality)
        return pictures

    def _run(self, place: Place, quality: int) -> tuple[bytes, bytes, bytes] | None:
        source, proxy = self.files
        descriptors = (source.descriptor, proxy.descriptor)
        streams, figures = AviStreams(), FigureReader()
        found: dict[int, bytes] = {}

        def take(data: bytes) -> None:
            for number, chunk in streams.feed(data):
                if chunk:
                    found.setdefault(number, chunk)

        paths = (source.descriptor_path, proxy.descriptor_path)
        child = run_child(
            picture_argv(self.tools.ffmpeg, self.comparison, paths, place, quality),
            stop=self.stop,
            on_stdout=take,
            on_stderr=figures.feed,
            stall_seconds=self.stall_seconds,
            pass_fds=descriptors,
            confinement=self.tools.confinement(reads=descriptors),
        )
        require_ended(self.tools, child, self.stall_seconds)
        times = figures.finish()
        there = _is_there(place.source_time, times.source_times) and _is_there(place.proxy_time, times.proxy_times)
        return (found[0], found[1], found[2]) if len(found) == _VIEWS and there else None


def _seek(time: tuple[float, float] | None) -> float:
    """Half-way from the frame before, so that no rounding in a container leads past the frame."""
    return 0.0 if time is None else (time[0] + time[1]) / 2


def _is_there(time: tuple[float, float] | None, printed_times: Sequence[float]) -> bool:
    """Whether the first frame after the seek is the wanted one."""
    if time is None:
        return True
    gap = time[1] - time[0]
    return bool(printed_times) and isclose(printed_times[0], time[1] - _seek(time), abs_tol=gap / 4)


def picture_argv(ffmpeg: str, comparison: Comparison, files: tuple[str, str], place: Place, quality: int) -> list[str]:
    """The command: an AVI file of three streams with one JPEG each on standard output, the frames' times on standard error."""
    width, height = picture_size(comparison)
    matrix = _SCALER_NAMES.get(comparison.source_matrix, "bt709")
    jpeg = "format=pix_fmts=yuvj420p"
    to_jpeg = f"scale=in_range=tv:out_range=pc:in_color_matrix={matrix}:out_color_matrix=bt601,{jpeg}"
    to_rgb = f"scale=in_range=tv:out_range=pc:in_color_matrix={matrix},format=pix_fmts=gbrp"
    words = [ffmpeg, "-nostdin", "-hide_banner", "-nostats", "-loglevel", "level+warning", "-filter_complex_threads", "1"]
    graph = []
    sides = (
        ("source", comparison.source, place.source_time, place.source_frame),
        ("proxy", comparison.proxy, place.proxy_time, place.frame),
    )
    for number, (side, facts, time, frame) in enumerate(sides):
        seek = [] if time is None else ["-ss", f"{_seek(time):.6f}"]
        words += [*input_options(facts), *seek, "-i", input_name(facts, files[number])]
        first = 0 if time is not None else frame
        filters = [
            *printed(side),
            f"trim=start_frame={first}:end_frame={first + 1}",
            "setpts=0",
            *to_common(comparison, facts.video, width, height),
        ]
        graph += [f"[{number}:{facts.video.index}]{','.join(filters)},split=2[a{number}][b{number}]"]
        graph += [f"[a{number}]{to_jpeg}[{side}]", f"[b{number}]{to_rgb}[c{number}]"]
    amplified = ":".join(f"{channel}='min(255,val*{GAIN})'" for channel in "rgb")
    graph.append(
        f"[c0][c1]blend=all_mode=difference:shortest=1,lutrgb={amplified},scale=out_range=pc:out_color_matrix=bt601,{jpeg}[difference]"
    )
    return [
        *words,
        "-filter_complex", ";".join(graph), "-map", "[source]", "-map", "[proxy]", "-map", "[difference]",
        "-c:v", "mjpeg", "-q:v", str(quality), "-flags:v", "+bitexact", "-map_metadata", "-1", "-f", "avi", "pipe:1",
    ]  # fmt: skip
