"""The verdict on a proxy whose engine knows little, and one that tells more than checks can."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from proxx_worker.contract.errors import ErrorCode, JobError
from proxx_worker.contract.output_settings import Codec, Container
from proxx_worker.contract.result import Check
from proxx_worker.planning.expectation import Expectation, ExpectedAudio, ExpectedTiming, ExpectedVideo
from proxx_worker.planning.plan import plan_task
from proxx_worker.verification.heard_audio import HeardAudio
from proxx_worker.verification.proxy_probe import ProxyObservation, StreamReport
from proxx_worker.verification.verdict import judge, judge_evidence
from tests.unit.planning.sources import CLIP, NO_TAGS, UNKNOWN_PRORES, settings
from tests.unit.verification.proxies import Proxy, perfect_proxy

NOT_KNOWN = ExpectedAudio(codec=None, channels=None, layout=None, sample_rate=None, start=None, duration=None)
FAULT = JobError(ErrorCode.RESOLVE_FAILED, "it said so")
CAUSE = JobError(ErrorCode.SOURCE_DAMAGED, "it saw why")


@dataclass(frozen=True)
class Evidence:
    """An engine's word. `seen`: how many frames it counted."""

    seen: int | None = None
    own: JobError | None = None
    cause: JobError | None = None

    def checks(self) -> Sequence[Check]:
        return [Check(name="rendered", expected=100, actual=100, ok=True)]

    def fault(self) -> JobError | None:
        return self.own

    def time_checks(self, stream: StreamReport) -> Iterable[Check]:
        ok = None if self.seen is None else self.seen == stream.frames
        return [Check(name="frames", expected=self.seen, actual=stream.frames, ok=ok)]

    def audio(self) -> Sequence[HeardAudio | None]:
        return ()

    def error(self, proxy: ProxyObservation) -> JobError | None:
        return self.cause


def expectation(container: Container = Container.MOV, audio: tuple[ExpectedAudio, ...] | None = None) -> Expectation:
    """All that is known is the codec."""
    timing = ExpectedTiming(rate=None, varies=False, duration=None, converts=False, timecode=None, reel=None)
    return Expectation(container, UNKNOWN_PRORES, timing, audio)


def proxy() -> Proxy:
    return perfect_proxy(plan_task(settings(Codec.PRORES_PROXY, Container.MOV), CLIP))


def test_what_an_engine_cannot_know_is_not_compared() -> None:
    verdict = judge(expectation(), proxy().observation(), Evidence())
    assert verdict.error is None
    assert {check.name: check.ok for check in verdict.checks if check.ok is not None} == {
        "rendered": True,
        "decodes": True,
        "container": True,
        "video_streams": True,
        "other_streams": True,
        "video_codec": True,
        "rotation": True,
    }
    unknown = [check for check in verdict.checks if check.ok is None]
    assert all(check.expected is None for check in unknown)
    assert {"audio_streams", "picture_size", "display_aspect", "frames", "frame_rate", "duration", "timecode", "reel"} <= {
        check.name for check in unknown
    }


def test_audio_of_which_only_the_number_is_known() -> None:
    verdict = judge(expectation(audio=(NOT_KNOWN,)), proxy().observation(), Evidence())
    checks = {check.name: check.ok for check in verdict.checks if check.name.startswith("audio_")}
    assert checks.pop("audio_streams") is True
    assert checks.pop("audio_0_holes") is True
    assert checks == dict.fromkeys(f"audio_0_{it}" for it in ("codec", "channels", "layout", "sample_rate", "start", "duration"))
    said_nothing = proxy()
    said_nothing.sounds[0] |= {"sample_rate": "N/A"}
    assert judge(expectation(audio=(NOT_KNOWN,)), said_nothing.observation(), Evidence()).error is None


def test_what_the_decoders_of_unknown_audio_say_counts() -> None:
    spoiled = proxy()
    spoiled.stderr = "[pcm_s16le @ 0x1] Invalid PCM packet\n"
    verdict = judge(expectation(), spoiled.observation(), Evidence())
    assert [check.name for check in verdict.checks if check.ok is False] == ["decodes"]


def test_a_display_aspect_in_matroska_is_held_to_the_pixels_that_are_there() -> None:
    planned = plan_task(settings(Codec.H264, Container.MKV), CLIP)
    seen = perfect_proxy(planned).observation()
    aspect = planned.expected.video.display_aspect
    for size in (planned.expected.video.size, None):
        known = ExpectedVideo("h264", None, None, size, aspect, None, None, NO_TAGS, NO_TAGS, None, None)
        verdict = judge(Expectation(Container.MKV, known, expectation().timing, None), seen, Evidence())
        assert [check.ok for check in verdict.checks if check.name == "display_aspect"] == [True]


def test_the_engines_word_goes_first() -> None:
    broken = proxy()
    broken.picture["codec_name"] = "h264"
    seen = broken.observation()
    assert judge_evidence(Evidence(own=FAULT)).error == FAULT
    assert judge(expectation(), seen, Evidence(own=FAULT, cause=CAUSE)).error == FAULT
    assert judge(expectation(), seen, Evidence(cause=CAUSE)).error == CAUSE
    failed = judge(expectation(), seen, Evidence(seen=26)).error
    assert failed is not None
    assert (failed.code, failed.message.partition(": ")[2].partition(" should")[0]) == (ErrorCode.OUTPUT_INVALID, "video_codec")


def test_a_proxy_without_a_picture_has_no_times() -> None:
    blind = proxy()
    blind.picture["codec_type"] = "data"
    names = [check.name for check in judge(expectation(), blind.observation(), Evidence()).checks]
    assert "frames" not in names
    assert "frame_rate" not in names
