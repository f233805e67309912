"""The tables of the contract: profiles, and which codec goes into which container."""

import pytest

from proxx_worker.contract.codecs import CONTAINERS, refusal
from proxx_worker.contract.output_settings import Codec, Container, Engine, FpsMode
from proxx_worker.contract.profiles import PROFILES

TABLE = {
    "proxy_h264_low": ("ffmpeg", "h264", "mp4", "half", "AAC", None),
    "proxy_h264_quarter": ("ffmpeg", "h264", "mp4", "quarter", "AAC", None),
    "proxy_prores_proxy": ("ffmpeg", "prores_proxy", "mov", "same", "PCM", None),
    "proxy_prores_lt": ("ffmpeg", "prores_lt", "mov", "same", "PCM", None),
    "proxy_dnxhr_lb": ("ffmpeg", "dnxhr", "mxf", "same", "PCM", "lb"),
    "proxy_prores_proxy_resolve": ("resolve", "prores_proxy", "mov", "same", "as preset", None),
    "proxy_prores_lt_resolve": ("resolve", "prores_lt", "mov", "same", "as preset", None),
    "proxy_prores_hq_resolve": ("resolve", "prores_hq", "mov", "same", "as preset", None),
    "proxy_dnxhr_lb_resolve": ("resolve", "dnxhr", "mxf", "same", "as preset", "lb"),
    "proxy_dnxhr_sq_resolve": ("resolve", "dnxhr", "mxf", "same", "as preset", "sq"),
}


def test_the_profiles_are_those_of_the_contract_in_its_order() -> None:
    assert {
        name: (
            profile.engine,
            profile.settings.codec,
            profile.settings.container,
            str(profile.settings.resolution),
            profile.audio,
            profile.settings.dnxhr_level,
        )
        for name, profile in PROFILES.items()
    } == TABLE
    assert list(PROFILES) == list(TABLE)


def test_profiles_keep_every_frames_time_and_can_be_made() -> None:
    for name, profile in PROFILES.items():
        assert profile.name == name
        assert profile.description
        assert profile.settings.fps_mode is FpsMode.SAME_AS_SOURCE
        assert profile.settings.fps is None
        assert refusal(profile.settings.codec, profile.settings.container) is None


def test_profiles_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        PROFILES["mine"] = PROFILES["proxy_h264_low"]  # type: ignore[index]


COMBINATIONS = {
    "prores_proxy": "mov",
    "prores_lt": "mov",
    "prores_standard": "mov",
    "prores_hq": "mov",
    "prores_4444": "mov",
    "h264": "mp4 mov mkv",
    "h265": "mp4 mov mkv",
    "hevc": "mp4 mov mkv",
    "dnxhd": "mxf",
    "dnxhr": "mov mxf",
    "vp9": "webm mkv",
    "av1": "mp4 mkv webm",
}

LONG_GOP = "editors read this codec from MP4, QuickTime and Matroska only"
PRORES = "Apple defines ProRes for QuickTime (mov) only"
REASONS = {
    "h264": LONG_GOP,
    "h265": LONG_GOP,
    "hevc": LONG_GOP,
    "dnxhd": "DNxHD is exchanged as MXF; editors read it unreliably from other containers",
    "dnxhr": "editors read DNxHR from QuickTime and MXF only",
    "vp9": "VP9 belongs in WebM and Matroska; editors refuse it elsewhere",
    "av1": "AV1 is defined for MP4, Matroska and WebM, not for this container",
}


@pytest.mark.parametrize("codec", Codec)
@pytest.mark.parametrize("container", Container)
def test_a_combination_is_allowed_by_the_contract_or_refused_with_a_reason(codec: Codec, container: Container) -> None:
    allowed = COMBINATIONS[codec].split()
    assert [choice.value for choice in CONTAINERS[codec]] == allowed
    reason = refusal(codec, container)
    if container in allowed:
        assert reason is None
    else:
        assert reason == f"{codec} in {container} is refused: {REASONS.get(codec, PRORES)}"


def test_the_engines_are_two() -> None:
    assert {profile.engine for profile in PROFILES.values()} == set(Engine)
