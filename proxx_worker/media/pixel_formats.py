"""What a pixel format's name means: bit depth, alpha, chroma. Tested against ffprobe's own table (`-show_pixel_formats`)."""

import re
from dataclasses import dataclass

_PLANAR = re.compile(r"(?P<family>yuvj?|yuva)(?P<chroma>4[0-4][0-4])p(?P<depth>9|10|12|14|16)?(?:msb)?(?:[lb]e)?")
_RGB_PLANAR = re.compile(r"gbr(?P<alpha>a)?p(?:f?(?P<depth>9|10|12|14|16|32))?(?:msb)?(?:[lb]e)?")
_GRAY = re.compile(r"gray(?:f?(?P<depth>9|10|12|14|16|32))?(?:[lb]e)?")
_ENDIAN = re.compile(r"(?<=[0-9x])[lb]e$")

_PACKED: dict[str, tuple[int, bool, str]] = {
    **dict.fromkeys(("yuyv422", "uyvy422", "yvyu422", "nv16"), (8, False, "422")),
    **dict.fromkeys(("nv12", "nv21"), (8, False, "420")),
    **dict.fromkeys(("nv24", "nv42"), (8, False, "444")),
    "uyyvyy411": (8, False, "411"),
    **dict.fromkeys(("nv20", "y210", "p210"), (10, False, "422")),
    "p010": (10, False, "420"),
    "p410": (10, False, "444"),
    "p016": (16, False, "420"),
    "p216": (16, False, "422"),
    "p416": (16, False, "444"),
    "ayuv64": (16, True, "444"),
    **dict.fromkeys(("rgb24", "bgr24", "0rgb", "rgb0", "0bgr", "bgr0"), (8, False, "rgb")),
    **dict.fromkeys(("argb", "rgba", "abgr", "bgra", "pal8"), (8, True, "rgb")),
    **dict.fromkeys(("x2rgb10", "x2bgr10"), (10, False, "rgb")),
    **dict.fromkeys(("rgb48", "bgr48"), (16, False, "rgb")),
    **dict.fromkeys(("rgba64", "bgra64"), (16, True, "rgb")),
    "xyz12": (12, False, "xyz"),
    "ya8": (8, True, "gray"),
    "ya16": (16, True, "gray"),
    **dict.fromkeys(("monow", "monob"), (1, False, "gray")),
    # From FFmpeg 6 on, most of them from 8 on.
    **dict.fromkeys(("vuya", "ayuv", "uyva"), (8, True, "444")),
    **dict.fromkeys(("vuyx", "vyu444"), (8, False, "444")),
    **dict.fromkeys(("xv30", "v30x"), (10, False, "444")),
    **dict.fromkeys(("xv36", "p412"), (12, False, "444")),
    "xv48": (16, False, "444"),
    **dict.fromkeys(("y212", "p212"), (12, False, "422")),
    "y216": (16, False, "422"),
    "p012": (12, False, "420"),
    "rgbf16": (16, False, "rgb"),
    "rgbaf16": (16, True, "rgb"),
    **dict.fromkeys(("rgbf32", "rgb96"), (32, False, "rgb")),
    **dict.fromkeys(("rgbaf32", "rgba128"), (32, True, "rgb")),
    "yaf16": (16, True, "gray"),
    "yaf32": (32, True, "gray"),
    **dict.fromkeys(("rgb565", "bgr565"), (6, False, "rgb")),
    **dict.fromkeys(("rgb555", "bgr555"), (5, False, "rgb")),
    **dict.fromkeys(("rgb444", "bgr444"), (4, False, "rgb")),
    **dict.fromkeys(("rgb8", "bgr8"), (3, False, "rgb")),
    **dict.fromkeys(("rgb4", "bgr4", "rgb4_byte", "bgr4_byte"), (2, False, "rgb")),
}


@dataclass(frozen=True, slots=True)
class PixelFormat:
    """`bit_depth`: of the deepest component. `chroma`: `420`, `422`, `444`, `440`, `411`, `410`, `rgb`, `gray` or `xyz`."""

    bit_depth: int
    has_alpha: bool
    chroma: str


def pixel_format(name: str) -> PixelFormat | None:
    """What `name` (`yuv422p10le`) means; None for hardware surfaces, a sensor's Bayer pattern, or an unknown name."""
    if match := _PLANAR.fullmatch(name):
        return PixelFormat(int(match["depth"] or 8), match["family"] == "yuva", match["chroma"])
    if match := _RGB_PLANAR.fullmatch(name):
        return PixelFormat(int(match["depth"] or 8), match["alpha"] is not None, "rgb")
    if match := _GRAY.fullmatch(name):
        return PixelFormat(int(match["depth"] or 8), has_alpha=False, chroma="gray")
    packed = _PACKED.get(_ENDIAN.sub("", name))
    return PixelFormat(*packed) if packed else None
