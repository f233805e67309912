import pytest

from proxx_worker.media.pixel_formats import PixelFormat, pixel_format


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("yuv420p", PixelFormat(8, has_alpha=False, chroma="420")),
        ("yuvj422p", PixelFormat(8, has_alpha=False, chroma="422")),
        ("yuv411p", PixelFormat(8, has_alpha=False, chroma="411")),
        ("yuv422p10le", PixelFormat(10, has_alpha=False, chroma="422")),
        ("yuva444p12le", PixelFormat(12, has_alpha=True, chroma="444")),
        ("gbrp10be", PixelFormat(10, has_alpha=False, chroma="rgb")),
        ("gbrap", PixelFormat(8, has_alpha=True, chroma="rgb")),
        ("gbrpf32le", PixelFormat(32, has_alpha=False, chroma="rgb")),
        ("gray", PixelFormat(8, has_alpha=False, chroma="gray")),
        ("gray12le", PixelFormat(12, has_alpha=False, chroma="gray")),
        ("p010le", PixelFormat(10, has_alpha=False, chroma="420")),
        ("rgba", PixelFormat(8, has_alpha=True, chroma="rgb")),
        ("rgb0", PixelFormat(8, has_alpha=False, chroma="rgb")),
        ("rgba64le", PixelFormat(16, has_alpha=True, chroma="rgb")),
        ("pal8", PixelFormat(8, has_alpha=True, chroma="rgb")),
        ("ya16be", PixelFormat(16, has_alpha=True, chroma="gray")),
    ],
)
def test_a_name_tells_depth_alpha_and_chroma(name: str, expected: PixelFormat) -> None:
    assert pixel_format(name) == expected


@pytest.mark.parametrize("name", ["cuda", "vaapi", "bayer_rggb16le", "yuv999p", "", "yuv420p10le\n", "nonsense"])
def test_what_is_no_picture_in_memory_is_unknown(name: str) -> None:
    assert pixel_format(name) is None
