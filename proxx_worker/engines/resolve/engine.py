"""The Resolve engine: surveys all sources first, then uses one project, timeline, render job and child per task.

Resolve opens sources by path. So their identity, and that of their companion files, is checked again after the render. Its
proxies are verified like any other.
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
from proxx_worker.engines.resolve.companions import Companions, companions_of
from proxx_worker.engines.resolve.conversation import Fields, Outcome, child_argv, folder_state, run_request
from proxx_worker.engines.resolve.lock import ResolveLock
from proxx_worker.engines.resolve.paths import ScriptingPaths
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
    """One source's plan, with its index in the job and its companion files. Satisfies `Plan`."""

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
        """The name of the Resolve project that renders it."""
        return f"{PROJECT} {self.fingerprint()[:_HASH_DIGITS]} {self.number}"


@dataclass(frozen=True, slots=True)
class ResolveEngine:
    """Satisfies `EnginePort`. `argv`: the child's command."""

    paths: ScriptingPaths
    lock: ResolveLock
    limits: Limits = field(default_factory=Limits)
    argv: Sequence[str] = field(default_factory=child_argv)

    def require_available(self) -> None:
        """Raise RESOLVE_UNAVAILABLE if Resolve's files are missing. Does not check whether it is running."""
        self.paths.require()

    def plan(self, settings: OutputSettings, media: Media, preset: str | None) -> ResolveTask:
        """See `plan_resolve`. Routing sends no ordinary media here."""
        if not isinstance(media, RawSource):
            raise TypeError(f"not camera RAW: {media}")
        return ResolveTask(plan_resolve(settings, media, preset or ""))

    def survey(self, tasks: Sequence[Accepted], context: EngineContext) -> Sequence[Accepted | Refused]:
        """Have Resolve import every source and report its clip properties.

        Raises RESOLVE_UNAVAILABLE if Resolve cannot run this job, with the reason; INTERRUPTED.
        """
        plans = [_resolve_task(task.plan) for task in tasks]
        lock = self.lock.acquire()
        companions = [_companions(task) for task in tasks]
        job = hashlib.sha256("".join(plan.fingerprint() for plan in plans).encode()).hexdigest()
        request = replace(
            self._request("survey", plans[0].plan, context.output_directory, lock),
            project=f"{PROJECT} {job[:_HASH_DIGITS]} survey",
            sources=[task.source_file for task in tasks],
        )
        outcome = run_request(self.argv, request, context, pass_fds=(lock,))
        if outcome.fault is not None:
            raise ProxxError.of(outcome.fault)
        return [
            found if isinstance(found, Refused) else _surveyed(task, number, found, outcome.state.media.get(number))
            for number, (task, found) in enumerate(zip(tasks, companions, strict=True))
        ]

    def encode(
        self, plan: Plan, source: OpenSource, staging: StagingArea, name: str, context: EngineContext
    ) -> Encoded | Unfinished:
        """Render `source` into staging with a render job of its own. Raises SOURCE_CHANGED, also for its companion files."""
        task = _resolve_task(plan)
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
            context.on_progress(Progress(position=done, ended=percentage == _COMPLETE))

        outcome = run_request(
            self.argv, request, context, pass_fds=(lock,), growth=folder_state(staging.path), on_percentage=progressed
        )
        if outcome.fault is not None:
            return Unfinished(outcome.fault, outcome.usage)
        task.companions.require_unchanged(source.path)
        return _adopt(task.plan, outcome, staging, f"{rendered}.{settings.container.value}", name, context)

    def finalize(self, plan: Plan, encoded: Encoded, context: EngineContext) -> None:
        """Nothing: Resolve finishes its own files."""

    def _request(self, work: Literal["survey", "render"], plan: ResolvePlan, target: str, lock: int) -> Request:
        paths = self.paths
        return Request(
            work=work,
            script_api=paths.api,
            script_lib=paths.lib,
            executable=paths.executable,
            home=_home_folder(),
            project="",
            target=target,
            preset=plan.preset,
            format=plan.render_format,
            codec=plan.render_codec,
            sources=[],
            limits=self.limits,
            keep=[lock],
        )


def _resolve_task(plan: Plan) -> ResolveTask:
    if not isinstance(plan, ResolveTask):
        raise TypeError(f"not a Resolve plan: {plan}")
    return plan


def _home_folder() -> str | None:
    """The user's home folder according to the system, whatever `HOME` says: Resolve keeps its preferences there."""
    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return None


def _companions(task: Accepted) -> Companions | Refused:
    try:
        return companions_of(task.source_file)
    except ProxxError as fault:
        return Refused(task.source, fault.error)


def _surveyed(task: Accepted, number: int, companions: Companions, media: Fields | None) -> Accepted | Refused:
    """The task with the clip properties that Resolve reported, or the reason why it cannot be rendered."""
    fault = _import_error(media)
    if fault is not None or media is None:
        return Refused(task.source, fault or _missing_report())
    clip = read_clip(_properties(media.get("properties")))
    if clip.offline:
        return Refused(
            task.source,
            JobError(
                ErrorCode.SOURCE_UNREADABLE,
                "Resolve must be able to read it, but reports it as offline. Check its storage, and that Resolve's user may "
                "read the file.",
            ),
        )
    plan = _resolve_task(task.plan)
    try:
        surveyed = with_clip(plan.plan, clip)
    except ProxxError as refusal:
        return Refused(task.source, refusal.error)
    parts, sidecars = (tuple(file.name for file in files) for files in (companions.parts, companions.sidecars))
    raw = SurveyedRaw(plan.plan.format, clip, parts, sidecars)
    return replace(task, media=raw, plan=ResolveTask(surveyed, number, companions))


def _properties(reported: JsonValue) -> dict[str, Property]:
    items = reported.items() if isinstance(reported, dict) else ()
    return {name: value for name, value in items if isinstance(value, str | int | float) or value is None}


def _import_error(media: Fields | None) -> JobError | None:
    if media is None or "message" not in media:
        return None
    return JobError(ErrorCode.SOURCE_UNSUPPORTED, str(media["message"]))


def _missing_report() -> JobError:
    return JobError(ErrorCode.RESOLVE_FAILED, "Resolve must report on every source, but did not report on this one. Restart it.")


def _adopt(
    plan: ResolvePlan, outcome: Outcome, staging: StagingArea, rendered: str, name: str, context: EngineContext
) -> Encoded:
    staged = staging.adopt(rendered, name, context.checkpoint("a render was synced to disk"))
    return Encoded(staged, ResolveEvidence(plan, outcome.state.percentage or 0), outcome.usage)
