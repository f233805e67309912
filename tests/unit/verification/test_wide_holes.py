"""Holes of the audio that FFmpeg did not fill."""

from dataclasses import replace

import pytest

from proxx_worker.contract.errors import ErrorCode, JobError
from proxx_worker.contract.output_settings import Codec, Container
from proxx_worker.planning.plan import plan_task
from proxx_worker.verification.encode_fault import encode_error
from proxx_worker.verification.heard_audio import Correction, HeardAudio
from proxx_worker.verification.wide_holes import wide_hole
from tests.unit.planning.sources import CLIP, STEREO, settings
from tests.unit.verification.proxies import perfect_encode

SAID = "[Parsed_aresample_0 @ 0x7f] [SWR @ 0x7e] [error] Failed to compensate for timestamp delta of 3599.999667"
SOURCE = replace(CLIP, audio=(replace(STEREO, gapless=False), replace(STEREO, index=4, gapless=False)))
PLAN = plan_task(settings(Codec.H264, Container.MP4), SOURCE)


def jumped(samples: int, at: int = 24000, rate: int = 48000) -> HeardAudio:
    return HeardAudio(rate=rate, frames=2, first=0, length=max(samples, 0), widest=Correction(at, samples))


def error(*heard: HeardAudio | None, said: tuple[str, ...] = ()) -> JobError | None:
    return wide_hole(PLAN, replace(perfect_encode(PLAN), audio=heard, complaints=said))


@pytest.mark.parametrize("samples", [0, 1, 1 << 28, (1 << 31) - 1, -((1 << 31) - 1)])
def test_what_was_filled_is_no_fault(samples: int) -> None:
    assert error(jumped(samples)) is None
    assert error(None, jumped(samples), said=("[error] something else",)) is None


def test_the_longest_hole_is_named_if_one_was_not_filled() -> None:
    # The second has fewer samples, but is longer.
    shorter, longer = jumped(48000 * 3601, rate=96000), jumped(48000 * 3600 + 16)
    assert error(shorter, longer, said=("[error] something else", SAID)) == JobError(
        ErrorCode.SOURCE_UNSUPPORTED,
        "audio stream 2 of the source jumps by 3600.000 s at 0.500 s, which is more than FFmpeg can fill with silence: "
        "split the clip there, or deliver it without that stream",
        {"stream": 4, "at_seconds": "0.500", "seconds": "3600.000"},
    )


@pytest.mark.parametrize("samples", [1 << 31, -(1 << 31), 1 << 42])
def test_a_hole_that_ffmpeg_cannot_count_is_refused_without_a_word_of_it(samples: int) -> None:
    found = error(None, jumped(samples))
    assert found is not None
    assert found.details == {"stream": 4, "at_seconds": "0.500", "seconds": f"{abs(samples) / 48000:.3f}"}


def test_audio_that_was_copied_was_not_filled() -> None:
    assert error(said=(SAID,)) is None
    assert error(None, None, said=(SAID,)) is None


def test_it_is_a_fault_of_the_encode() -> None:
    encode = replace(perfect_encode(PLAN), audio=(None, jumped(1 << 31)))
    found = encode_error(PLAN, encode)
    assert found is not None
    assert found == wide_hole(PLAN, encode)
