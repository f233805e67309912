"""Encodes: real ones, and ones by programs that only pretend to be FFmpeg."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from proxx_worker.contract.errors import ErrorCode, JobError, JsonValue, ProxxError
from proxx_worker.contract.profiles import PROFILES
from proxx_worker.delivery.output_directory import OutputDirectory
from proxx_worker.delivery.staged_file import StagedFile
from proxx_worker.delivery.staging import Staging
from proxx_worker.engines.ffmpeg import FfmpegEngine
from proxx_worker.engines.port import Encoded, Unfinished
from proxx_worker.engines.source_file import open_source
from proxx_worker.engines.tools import Tools, locate_tools
from proxx_worker.media.facts import MediaFacts
from proxx_worker.planning.plan import TaskPlan, plan_task
from proxx_worker.process.stop import StopFlag
from proxx_worker.verification.encode_observation import EncodeObservation
from proxx_worker.verification.ffmpeg_evidence import FfmpegEvidence
from proxx_worker.verification.progress import Progress
from proxx_worker.verification.verdict import judge_evidence
from tests.support.engine import Log, context, facts_of
from tests.support.stops import unstopped

FRAMES = 25


@pytest.fixture(scope="module")
def tools() -> Tools:
    return locate_tools(None, None, os.environ["PATH"])


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory, tools: Tools) -> Path:
    """One second of moving picture, sound and timecode."""
    path = tmp_path_factory.mktemp("source") / "clip.mov"
    picture = ["-f", "lavfi", "-i", f"testsrc2=s=320x180:r={FRAMES}:d=1", "-c:v", "mpeg4", "-q:v", "2"]
    sound = ["-f", "lavfi", "-i", "sine=d=1:r=48000", "-c:a", "pcm_s16le"]
    inputs, outputs = [*picture[:4], *sound[:4]], [*picture[4:], *sound[4:]]
    subprocess.run([tools.ffmpeg, "-v", "error", *inputs, *outputs, "-timecode", "01:00:00:00", str(path)], check=True)
    return path


@pytest.fixture(scope="module")
def facts(clip: Path, tools: Tools) -> MediaFacts:
    return facts_of(tools, clip)


@pytest.fixture
def pretend(tmp_path: Path) -> Callable[[str], Tools]:
    """Tools whose FFmpeg is a shell script; `$output` in it is the output's name."""

    def make(script: str) -> Tools:
        program = tmp_path / "ffmpeg"
        program.write_text(f'#!/bin/sh\nfor output; do :; done; output="${{output#file:}}"\n{script}\n')
        program.chmod(0o755)
        return Tools(str(program), "/usr/bin/ffprobe")

    return make


def plan_of(profile: str, facts: MediaFacts) -> TaskPlan:
    return plan_task(PROFILES[profile].settings, facts)


