"""What a render by Resolve proves, and what it leaves open."""

from dataclasses import replace

from proxx_worker.contract.errors import ErrorCode, JobError
from proxx_worker.contract.result import Check
from proxx_worker.media.clip_properties import read_clip
from proxx_worker.planning.resolve_plan import plan_resolve
from proxx_worker.verification.proxy_probe import ProxyObservation, ProxyReport, StreamReport
from proxx_worker.verification.resolve_evidence import ResolveEvidence
from tests.support.printouts import parse_proxy
from tests.unit.planning.test_resolve_plan import PROXY, RAW, planned

PICTURE = "stream|index=0|codec_type=video|time_base=1/25\n"
SOUND = "stream|index=1|codec_type=audio|time_base=1/48000\n"


def picture(*times: int) -> StreamReport:
    frames = "".join(f"frame|stream_index=0|pts={time}\n" for time in times)
    return parse_proxy(f"{frames}{PICTURE}".encode()).streams[0]


def observed(*streams: str) -> ProxyObservation:
    return ProxyObservation(0, parse_proxy("".join(streams).encode()), "")


def verdicts(checks: list[Check]) -> dict[str, bool | None]:
    return {check.name: check.ok for check in checks}


CLIP = planned(FPS=25, Frames="3")


def test_frames_and_their_times_are_compared() -> None:
    evidence = ResolveEvidence(CLIP, 100)
    assert (evidence.fault(), list(evidence.audio())) == (None, [])
    assert verdicts([*evidence.checks(), *evidence.time_checks(picture(0, 1, 2))]) == {
        "render_percentage": True, "frames": True, "frame_times": True, "start": None,
    }  # fmt: skip
    assert verdicts([*evidence.time_checks(picture(0, 1))])["frames"] is False
    assert verdicts([*evidence.time_checks(picture(0, 1, 3))])["frame_times"] is False
    assert verdicts([*ResolveEvidence(CLIP, 99).checks()]) == {"render_percentage": False}


def test_what_resolve_did_not_tell_is_not_compared() -> None:
    unknown = ResolveEvidence(planned(FPS=25, Frames=""), 100)
    assert verdicts([*unknown.time_checks(picture(0, 1, 2))])["frames"] is None
    unasked = ResolveEvidence(plan_resolve(PROXY, RAW, "Proxy"), 100)
    assert verdicts([*unasked.time_checks(picture(0, 1, 2))]) == {"frames": None, "start": None}
    assert unasked.error(observed(PICTURE)) is None


def test_a_source_with_sound_has_a_proxy_with_sound() -> None:
    evidence = ResolveEvidence(CLIP, 100)
    error = evidence.error(observed(PICTURE))
    assert error == JobError(
        ErrorCode.OUTPUT_INVALID,
        "the proxy must carry its source's audio, but it has none of the 2 channels: nothing was published. Check that the "
        "preset 'Proxy' exports audio.",
        {"audio_channels": 2, "preset": "Proxy"},
    )
    assert evidence.error(observed(PICTURE, SOUND)) is None
    assert evidence.error(ProxyObservation(1, ProxyReport({}, ()), "")) is None, "what is no file has other faults"
    silent = replace(CLIP, clip=read_clip({"Audio Ch": "0"}))
    assert ResolveEvidence(silent, 100).error(observed(PICTURE)) is None
