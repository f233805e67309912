"""AMR with several frames in each packet: all but the first would be silence."""

from dataclasses import replace

import pytest

from proxx_worker.contract.errors import ErrorCode, JobError
from proxx_worker.contract.output_settings import Codec, Container
from proxx_worker.planning.plan import plan_task
from proxx_worker.verification.heard_audio import Correction, HeardAudio
from proxx_worker.verification.source_faults import undecoded_audio
from tests.unit.planning.sources import CLIP, settings
from tests.unit.verification.proxies import perfect_encode


def heard(*missing: int, frames: int = 0) -> HeardAudio:
    corrections = tuple(Correction(160 * place, samples) for place, samples in enumerate(missing))
    return HeardAudio(8000, frames or len(missing) + 1, 0, 16000, corrections, len(corrections))


@pytest.mark.parametrize(
    ("codec", "sound", "frames"),
    [
        ("amr_nb", heard(640, 640, 640), 5),
        ("amr_wb", heard(640, 640, 640), 3),
        ("amr_nb", heard(640, 640), 5),
        ("amr_nb", heard(640), None),
        ("amr_nb", heard(0, 0, 0), None),
        ("amr_nb", heard(640, 320, 640), None),
        ("amr_nb", heard(640, 640, frames=50), None),
        ("amr_nb", heard(-160, -160, -160), None),
        ("amr_nb", heard(100, 100, 100), None),
        ("amr_nb", None, None),
        ("aac", heard(640, 640, 640), None),
    ],
)
def test_only_amr_that_misses_as_many_frames_after_each_is_refused(
    codec: str, sound: HeardAudio | None, frames: int | None
) -> None:
    source = replace(CLIP, audio=(replace(CLIP.audio[0], codec=codec, sample_rate=8000, channels=1, layout="mono"),))
    plan = plan_task(settings(Codec.PRORES_PROXY, Container.MOV), source)
    error = undecoded_audio(plan, replace(perfect_encode(plan), audio=(sound,)))
    if frames is None:
        assert error is None
        return
    assert error == JobError(
        ErrorCode.SOURCE_UNSUPPORTED,
        f"audio stream 1 of the source has {frames} AMR frames in each packet, but this FFmpeg decodes only the first: deliver "
        "the clip with another audio codec (AAC, PCM), or use a newer FFmpeg",
        {"stream": source.audio[0].index, "frames_in_packet": frames},
    )
    assert type(error.details["frames_in_packet"]) is int


def test_the_stream_of_several_is_named_and_one_that_was_not_heard_is_passed_over() -> None:
    amr = replace(CLIP.audio[0], index=4, codec="amr_nb", sample_rate=8000, channels=1, layout="mono")
    plan = plan_task(settings(Codec.PRORES_PROXY, Container.MOV), replace(CLIP, audio=(CLIP.audio[0], amr)))
    error = undecoded_audio(plan, replace(perfect_encode(plan), audio=(None, heard(640, 640))))
    assert error is not None
    assert error.message.startswith("audio stream 2 of the source has 5 AMR frames in each packet")
    assert error.details == {"stream": 4, "frames_in_packet": 5}
    assert undecoded_audio(plan, replace(perfect_encode(plan), audio=())) is None
