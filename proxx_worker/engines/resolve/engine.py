"""The Resolve engine: a survey of all sources, then one project, timeline, job and child per task.

Sources are opened by their path, by Resolve. So their identity, and that of what lies beside them, is compared once more after
the render. What Resolve makes goes through the same verification as any proxy.
"""

import hashlib
import os
import pwd
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Literal

from proxx_worker.contract.errors import ErrorCode, JobError, JsonValue, ProxxError
from proxx_worker.contract.output_settings import OutputSettings
from proxx_worker.engines.port import Accepted, Encoded, EngineContext, Media, Plan, Refused, StagingArea, Unfinished
from proxx_worker.engines.resolve.child.request import Limits, Request
from proxx_worker.engines.resolve.conversation import Fields, Outcome, child_argv, converse, growth_of
from proxx_worker.engines.resolve.lock import ResolveLock
from proxx_worker.engines.resolve.parts import Companions, companions_of
from proxx_worker.engines.resolve.places import Places
from proxx_worker.engines.source_file import OpenSource
from proxx_worker.media.clip_properties import Property, SurveyedRaw, read_clip
from proxx_worker.media.facts import RawSource
from proxx_worker.planning.expectation import Expectation
from proxx_worker.planning.resolve_plan import ResolvePlan, plan_resolve, with_clip
from proxx_worker.verification.progress import Progress
from proxx_worker.verification.resolve_evidence import ResolveEvidence

PROJECT = "proxx-worker"
_HASH_DIGITS = 12
_COMPLETE = 100


@dataclass(frozen=True, slots=True)
class ResolveTask:
    """One source's plan, with its place in the job and what lies beside the source. Satisfies `Plan`."""

    plan: ResolvePlan
    number: int = 0
    companions: Companions = field(default_factory=Companions)

    @property
    def expected(self) -> Expectation:
        """See `Plan`."""
        return self.plan.expected

    @property
    def duration(self) -> Fraction | None:
        """See `Plan`."""
        return self.plan.duration

    def fingerprint(self) -> str:
        """See `ResolvePlan.fingerprint`."""
        return self.plan.fingerprint()

    @property
    def project(self) -> str:
        """The name of the project that this is rendered in."""
        return f"{PROJECT} {self.fingerprint()[:_HASH_DIGITS]} {self.number}"


@dataclass(frozen=True, slots=True)
class ResolveEngine:
    """Satisfies `EnginePort`. `argv`: the child's command."""

    places: Places
    lock: ResolveLock
    limits: Limits = field(default_factory=Limits)
    argv: Sequence[str] = field(default_factory=child_argv)

    def require_available(self) -> None:
        """Raise RESOLVE_UNAVAILABLE where its files are not there. Whether it runs is not asked."""
        self.places.require()

    def plan(self, settings: OutputSettings, media: Media, preset: str | None) -> ResolveTask:
        """See `plan_resolve`. Ordinary media is another engine's: routing brings none here."""
        if not isinstance(media, RawSource):
            raise TypeError(f"not Resolve's to plan: {media}")
        return ResolveTask(plan_resolve(settings, media, preset or ""))

    def survey(self, tasks: Sequence[Accepted], around: EngineContext) -> Sequence[Accepted | Refused]:
        """Have Resolve import every source and tell its clip properties.

        Raises RESOLVE_UNAVAILABLE where it cannot work for this job, naming what is missing or in the way; INTERRUPTED.
        """
        plans = [_own(task.plan) for task in tasks]
        lock = self.lock.acquire()
        companions = [_companions(task) for task in tasks]
        job = hashlib.sha256("".join(plan.fingerprint() for plan in plans).encode()).hexdigest()
        request = replace(
            self._request("survey", plans[0].plan, around.output_directory, lock),
            project=f"{PROJECT} {job[:_HASH_DIGITS]} survey",
            sources=[task.source_file for task in tasks],
        )
        outcome = converse(self.argv, request, around, pass_fds=(lock,))
        if outcome.fault is not None:
            raise ProxxError.of(outcome.fault)
        return [
            beside if isinstance(beside, Refused) else _surveyed(task, number, beside, outcome.told.media.get(number))
            for number, (task, beside) in enumerate(zip(tasks, companions, strict=True))
        ]

    def encode(
        self, plan: Plan, source: OpenSource, staging: StagingArea, name: str, around: EngineContext
    ) -> Encoded | Unfinished:
        """Render `source` into staging by a job of its own. Raises SOURCE_CHANGED, also for what lies beside the source."""
        task = _own(plan)
        task.companions.require_unchanged(source.path)
        lock = self.lock.acquire()
        clip, settings = task.plan.clip, task.plan.settings
        rendered = f"proxx_{task.fingerprint()[:_HASH_DIGITS]}_{task.number}"
        request = replace(
            self._request("render", task.plan, staging.path, lock),
            project=task.project,
            sources=[source.path],
            name=rendered,
            extension=settings.container.value,
            timecode=None if clip is None or clip.timecode is None else clip.timecode.text,
            project_settings=list(task.plan.project_settings()),
            render_settings=list(task.plan.render_settings()),
        )

        def progressed(percentage: int) -> None:
            done = None if task.duration is None else task.duration * percentage / _COMPLETE
            around.on_progress(Progress(position=done, ended=percentage == _COMPLETE))

        outcome = converse(self.argv, request, around, pass_fds=(lock,), growth=growth_of(staging.path), on_percentage=progressed)
        if outcome.fault is not None:
            return Unfinished(outcome.fault, outcome.usage)
        task.companions.require_unchanged(source.path)
        return _adopted(task.plan, outcome, staging, f"{rendered}.{settings.container.value}", name, around)

    def finalize(self, plan: Plan, encoded: Encoded, around: EngineContext) -> None:
        """Nothing: Resolve finishes its own files."""

    def _request(self, work: Literal["survey", "render"], plan: ResolvePlan, target: str, lock: int) -> Request:
        places = self.places
        return Request(
            work=work,
            script_api=places.api,
            script_lib=places.lib,
            executable=places.executable,
            home=_home(),
            project="",
            target=target,
            preset=plan.preset,
            format=plan.render_format,
            codec=plan.render_codec,
            sources=[],
            limits=self.limits,
            keep=[lock],
        )


