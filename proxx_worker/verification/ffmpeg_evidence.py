"""The evidence of an encode by FFmpeg: how it ended, and the time of every frame that the source presented.

So the source need not be read a second time to verify the proxy against it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from proxx_worker.contract.errors import ErrorCode, JobError
from proxx_worker.contract.output_settings import Container
from proxx_worker.contract.result import Check
from proxx_worker.planning.plan import TaskPlan
from proxx_worker.verification.audio_damage import audio_damage
from proxx_worker.verification.checks import MILLISECOND, compare, first_frame, frame_times, start_check
from proxx_worker.verification.damage_places import DamageSearchResult
from proxx_worker.verification.encode_fault import encode_error, gap_error
from proxx_worker.verification.encode_observation import EncodeObservation
from proxx_worker.verification.ends import left_out_at_end
from proxx_worker.verification.field_changes import fields_fault, mixed_fields
from proxx_worker.verification.frame_grid import places_on_grid
from proxx_worker.verification.heard_audio import HeardAudio
from proxx_worker.verification.proxy_probe import ProxyObservation, StreamReport
from proxx_worker.verification.source_faults import (
    audio_ends_early,
    begins_late,
    empty_audio,
    ends_early,
    frames_left_out,
    undecoded_audio,
)
from proxx_worker.verification.source_times import claim, measured_plan, promised_frames, times_fault


@dataclass(frozen=True, slots=True)
class FfmpegEvidence:
    """One finished encode by `plan`. Satisfies `Evidence`.

    `claimed`: the rate that the source's container claims, if the plan uses the frames' own times instead. `search`: what
    a second pass over a damaged source found.
    """

    plan: TaskPlan
    encode: EncodeObservation
    claimed: str | None = None
    search: DamageSearchResult | None = None

    def checks(self) -> Sequence[Check]:
        """FFmpeg's exit code, the size that it reported last, and how much audio it encoded for MXF."""
        return (
            compare("exit_code", 0, self.encode.exit_code),
            compare("file_size", self.encode.progress.total_size, self.encode.file_size),
            *self._audio_encoded(),
            *self._rate_of_source(),
            *(mixed_fields(self.plan, self.encode) if self.shows_kinds() else ()),
        )

    def fault(self) -> JobError | None:
        """No space, a damaged or unsupported source, a failed encoder."""
        if self.shows_kinds():
            return fields_fault(self.plan, self.encode)
        return encode_error(self.plan, self.encode, self.search)

    def shows_kinds(self) -> bool:
        """Whether the encode went over all of a sound source, so that it shows every kind of frame."""
        return self.search is None and self._is_sound()

    def has_places(self) -> bool:
        """Whether the source is damaged so that a search for all damaged places is worthwhile.

        An encode that stopped at the first place knows no others. One that finished knows the places only approximately.
        """
        error = encode_error(self.plan, self.encode) or gap_error(self.plan, self.encode)
        return error is not None and error.code is ErrorCode.SOURCE_DAMAGED

    def time_checks(self, stream: StreamReport) -> Iterator[Check]:
        """Frame count, every frame's time, and the first one's."""
        converts = self.plan.design.schedule.converts
        presented, encoded, video = self.encode.presented, self.encode.progress.frames, self.plan.facts.video
        yield self._converted(encoded) if converts else compare("frames_encoded", presented, encoded)
        yield compare("frames", encoded if converts else presented, stream.frames)
        missing = frames_left_out(self.plan, self.encode)
        samples = promised_frames(video, self.encode.times)
        promised = None if samples is None else samples - missing
        yield compare("frames_of_source", promised, presented)
        if missing and self._is_sound():
            said = f"{missing} of {missing + presented}, before the first that decodes"
            yield Check(name="frames_left_out", expected=said, actual=said, ok=True)
        if (cut := left_out_at_end(self.plan.facts.open_end, missing + presented)) is not None:
            yield Check(name="frames_left_out_at_end", expected=cut, actual=cut, ok=True)
        unit, wanted = self._wanted_times(stream.frames)
        yield frame_times(self.plan.expected.container, stream, unit, wanted)
        # Matroska counts in milliseconds, and so do QuickTime's edit lists, which store a late start.
        yield start_check("start", self._wanted_start(), first_frame(stream), MILLISECOND)

    def audio(self) -> Sequence[HeardAudio | None]:
        """What the encode decoded of each audio stream; None for a copy."""
        return self.encode.audio

    def error(self, proxy: ProxyObservation) -> JobError | None:
        """Faults of the source that only the proxy reveals, or that its checks would blame on the proxy."""
        plan, encode = self.plan, self.encode
        return (
            ends_early(plan, encode, proxy.report)
            or undecoded_audio(plan, encode)
            or empty_audio(plan, encode)
            or audio_ends_early(plan, encode, proxy.report)
            or gap_error(plan, encode, self.search)
            or audio_damage(plan.expected.audio or (), proxy)
            or times_fault(plan, encode)
            or begins_late(plan, encode)
        )

    def notes(self) -> tuple[str, ...]:
        """Notes on the source that only its decoded frames give: how many at its beginning cannot be decoded."""
        missing = frames_left_out(self.plan, self.encode)
        if not missing or not self._is_sound():
            return ()
        return (f"frames left out at the beginning: {missing}; they do not decode, and no player shows them",)

    def replanned(self) -> TaskPlan | None:
        """A plan based on the frames' own times, if nothing else is wrong with this encode; None if this plan is right."""
        error = encode_error(self.plan, self.encode)
        if error is not None and error != times_fault(self.plan, self.encode):
            return None
        return None if gap_error(self.plan, self.encode) else measured_plan(self.plan, self.encode)

    def _is_sound(self) -> bool:
        """Whether the encode had no error. In a damaged source, frames may be missing because of the damage."""
        return encode_error(self.plan, self.encode) is None

    def _rate_of_source(self) -> Iterator[Check]:
        if self.claimed is not None:
            yield Check(name="rate_of_source", expected=self.claimed, actual=claim(self.plan), ok=None)

    def _audio_encoded(self) -> Iterator[Check]:
        """Whether as much audio was encoded as planned, in KiB.

        The MXF muxer drops audio after the end of the video, so the proxy itself does not show audio that was shifted.
        """
        sizes = [stream.padding.bytes for stream in self.plan.design.audio if stream.padding is not None]
        wanted = sum(size for size in sizes if size is not None)
        if not sizes or None in sizes or self.encode.exit_code != 0:
            return
        seen = self.encode.audio_units
        ok = None if seen is None else abs(seen * 1024 - wanted) < 1024  # noqa: PLR2004 - FFmpeg's unit
        yield Check(name="audio_encoded", expected=-(-wanted // 1024), actual=seen, ok=ok)

    def _wanted_start(self) -> Fraction:
        """Seconds from the file's start to the first frame, as the source presented it.

        That is later than its container says if a recording begins with frames that cannot be decoded.
        """
        schedule, times = self.plan.design.schedule, self.encode.times
        # Converted frames are on the grid, and MXF has no late start: the proxy starts with its first frame.
        if schedule.converts or self.plan.expected.container is Container.MXF or not times or 0 in self.encode.untimed[:1]:
            return schedule.offset
        start = times[0] * self.plan.facts.video.time_base
        return (
            start if schedule.rate is None else round(start / schedule.time_base) * schedule.time_base
        ) + schedule.output_shift

    def _converted(self, encoded: int) -> Check:
        """Whether frames of another rate fill the time that the source presented.

        Only where its container does not state that time: else the check `duration` compares with it. FFmpeg rounds the first
        frame and the end to frames of the new rate. The last frame lasts as long as its packet says: that is a frame of a
        constant rate, or near it, and unknown where the rate varies.
        """
        rate, video, times = self.plan.design.schedule.rate, self.plan.facts.video, self.encode.times
        if rate is None or self.plan.expected.timing.duration is not None or not times:
            return compare("frames_encoded", None, encoded)
        shown, frame = (max(times) - min(times)) * video.time_base * rate, rate / video.rate
        if not video.constant_rate:
            least = max(1, ceil(shown - 1))
            return Check(name="frames_encoded", expected=f"at least {least}", actual=encoded, ok=encoded >= least)
        ok = abs(encoded - shown - frame) <= 1 + frame
        return Check(name="frames_encoded", expected=max(1, round(shown + frame)), actual=encoded, ok=ok)

    def _wanted_times(self, frames: int) -> tuple[Fraction, Iterable[int]]:
        """The time of each frame relative to the first: the unit in seconds, and integers in that unit."""
        schedule, tick, times = self.plan.design.schedule, self.plan.facts.video.time_base, self.encode.times
        if schedule.converts and schedule.rate is not None:
            return 1 / schedule.rate, range(frames)
        if self.encode.untimed or not times:
            return tick, ()
        if schedule.rate is None:
            first = times[0]
            return tick, (time - first for time in times)
        return 1 / schedule.rate, places_on_grid(times, tick, schedule.rate)
