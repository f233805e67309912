"""The proof of one proxy: everything that an editing system goes by, compared with its source. Each difference is one sentence.

Nothing of the worker's own checks is used: files are decoded and read by inspection.py, pictures.py, audio.py and labels.py
alone.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from tests.acceptance.media.audio import Channel, Match, channels, match
from tests.acceptance.media.inspection import Color, Look, complaints
from tests.acceptance.media.labels import MATRICES, PRIMARIES, TRANSFERS, Coded, movie, parameter_sets, prores, prores_fields
from tests.acceptance.media.pictures import Likeness, alpha_likeness, likeness, swapped_fields, thumbnails
from tests.acceptance.media.table import DNXHR, Target, Truth

LEAST_SSIM, MOST_SHIFT, MOST_TYPICAL = 0.82, 3.0, 2.0
"""Of camera pictures; the least is a grainy GoPro's worst frame in DNxHR LB.

What test_comparison.py does wrong lies far beyond.
"""

LEAST_PATTERN_SSIM, MOST_PATTERN_SHIFT = 0.60, 7.5
"""Of patterns of pure colours, whose edges 4:2:0 blurs; the typical difference is bounded as for cameras."""

LEAST_CORRELATION, MOST_LAG = 0.95, 1.0
_PLAIN_TAGS = frozenset(
    (
        *("major_brand", "minor_version", "compatible_brands", "language", "handler_name", "vendor_id", "encoder"),
        *("timecode", "reel_name"),
    )
)
_LONGEST_GOP = 12
_LARGEST_TERM = 4096


class Source:
    """A source's looks, each taken once for all proxies of it."""

    def __init__(self, seen: Look) -> None:
        """`seen`: as `inspection.look` sees it."""
        self.look = seen

    @cached_property
    def thumbnails(self) -> list[bytes]:
        """Every picture, small."""
        return thumbnails(self.look)

    @cached_property
    def channels(self) -> list[list[Channel]]:
        """Every channel of every stream."""
        return [channels(self.look, position) for position in range(len(self.look.sounds))]


@dataclass(frozen=True, slots=True)
class Proof:
    """What was found: `differences` (none for a true proxy), how like the pictures are, and how the sound lies."""

    differences: tuple[str, ...]
    likeness: Likeness
    matches: tuple[Match, ...]


def prove(truth: Truth, source: Source, proxy: Look, target: Target) -> Proof:
    """Compare a proxy with its source, and both with what is known of the clip."""
    alike = likeness(source.look, proxy, source.thumbnails)
    pairs = [
        pair
        for position, of_source in enumerate(source.channels[: len(proxy.sounds)])
        for pair in zip(of_source, channels(proxy, position), strict=False)
    ]
    matches = tuple(found for pair in pairs if (found := match(*pair)) is not None)
    differences = [
        *_of_source(truth, source.look),
        *_container(proxy, target),
        *_times(truth, source.look, proxy),
        *_labels(truth, proxy, target),
        *_geometry(truth, source.look, proxy, target),
        *_colors(source.look, proxy, target),
        *_likeness(truth, alike),
        *_sounds(source.look, proxy, target),
        *(f"sound lags {found.lag} ms" for found in matches if abs(found.lag) > MOST_LAG),
        *(f"sound differs: {found.correlation:.3f}" for found in matches if found.correlation < LEAST_CORRELATION),
        *([f"does not decode: {said}"] if (said := complaints(proxy.path)) else []),
    ]
    # Where nothing moves, both orders are as good.
    if truth.fields != "progressive" and swapped_fields(source.look, proxy) > alike.mean_ssim + 0.001:
        differences.append("the fields are in the wrong order")
    if truth.alpha and target.codec == "prores" and target.profile == "4444":
        kept = alpha_likeness(source.look, proxy)
        differences += [] if kept > 0.999 else [f"alpha differs: {kept}"]
    return Proof(tuple(differences), alike, matches)


def _equal(what: str, expected: object, actual: object) -> Iterator[str]:
    if expected != actual:
        yield f"{what} should be {expected}, is {actual}"


def _holds(what: str, holds: bool) -> Iterator[str]:
    if not holds:
        yield f"{what}: not so"


def _of_source(truth: Truth, source: Look) -> Iterator[str]:
    """That the source is what the table says: then the table is no hearsay."""
    yield from _equal("source frames", truth.frames, len(source.times))
    yield from _equal("source fields", truth.fields, source.fields)
    yield from _equal("source turns", truth.turns, source.turns)
    yield from _equal("source timecode", {truth.timecode} - {None}, source.timecodes)
    yield from _equal("source reel", {truth.reel} - {None}, source.reels)
    if not truth.misread:
        yield from _equal("source aspect", Fraction(truth.aspect), source.aspect)
    sounds = tuple(f"{sound.channels} {sound.layout or '-'} {sound.rate}" for sound in source.sounds)
    yield from _equal("source sound", truth.sounds, sounds)