def _own(plan: Plan) -> ResolveTask:
    if not isinstance(plan, ResolveTask):
        raise TypeError(f"not a plan of Resolve's: {plan}")
    return plan


def _home() -> str | None:
    """The user's home folder by the system's own word: Resolve keeps its preferences there, and no variable may decide it."""
    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return None


def _companions(task: Accepted) -> Companions | Refused:
    try:
        return companions_of(task.source_file)
    except ProxxError as fault:
        return Refused(task.source, fault.error)


def _surveyed(task: Accepted, number: int, beside: Companions, media: Fields | None) -> Accepted | Refused:
    """The task with what Resolve told of its source, or why there can be no proxy of it."""
    fault = _fault_of(media)
    if fault is not None or media is None:
        return Refused(task.source, fault or _untold())
    told = media.get("properties")
    clip = read_clip(_properties(told))
    if clip.offline:
        return Refused(
            task.source,
            JobError(
                ErrorCode.SOURCE_UNREADABLE,
                "Resolve must be able to read it, but calls it offline. Check that its user may read the file, and its storage.",
            ),
        )
    plan = _own(task.plan)
    try:
        known = with_clip(plan.plan, clip)
    except ProxxError as refusal:
        return Refused(task.source, refusal.error)
    raw = SurveyedRaw(plan.plan.format, clip, tuple(it.name for it in beside.parts), tuple(it.name for it in beside.sidecars))
    return replace(task, media=raw, plan=ResolveTask(known, number, beside))


def _properties(told: JsonValue) -> dict[str, Property]:
    items = told.items() if isinstance(told, dict) else ()
    return {name: value for name, value in items if isinstance(value, str | int | float) or value is None}


def _fault_of(media: Fields | None) -> JobError | None:
    if media is None or "message" not in media:
        return None
    return JobError(ErrorCode.SOURCE_UNSUPPORTED, str(media["message"]))


def _untold() -> JobError:
    return JobError(ErrorCode.RESOLVE_FAILED, "Resolve must tell of every source, but of this one it told nothing. Restart it.")


def _adopted(
    plan: ResolvePlan, outcome: Outcome, staging: StagingArea, rendered: str, name: str, around: EngineContext
) -> Encoded:
    staged = staging.adopt(rendered, name, around.checkpoint("a render was taken over"))
    return Encoded(staged, ResolveEvidence(plan, outcome.told.percentage or 0), outcome.usage)
