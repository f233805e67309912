"""What Resolve is asked for in explicit form, and what is a fault of the spec."""

from fractions import Fraction

import pytest

from proxx_worker.contract.output_settings import Codec, Container, FpsMode, OutputSettings, Resolution, ScaleMode
from proxx_worker.contract.profiles import PROFILES
from proxx_worker.contract.resolve_rules import RESOLVE_CONTAINERS, resolve_faults

SAME = Resolution(ScaleMode.SAME)
MADE = {
    *((codec, Container.MOV) for codec in Codec if codec.startswith("prores")),
    *((Codec.DNXHR, container) for container in (Container.MOV, Container.MXF)),
    *((codec, container) for codec in (Codec.H264, Codec.H265, Codec.HEVC) for container in (Container.MP4, Container.MOV)),
}


@pytest.mark.parametrize("codec", Codec)
@pytest.mark.parametrize("container", Container)
def test_the_contract_s_pairs_are_made_and_no_others(codec: Codec, container: Container) -> None:
    faults = list(resolve_faults(OutputSettings(codec, container, SAME)))
    if (codec, container) in MADE:
        assert faults == []
        return
    (fault,) = faults
    assert fault.path == ("container" if codec in RESOLVE_CONTAINERS else "codec")
    assert fault.allowed


def test_every_profile_for_resolve_is_one_of_them() -> None:
    assert [fault for it in PROFILES.values() if it.engine == "resolve" for fault in resolve_faults(it.settings)] == []


def test_a_rate_of_its_own_is_told_beside_the_rest() -> None:
    settings = OutputSettings(Codec.AV1, Container.MP4, SAME, FpsMode.EXPLICIT, Fraction(25))
    made = "prores_proxy, prores_lt, prores_standard, prores_hq, prores_4444, dnxhr, h264, h265, hevc"
    assert list(map(str, resolve_faults(settings))) == [
        f"codec: camera RAW is rendered by DaVinci Resolve, which does not make av1 for this worker (allowed: {made})",
        "fps_mode: DaVinci Resolve renders every frame of camera RAW at its own rate: leave it out (allowed: same-as-source)",
    ]


def test_a_container_is_told_with_those_that_are_made() -> None:
    assert list(map(str, resolve_faults(OutputSettings(Codec.H264, Container.MKV, SAME)))) == [
        "container: camera RAW is rendered by DaVinci Resolve, which does not make h264 in mkv (allowed: mp4, mov)"
    ]