def _container(proxy: Look, target: Target) -> Iterator[str]:
    yield from _holds("container", {"mp4": "mov"}.get(target.container, target.container) in proxy.container.split(","))
    yield from _equal("codec", target.codec, proxy.codec)
    yield from _equal("profile", target.profile or proxy.profile, proxy.profile)
    yield from _holds("a known pixel format", proxy.pixel_format in target.pixel_formats)
    yield from _equal("further streams", [], [tag for tag in proxy.others if tag != "tmcd"])
    if target.container != "mxf":
        yield from _equal("foreign tags", set(), set(proxy.tags) - _PLAIN_TAGS)
        yield from _holds("index first", movie(proxy.path).starts_fast)
    if target.codec in {"h264", "hevc"}:
        yield from _holds("no B-frames", "B" not in proxy.picture_types)
        yield from _holds("short groups", proxy.longest_gop <= _LONGEST_GOP)
        yield from _equal("tag", {"h264": "avc1", "hevc": "hvc1"}[target.codec], proxy.tag)


def _times(truth: Truth, source: Look, proxy: Look) -> Iterator[str]:
    yield from _equal("frames", truth.frames, len(proxy.times))
    asked = [time - source.times[0] for time in source.times]
    given = [time - proxy.times[0] for time in proxy.times]
    rate = truth.exact_rate
    if rate is None:
        yield from _equal("frame times", asked, given)
        if source.end is not None and source.end > source.times[-1]:
            yield from _equal("end", source.end - source.times[0], proxy.end and proxy.end - proxy.times[0])
        return
    yield from _holds("rate", rate in {proxy.rate, proxy.average_rate})
    yield from _equal("frame grid", [], [time for time in given if (time * rate).denominator != 1])
    # A container's ticks may not hold the rate exactly: its times are then up to one tick off.
    yield from _equal("frame times", [], [t for a, t in zip(asked, given, strict=False) if abs(a - t) > source.tick])
    yield from _equal("end", given[-1] + 1 / rate, proxy.end and proxy.end - proxy.times[0])


def _labels(truth: Truth, proxy: Look, target: Target) -> Iterator[str]:
    wanted = {truth.timecode} - {None}
    if target.container == "mxf" and not wanted:
        wanted = {"00:00:00:00"}  # FFmpeg's MXF cannot go without
    yield from _equal("timecode", wanted, proxy.timecodes)
    reel = {truth.reel} - {None} if target.container in {"mov", "mxf"} else set()
    yield from _equal("reel", reel, proxy.reels)