def run(  # noqa: PLR0913 - a test names what matters to it
    tools: Tools,
    clip: Path,
    facts: MediaFacts,
    staging: Staging,
    stop: StopFlag,
    *,
    profile: str = "proxy_prores_proxy",
    log: Log | None = None,
    stall_seconds: float = 60.0,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Encoded | Unfinished:
    engine_context = context(stop, log=log, stall_seconds=stall_seconds, on_progress=on_progress)
    with open_source(str(clip)) as source:
        return FfmpegEngine(lambda: tools).encode(plan_of(profile, facts), source, staging, "clip.mov", engine_context)


def evidence_of(ended: Encoded | Unfinished) -> FfmpegEvidence:
    assert isinstance(ended, Encoded)
    assert isinstance(ended.evidence, FfmpegEvidence)
    return ended.evidence


def seen(ended: Encoded | Unfinished) -> EncodeObservation:
    return evidence_of(ended).encode


def file_of(ended: Encoded | Unfinished) -> StagedFile:
    assert isinstance(ended, Encoded)
    assert isinstance(ended.staged, StagedFile)
    return ended.staged


def fault_of(ended: Encoded | Unfinished) -> JobError:
    assert isinstance(ended, Unfinished)
    return ended.fault


def error_of(ended: Encoded | Unfinished) -> JobError | None:
    return ended.fault if isinstance(ended, Unfinished) else judge_evidence(ended.evidence).error


class StopAtTheEnd(Log):
    """A log in which a stop is requested as soon as the encoder has ended."""

    def __init__(self, stop: StopFlag) -> None:
        """Nothing is logged yet."""
        super().__init__()
        self._stop = stop

    def event(self, action: str, message: str = "", *, level: str = "INFO", **fields: JsonValue) -> None:
        """See `JobLog`."""
        super().event(action, message, level=level, **fields)
        if action == "encoder_ended":
            self._stop.request()


def test_a_stop_after_the_encode_is_heard_while_its_frames_are_looked_at(
    tools: Tools, clip: Path, facts: MediaFacts, staging: Staging, stop: StopFlag
) -> None:
    ended = run(tools, clip, facts, staging, stop, log=StopAtTheEnd(stop))
    assert fault_of(ended).code is ErrorCode.INTERRUPTED
    assert ended.exit_code == 0
    assert ended.argv is not None
    assert ended.usage.cpu_seconds > 0


@pytest.mark.parametrize("profile", ["proxy_prores_proxy", "proxy_h264_low"])  # the second writes its file twice: +faststart
def test_a_real_encode(tools: Tools, clip: Path, facts: MediaFacts, staging: Staging, stop: StopFlag, profile: str) -> None:
    log = Log()
    told: list[Progress] = []
    ended = run(tools, clip, facts, staging, stop, profile=profile, log=log, on_progress=told.append)
    assert error_of(ended) is None
    assert seen(ended).progress.frames == seen(ended).presented == FRAMES
    assert seen(ended).file_size == file_of(ended).size() == seen(ended).progress.total_size
    assert told[-1].ended
    argv = list(ended.argv or ())
    assert (argv[0], argv[argv.index("-i") + 1], argv[-1]) == (tools.ffmpeg, "file:/dev/fd/0", "./clip.mov")
    assert ended.usage.cpu_seconds > 0
    assert ended.usage.peak_memory_bytes > 1_000_000
    assert log.actions == ["encoder_started", "encoder_ended"]
    assert log.fields["encoder_started"]["argv"] == argv
    assert any("Stream mapping" in line for line in log.lines)
    assert all(line.isprintable() for line in log.lines)
    assert [entry.name for entry in Path(staging.path).iterdir()] == ["clip.mov"]
    assert file_of(ended).same_inode()


def test_the_command_does_not_depend_on_where_the_output_goes(
    tools: Tools, clip: Path, facts: MediaFacts, stop: StopFlag, tmp_path: Path
) -> None:
    results = []
    for folder, owner in (("one", "run"), ("another place", "4f2a")):
        (tmp_path / folder).mkdir()
        with OutputDirectory.hold(f"{tmp_path}/{folder}") as directory, directory.open_staging(owner, folder) as staging:
            ended = run(tools, clip, facts, staging, stop)
            results.append((ended.argv, file_of(ended).seal(unstopped)))
    assert results[0] == results[1]


def test_an_output_directory_swapped_for_a_symlink_leads_the_encoder_nowhere(
    tools: Tools, clip: Path, facts: MediaFacts, staging: Staging, stop: StopFlag, tmp_path: Path
) -> None:
    trap = tmp_path / "trap" / Path(staging.path).name
    trap.mkdir(parents=True)
    (trap / "clip.mov").write_bytes(b"precious")
    (tmp_path / "out").rename(tmp_path / "moved")
    (tmp_path / "out").symlink_to(tmp_path / "trap")
    ended = run(tools, clip, facts, staging, stop)
    assert seen(ended).exit_code == 0
    assert file_of(ended).same_inode()
    assert file_of(ended).size() == seen(ended).progress.total_size
    assert (trap / "clip.mov").read_bytes() == b"precious"


def test_a_source_with_a_hostile_name(
    tools: Tools, clip: Path, facts: MediaFacts, staging: Staging, stop: StopFlag, tmp_path: Path
) -> None:
    source = tmp_path / "-y %03d 'a' \"b\" $(touch x) 🎬\n|;&.mov"
    shutil.copy(clip, source)
    assert run(tools, source, facts, staging, stop).exit_code == 0


def test_write_and_then_fail(
    pretend: Callable[[str], Tools], clip: Path, facts: MediaFacts, staging: Staging, stop: StopFlag
) -> None:
    log = Log()
    ended = run(pretend('echo half > "$output"; echo "[error] no more" >&2; exit 7'), clip, facts, staging, stop, log=log)
    assert (seen(ended).exit_code, seen(ended).file_size) == (7, 5)
    assert log.lines == ["[error] no more"]
    error = error_of(ended)
    assert error is not None
    assert error.code is ErrorCode.ENCODE_FAILED


def test_the_report_on_fields_is_no_line_of_the_log(
    pretend: Callable[[str], Tools], clip: Path, facts: MediaFacts, staging: Staging, stop: StopFlag
) -> None:
    log = Log()
    report = "[info] -1.000000\\n[info] one\\n[Eval @ 0x7f7d74f53980] [info] -6.000000\\n[info] -0.500000\\n"
    ended = run(pretend(f"printf '{report}' >&2; echo '[info] -103.000000' >&2; exit 7"), clip, facts, staging, stop, log=log)
    assert log.lines == ["[info] one", "[info] -0.500000"]
    assert seen(ended).kinds == {"progressive": 0, "tt": 1, "bb": 25}


def test_kinds_that_depend_on_threads_are_not_told_of_an_encode_that_failed(
    pretend: Callable[[str], Tools], clip: Path, facts: MediaFacts, staging: Staging, stop: StopFlag
) -> None:
    log = Log()
    h264 = replace(facts, video=replace(facts.video, codec="h264"))
    ended = run(pretend("printf '[info] -1.000000\\n[info] -6.000000\\n' >&2; exit 7"), clip, h264, staging, stop, log=log)
    assert not evidence_of(ended).shows_kinds()
    error = error_of(ended)
    assert error is not None
    assert error.code is ErrorCode.ENCODE_FAILED
    assert "field_confirmation_started" not in log.actions


def test_a_pass_over_the_fields_that_fails_fails_the_encode(
    pretend: Callable[[str], Tools], clip: Path, facts: MediaFacts, staging: Staging, stop: StopFlag, tmp_path: Path
) -> None:
    ffprobe = tmp_path / "ffprobe"
    ffprobe.write_text("#!/bin/sh\nexit 3\n")
    ffprobe.chmod(0o755)
    h264 = replace(facts, video=replace(facts.video, codec="h264"))
    ffmpeg = pretend("printf '[info] -1.000000\\n[info] -6.000000\\n' >&2; echo progress=end; exit 0")
    ended = run(replace(ffmpeg, ffprobe=str(ffprobe)), clip, h264, staging, stop)
    assert (fault_of(ended).code, fault_of(ended).details) == (ErrorCode.ENCODE_FAILED, {"exit_code": 3, "lines": []})
    assert ended.exit_code == 0


def test_exit_0_with_a_short_file(
    pretend: Callable[[str], Tools], clip: Path, facts: MediaFacts, staging: Staging, stop: StopFlag
) -> None:
    script = 'echo half > "$output"; printf "frame=25\\ntotal_size=1000\\nprogress=end\\n"; exit 0'
    ended = run(pretend(script), clip, facts, staging, stop)
    assert (seen(ended).exit_code, seen(ended).file_size, seen(ended).progress.total_size) == (0, 5, 1000)
    assert error_of(ended) is not None


def test_death_by_a_fault_of_its_own(
    pretend: Callable[[str], Tools], clip: Path, facts: MediaFacts, staging: Staging, stop: StopFlag
) -> None:
    ended = run(pretend("kill -SEGV $$"), clip, facts, staging, stop)
    assert seen(ended).exit_code == -signal.SIGSEGV
    error = error_of(ended)
    assert error is not None
    assert error.code is ErrorCode.ENCODE_FAILED


def test_a_stop_is_an_interruption(
    pretend: Callable[[str], Tools], clip: Path, facts: MediaFacts, staging: Staging, stop: StopFlag
) -> None:
    script = 'printf "frame=1\\nprogress=continue\\n"; exec sleep 1000'
    ended = run(pretend(script), clip, facts, staging, stop, on_progress=lambda _: stop.request())
    assert ended.exit_code == -signal.SIGTERM
    assert fault_of(ended).code is ErrorCode.INTERRUPTED


def test_a_stop_in_mid_encode_leaves_no_encoder(
    tools: Tools, clip: Path, facts: MediaFacts, staging: Staging, stop: StopFlag
) -> None:
    ended = run(tools, clip, facts, staging, stop, on_progress=lambda _: stop.request())
    assert fault_of(ended).code is ErrorCode.INTERRUPTED


@pytest.mark.parametrize("words", [":", 'printf "frame=1\\nout_time_us=40000\\nprogress=continue\\n"'])
def test_an_encoder_that_does_not_get_on_is_stopped(
    pretend: Callable[[str], Tools], clip: Path, facts: MediaFacts, staging: Staging, stop: StopFlag, words: str
) -> None:
    ended = run(pretend(f"while :; do {words}; sleep 0.01; done"), clip, facts, staging, stop, stall_seconds=0.3)
    assert (fault_of(ended).code, fault_of(ended).details) == (ErrorCode.ENCODE_STALLED, {"stall_seconds": 0.3})


@pytest.mark.parametrize(
    "words",
    [
        'printf "frame=$i\\nprogress=continue\\n"',
        'printf "frame:$i pts:$i pts_time:$i\\n"',
        'printf x >> "$output"',
        'printf x | dd of="$output" conv=notrunc status=none',
    ],
)
def test_an_encoder_that_gets_on_is_left_to_work(
    pretend: Callable[[str], Tools], clip: Path, facts: MediaFacts, staging: Staging, stop: StopFlag, words: str
) -> None:
    script = f"i=0; while [ $i -lt 60 ]; do i=$((i+1)); {words}; sleep 0.02; done; exit 5"
    assert run(pretend(script), clip, facts, staging, stop, stall_seconds=0.8).exit_code == 5


def test_a_process_left_behind_is_a_failure(
    pretend: Callable[[str], Tools], clip: Path, facts: MediaFacts, staging: Staging, stop: StopFlag
) -> None:
    ended = run(pretend("sleep 1000 & exit 0"), clip, facts, staging, stop)
    assert fault_of(ended).code is ErrorCode.ENCODE_FAILED
    assert "left a process behind" in fault_of(ended).message


def test_a_flood_of_words_does_not_fill_the_log(
    pretend: Callable[[str], Tools], clip: Path, facts: MediaFacts, staging: Staging, stop: StopFlag
) -> None:
    log = Log()
    flood = "yes 'a line of the encoder, one of very many' | head -c 20000000 >&2; echo '[fatal] the end' >&2; exit 1"
    ended = run(pretend(flood), clip, facts, staging, stop, log=log, stall_seconds=600.0)  # words are no progress
    assert sum(map(len, log.lines)) < 5_000_000
    assert "more lines were left out" in log.lines[-1]
    assert seen(ended).stderr_tail[-1] == "[fatal] the end"


def test_a_missing_encoder(clip: Path, facts: MediaFacts, staging: Staging, stop: StopFlag, tmp_path: Path) -> None:
    with pytest.raises(ProxxError) as caught:
        run(Tools(f"{tmp_path}/none", "/usr/bin/ffprobe"), clip, facts, staging, stop)
    assert caught.value.code is ErrorCode.FFMPEG_MISSING


@pytest.mark.slow
@pytest.mark.parametrize("profile", ["proxy_prores_proxy", "proxy_h264_quarter", "proxy_dnxhr_lb"])
def test_a_disk_that_fills_up_is_never_taken_for_success(
    tools: Tools, clip: Path, facts: MediaFacts, staging: Staging, stop: StopFlag, tmp_path: Path, profile: str
) -> None:
    if os.geteuid() != 0:
        pytest.skip("mounting a small filesystem needs root")
    whole = seen(run(tools, clip, facts, staging, stop, profile=profile)).file_size
    folder = tmp_path / "small"
    folder.mkdir()
    for tenth in range(1, 10):
        size = max(4096, whole * tenth // 10 // 4096 * 4096)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], check=True)
        try:
            with OutputDirectory.hold(str(folder)) as directory, directory.open_staging("4f2a", "clip") as full:
                ended = run(tools, clip, facts, full, stop, profile=profile)
                full.remove()
            assert list(folder.iterdir()) == []
        finally:
            subprocess.run(["umount", str(folder)], check=True)
        error = error_of(ended)
        assert error is not None
        assert error.code is ErrorCode.NO_SPACE


def test_the_encoder_reads_the_file_that_is_held_whatever_its_path_has_become(
    tools: Tools, clip: Path, facts: MediaFacts, staging: Staging, stop: StopFlag, tmp_path: Path
) -> None:
    path = tmp_path / "moving.mov"
    path.hardlink_to(clip)
    with open_source(str(path)) as source:
        path.unlink()
        path.symlink_to(tmp_path / "nowhere")
        plan = plan_of("proxy_prores_proxy", facts)
        ended = FfmpegEngine(lambda: tools).encode(plan, source, staging, "clip.mov", context(stop))
    assert error_of(ended) is None
