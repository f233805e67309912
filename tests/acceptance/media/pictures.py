"""Pictures compared with pictures: what a proxy shows beside what its source shows, frame by frame.

Both are shown by FFmpeg with zimg (the `zscale` filter), a scaler and colour converter that the worker does not use, each by
its own tags: turned upright, its range and matrix applied, as RGB. A wrong turn, a wrong range or matrix tag, a stretched,
dropped, doubled or swapped frame, and fields that were mixed or swapped all show as a difference.
"""

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from tests.acceptance.media.inspection import Look

CANVAS = (32, 18)
"""Of a thumbnail: so small that no codec's noise is left in it, only what the picture is."""

_BYTES = CANVAS[0] * CANVAS[1] * 3
_MATRICES = {"bt709": "709", "bt470bg": "470bg", "smpte170m": "170m", "smpte240m": "240m", "bt2020nc": "2020_ncl", "fcc": "fcc"}
_UNSAID_MATRIX = "709"
_SSIM = re.compile(r"n:\d+ .*All:([0-9.]+|inf)")


@dataclass(frozen=True, slots=True)
class Likeness:
    """How like a proxy is to its source. `pictures`: how many were compared (fields count one each).

    `ssim`: the worst picture's structural similarity at the proxy's size (1: the same), `mean_ssim`: all pictures'. The rest
    is of thumbnails, in 1/255 of full scale: `shift`: the worst picture's mean difference, `typical`: the worst picture's
    median difference, `spot`: the worst value's.
    """

    pictures: int
    ssim: float
    mean_ssim: float
    shift: float
    typical: float
    spot: int


def rgb(media: Look, size: tuple[int, int]) -> str:
    """The filters that show `media` as RGB of `size`, field by field where it is interlaced."""
    interlaced = ["separatefields"] if media.fields in {"tt", "bb"} else []
    color, kind = media.frame_color, media.pixel_format
    is_rgb = kind.startswith(("rgb", "bgr", "gbr", "argb", "abgr"))
    full = color.range == "pc" or kind.startswith("yuvj") or is_rgb
    source = "gbr" if is_rgb else _MATRICES.get(color.matrix or "", _UNSAID_MATRIX)
    # Only takes alpha off and planes apart; zimg reads no packed formats.
    planar = "format=gbrp" if is_rgb else "format=" + kind.replace("yuva", "yuv").replace("12le", "10le")
    if interlaced:
        planar = planar.replace("yuv420p", "yuv422p")  # FFmpeg 9.0's zimg takes no field of 4:2:0 with half a line of chroma
    convert = (
        f"zscale=w={size[0]}:h={size[1]}:filter=bicubic:matrixin={source}:rangein={'full' if full else 'limited'}"
        ":matrix=gbr:range=full"
    )
    # Pictures are paired by their number, not by their time.
    return ",".join([*interlaced, "settb=1/25", "setpts=N", planar, "setsar=1", convert, "format=gbrp"])


def thumbnails(media: Look) -> list[bytes]:
    """Every picture (field by field where it is interlaced) as RGB of the canvas."""
    chain = rgb(media, CANVAS) + ",format=rgb24"
    out = subprocess.run(
        [
            "ffmpeg", "-nostdin", "-v", "quiet", *media.cropping, "-i", media.path, "-map", "0:V:0", "-vf", chain,
            "-fps_mode", "passthrough", "-f", "rawvideo", "-",
        ],
        check=True, capture_output=True,
    ).stdout  # fmt: skip
    return [out[at : at + _BYTES] for at in range(0, len(out), _BYTES)]


def likeness(source: Look, proxy: Look, of_source: Sequence[bytes]) -> Likeness:
    """Compare every picture with the one of the same number. `of_source`: its thumbnails, which serve every proxy of it."""
    of_proxy = thumbnails(proxy)
    differences = [[abs(a - b) for a, b in zip(*pair, strict=True)] for pair in zip(of_source, of_proxy, strict=False)]
    ssim = _ssim(source, proxy)
    return Likeness(
        pictures=len(of_proxy),
        ssim=min(ssim),
        mean_ssim=sum(ssim) / len(ssim),
        shift=max(sum(values) / len(values) for values in differences),
        typical=max(median(values) for values in differences),
        spot=max(max(values) for values in differences),
    )


def swapped_fields(source: Look, proxy: Look) -> float:
    """The mean similarity when each frame's two fields of the source are swapped in time: below that of the fields unswapped."""
    ssim = _ssim(source, proxy, ",shuffleframes=1 0")
    return sum(ssim) / len(ssim)


def _ssim(source: Look, proxy: Look, of_source: str = "") -> list[float]:
    size = (proxy.width, proxy.height // 2 if proxy.fields in {"tt", "bb"} else proxy.height)
    asked, given = f"[0:V:0]{rgb(source, size)}{of_source}[a]", f"[1:V:0]{rgb(proxy, size)}[b]"
    graph = f"{asked};{given};[a][b]ssim=stats_file=-:shortest=1"
    out = subprocess.run(
        [
            "ffmpeg", "-nostdin", "-v", "quiet", *source.cropping, "-i", source.path, "-i", proxy.path, "-lavfi", graph,
            "-f", "null", "-",
        ],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    return [float(value) for value in _SSIM.findall(out)]


def alpha_likeness(source: Look, proxy: Look) -> float:
    """The worst frame's structural similarity of the alpha planes, which ProRes keeps whole whatever it does to the picture."""
    alpha = "alphaextract,format=gray,settb=1/25,setpts=N"
    graph = f"[0:V:0]{alpha}[a];[1:V:0]{alpha}[b];[a][b]ssim=stats_file=-:shortest=1"
    out = subprocess.run(
        [
            "ffmpeg", "-nostdin", "-v", "quiet", *source.cropping, "-i", source.path, "-i", proxy.path, "-lavfi", graph,
            "-f", "null", "-",
        ],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    return min(float(value) for value in _SSIM.findall(out))
