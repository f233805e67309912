"""FFmpeg's own filters tell where each frame of audio stands, however far away, and put its time back."""

import re
import subprocess

import pytest

from proxx_worker.planning.audio_report import Placement, reported
from proxx_worker.verification.encode_observation import EncodeObserver
from proxx_worker.verification.heard_audio import Correction, HeardAudio
from tests.support.jobs import TOOLS

FRAME = 1024
ORDINARY = [FRAME * frame for frame in range(4)]


def heard(rate: int, away: int, before: int, *, placed: bool) -> tuple[HeardAudio, list[int]]:
    """What is heard of four frames, and their times afterwards. All but the first `before` are moved by `away` samples."""
    moved = f"asetpts='PTS+if(gte(PTS,{before * FRAME}),{away},0)'"
    filters = [f"atrim=end_sample={4 * FRAME}", f"asetnsamples={FRAME}", moved, *reported(0, placed=placed), "ashowinfo"]
    command = [TOOLS.ffmpeg, "-nostdin", "-hide_banner", "-nostats", "-f", "lavfi", "-i", f"anullsrc=r={rate}:cl=mono"]
    command += ["-af", ",".join(filters), "-f", "null", "-"]
    said = subprocess.run(command, check=True, capture_output=True)
    observer = EncodeObserver([Placement(origin=0, shift=0, slack=24, rate=rate)])
    observer.feed_stdout(said.stdout)
    seen = observer.finish(0, 0)
    assert seen.presented == 0
    (audio,) = seen.audio
    assert audio is not None
    return audio, [int(time) for time in re.findall(rb" n:\d+ pts:(-?\d+) ", said.stderr)]


@pytest.mark.parametrize("rate", [8000, 48000, 384000])
@pytest.mark.parametrize("away", [1, 25, (1 << 28) + 1, 1 << 29, (1 << 40) + 3, -(1 << 40)])
def test_a_frame_s_time_is_told_and_put_back(rate: int, away: int) -> None:
    audio, times = heard(rate, away, 2, placed=False)
    assert times == [*ORDINARY[:2], *(time + away for time in ORDINARY[2:])]
    assert (audio.frames, audio.first, audio.widest) == (4, 0, Correction(2 * FRAME, away))
    corrected = abs(away) > 24
    assert audio.corrections == ((Correction(2 * FRAME, away),) if corrected else ())
    assert audio.length == 4 * FRAME + max(away, 0) * corrected if away > 0 else 2 * FRAME


@pytest.mark.parametrize("away", [0, -1, 7, (1 << 28) + 1, (1 << 40) + 3])
def test_the_first_frame_may_stand_anywhere(away: int) -> None:
    audio, times = heard(48000, away, 0, placed=False)
    assert times == [time + away for time in ORDINARY]
    assert (audio.frames, audio.first, audio.length, audio.corrections) == (4, away, away + 4 * FRAME, ())


def test_what_was_placed_is_counted() -> None:
    audio, _ = heard(48000, (1 << 40) + 3, 2, placed=True)
    assert (audio.frames, audio.placed) == (0, 4 * FRAME)