def _geometry(truth: Truth, source: Look, proxy: Look, target: Target) -> Iterator[str]:
    yield from _equal("turns", 0, proxy.turns)
    sides = (source.height, source.width) if truth.turns % 2 else (source.width, source.height)
    width, height = (side // target.divisor // 2 * 2 for side in sides)
    if target.codec == "h264" and truth.fields != "progressive":
        height = height // 4 * 4  # a field of 4:2:0 has whole lines of chroma
    yield from _equal("size", (width, height), (proxy.width, proxy.height))
    aspect = Fraction(truth.aspect)
    if max((aspect * height / width).as_integer_ratio()) <= _LARGEST_TERM:
        yield from _equal("aspect", aspect, proxy.aspect)
    elif abs(proxy.aspect / aspect - 1) > Fraction(1, 10**7):  # H.264 has no terms for the exact pixel aspect
        yield f"aspect should be {aspect}, is {proxy.aspect}"
    yield from _equal("fields", truth.fields, proxy.fields)
    if target.container == "mov":
        yield from _equal("fields in the bitstream", truth.fields, prores_fields(proxy.path))
        # 9 and 14, first line early and late, is what Apple and Adobe write for ProRes and XDCAM (the shared clips among them).
        yield from _equal("fiel", {"progressive": (1, 0), "tt": (2, 9), "bb": (2, 14)}[truth.fields], movie(proxy.path).fields)


def _wanted_color(source: Look, target: Target) -> Color:
    """The source's tags, but for the three conversions that a codec may need."""
    said = source.frame_color
    is_rgb = source.pixel_format.startswith(("rgb", "gbr"))
    full = said.range == "pc" or is_rgb
    kept_range = "pc" if full and target.carries_full_range and not is_rgb else "tv" if full else said.range
    matrix = "bt709" if is_rgb or (target is DNXHR and said.matrix != "bt2020nc") else said.matrix
    return Color(kept_range, matrix, said.primaries, said.transfer)


def _colors(source: Look, proxy: Look, target: Target) -> Iterator[str]:
    wanted = _wanted_color(source, target)
    # A range that nobody says is limited, and some bitstreams cannot leave it unsaid.
    ranges = {wanted.range, "tv" if wanted.range is None else wanted.range}
    # ProRes has no place for a range either: of the file as a whole, ffprobe says none or what its decoder takes for granted.
    as_a_whole = ranges | {None} if target.codec == "prores" else ranges
    yield from _holds("range as a whole", proxy.stream_color.range in as_a_whole)
    yield from _holds("range in its frames", proxy.frame_color.range in ranges)
    # ffprobe 7.1 says nothing of an interlaced ProRes file as a whole. What its container says is read from its atoms below.
    silent = target.codec == "prores" and set(_three(proxy.stream_color)) == {None}
    if not silent:
        yield from _equal("colour as a whole", _three(wanted), _three(proxy.stream_color))
    yield from _equal("colour in its frames", _three(wanted), _three(proxy.frame_color))
    coded = Coded(PRIMARIES[wanted.primaries], TRANSFERS[wanted.transfer], MATRICES[wanted.matrix], None)
    if target.codec == "prores":
        yield from _equal("colour in the ProRes frame header", coded, prores(proxy.path))
    if target.codec in {"h264", "hevc"}:
        yield from _bare_stream(wanted, ranges, parameter_sets(proxy.path, target.codec))
    if target.container != "mxf":
        yield from _colr(coded, wanted, movie(proxy.path).color)


def _three(color: Color) -> tuple[str | None, ...]:
    return color.matrix, color.primaries, color.transfer


def _bare_stream(wanted: Color, ranges: set[str | None], said: Mapping[str, str]) -> Iterator[str]:
    said_range = said["color_range"]
    yield from _holds("range in the parameter sets", (None if said_range == "unknown" else said_range) in ranges)
    for key, value in (("space", wanted.matrix), ("primaries", wanted.primaries), ("transfer", wanted.transfer)):
        yield from _equal(f"{key} in the parameter sets", value or "unknown", said[f"color_{key}"])


def _colr(coded: Coded, wanted: Color, said: Coded | None) -> Iterator[str]:
    """FFmpeg writes `colr` where all three are known; then it must be there and true."""
    if None in _three(wanted) and said is None:
        return
    if said is None:
        yield "the container says nothing of colour"
        return
    yield from _equal("colr", coded, Coded(said.primaries, said.transfer, said.matrix, None))
    if said.full is not None:
        yield from _equal("range in colr", wanted.range == "pc", said.full)


def _likeness(truth: Truth, alike: Likeness) -> Iterator[str]:
    least, most = (LEAST_PATTERN_SSIM, MOST_PATTERN_SHIFT) if truth.pattern else (LEAST_SSIM, MOST_SHIFT)
    yield from _equal("pictures", truth.frames * (1 if truth.fields == "progressive" else 2), alike.pictures)
    if alike.ssim < least or alike.shift > most or alike.typical > MOST_TYPICAL:
        yield f"the picture differs: {alike}"


def _sounds(source: Look, proxy: Look, target: Target) -> Iterator[str]:
    yield from _equal("audio streams", len(source.sounds), len(proxy.sounds))
    codecs = {"mp4": {"aac"}, "mov": {"pcm_s16le", "pcm_s24le"}, "mxf": {"pcm_s16le", "pcm_s24le"}}[target.container]
    picture = len(proxy.times) / proxy.rate
    for position, (asked, given) in enumerate(zip(source.sounds, proxy.sounds, strict=False)):
        name = f"audio {position}"
        yield from _holds(f"{name} codec", given.codec in codecs)
        yield from _equal(f"{name} channels", asked.channels, given.channels)
        yield from _equal(f"{name} rate", 48000 if target.container == "mxf" else asked.rate, given.rate)
        if None not in (asked.layout, given.layout):
            yield from _equal(f"{name} layout", asked.layout, given.layout)
        # MXF ends all its streams with the picture; AAC comes in blocks of 1024.
        length = picture if target.container == "mxf" else asked.seconds
        slack = Fraction(2048, given.rate) if target.container == "mp4" else Fraction(1, 1000)
        yield from _holds(f"{name} length of {float(length):.4f} s", abs(given.seconds - length) <= slack)
