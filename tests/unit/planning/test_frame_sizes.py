from fractions import Fraction

import pytest

from proxx_worker.contract.errors import ErrorCode, JobError, ProxxError
from proxx_worker.contract.output_settings import Codec, Container
from proxx_worker.planning.frame_sizes import FRAME_SIZES, require_size
from proxx_worker.planning.geometry import Geometry
from proxx_worker.planning.video_codecs import choose_encoder
from tests.unit.planning.sources import PICTURE, settings

H264 = ", or h264 (proxy_h264_low, proxy_h264_quarter), which takes this size"
PRORES = ", or ProRes (proxy_prores_proxy, proxy_prores_lt), which takes this size"


def picture(width: int, height: int) -> Geometry:
    return Geometry(width, height, Fraction(1))


@pytest.mark.parametrize(
    ("codec", "width", "height", "limit", "remedy"),
    [
        (Codec.DNXHR, 254, 120, "at least 256x120", f"larger resolution{H264}"),
        (Codec.DNXHR, 256, 118, "at least 256x120", f"larger resolution{H264}"),
        (Codec.DNXHR, 256, 8194, "at most 65534x8192", f"smaller resolution{H264}"),
        (Codec.DNXHR, 17000, 118, "at least 256x120", f"larger resolution{PRORES}"),
        (Codec.AV1, 62, 64, "at least 64x64", f"larger resolution{H264}"),
        (Codec.AV1, 64, 62, "at least 64x64", f"larger resolution{H264}"),
        (Codec.AV1, 64, 8706, "at most 16384x8704", f"smaller resolution{H264}"),
        (Codec.AV1, 16386, 64, "at most 16384x8704", f"smaller resolution{PRORES}"),
        (Codec.H265, 14, 16, "at least 16x16", f"larger resolution{H264}"),
        (Codec.HEVC, 16, 14, "at least 16x16", f"larger resolution{H264}"),
        (Codec.H264, 17000, 64, "at most 16384x16384", f"smaller resolution{PRORES}"),
        (Codec.H264, 64, 16386, "at most 16384x16384", f"smaller resolution{PRORES}"),
        (Codec.VP9, 16386, 64, "at most 16384x16384", f"smaller resolution{PRORES}"),
        (Codec.PRORES_4444, 65536, 64, "at most 65534x65534", "smaller resolution"),
        (Codec.H265, 64, 65536, "at most 65534x65534", "smaller resolution"),
    ],
)
def test_a_size_that_an_encoder_does_not_take_is_refused(codec: Codec, width: int, height: int, limit: str, remedy: str) -> None:
    with pytest.raises(ProxxError) as refused:
        choose_encoder(settings(codec, Container.MKV), picture(width, height), Fraction(25), PICTURE)
    assert refused.value.error == JobError(
        ErrorCode.SOURCE_UNSUPPORTED,
        f"{codec} needs {limit} pixels, but this proxy would have {width}x{height}: choose a {remedy}",
        {"width": width, "height": height},
    )


@pytest.mark.parametrize("codec", FRAME_SIZES)
def test_the_smallest_and_the_largest_size_are_made(codec: Codec) -> None:
    for size in (FRAME_SIZES[codec].least, FRAME_SIZES[codec].most):
        require_size(codec, picture(*size))


def test_each_codec_has_its_sizes_but_dnxhd_which_has_formats() -> None:
    assert set(Codec) - set(FRAME_SIZES) == {Codec.DNXHD}
