"""`feed`: scans the watched folders again and again, and drops a spec for each clip that has settled.

The folders are the only state. What is remembered between two scans only saves work or log lines: since when a file has been
unchanged, what it was by its first bytes, what was reported already. A feeder that is killed and restarted reaches the same end.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from proxx_worker.contract.errors import ErrorCode, JobError, JsonValue, ProxxError
from proxx_worker.feeding.cards import disc_roots, place_of
from proxx_worker.feeding.clips import Clip, Skip, content_skip, counted, has_extension
from proxx_worker.feeding.drops import drop, make_directories, require_directories, sweep
from proxx_worker.feeding.jobs import Jobs, outputs_there
from proxx_worker.feeding.orders import PlannedSpec, Refused, plan, without_collisions
from proxx_worker.feeding.rules import REMEDIES, Rule
from proxx_worker.feeding.scan import Entry, Stamp, Walk, sniff, stamp_of, walk
from proxx_worker.feeding.settling import Settling
from proxx_worker.feeding.standing import Standing, standing
from proxx_worker.files.locations import path_text, real_path_of
from proxx_worker.media.content_kind import ContentKind
from proxx_worker.workspace.layout import Workspace, make_folder


class FeedLog(Protocol):
    """Where the feeder reports what it does."""

    def event(
        self, action: str, message: str = "", *, level: Literal["INFO", "WARNING", "ERROR"] = "INFO", **fields: JsonValue
    ) -> None:
        """One line: an action that programs may rely on, a message for people, fields."""


@dataclass(slots=True)
class Look:
    """The outcome of one scan of all folders.

    `settles_at`, `all_settle_at`: when the next file, and when every file that is waited for, will have settled if nothing
    changes (monotonic seconds); None if none is waited for. `faults`: the codes of what could not be fed.
    """

    fed: int = 0
    settles_at: float | None = None
    all_settle_at: float | None = None
    faults: list[ErrorCode] = field(default_factory=list)

    def waits_until(self, when: float) -> None:
        """Note that a file will have settled by then."""
        self.settles_at = when if self.settles_at is None else min(self.settles_at, when)
        self.all_settle_at = when if self.all_settle_at is None else max(self.all_settle_at, when)


class Feeder:
    """Applies the rules. The clock is the caller's: every `now` is in monotonic seconds."""

    def __init__(self, workspace: Workspace, rules: Sequence[Rule], log: FeedLog, stop: Callable[[], bool]) -> None:
        """Touches nothing yet. `stop` is asked between folders, files and specs."""
        self._workspace = workspace
        self._rules = rules
        self._log = log
        self._stop = stop
        self._jobs = Jobs.of_workspace(workspace)
        self._settling: dict[Rule, Settling[Stamp]] = {rule: Settling() for rule in rules}
        self._kinds: dict[tuple[str, Stamp], ContentKind] = {}
        self._stamps: dict[str, Stamp] = {}
        self._told: set[tuple[str, str]] = set()
        self._telling: set[tuple[str, str]] = set()
        ours = frozenset(rule.output_directory for rule in rules)
        places = {path_text(workspace.path), *(name for name in ours if name.startswith("/"))}
        self._left_out = frozenset(map(real_path_of, places))
        self._own_proxies = frozenset(name for name in ours if not name.startswith("/"))

    def look(self, now: float) -> Look:
        """Scan everything once, and drop what is due.

        Raises `ProxxError` if something is wrong with the workspace: the feeder must not go on. Problems with a watched folder, a
        file or an output directory are reported, and everything else goes on.
        """
        self._workspace.require()
        make_folder(self._workspace.inbox)
        look = Look()
        self._telling, self._stamps = set(), {}
        planned: list[tuple[Rule, PlannedSpec]] = []
        kinds: dict[tuple[str, Stamp], ContentKind] = {}
        for rule in self._rules:
            clips = list(self._settled_clips(rule, now, look, kinds))
            wanted = plan(clips, rule.order)
            planned.extend((rule, spec) for spec in wanted.specs)
            for path, reason in wanted.unfit:
                self._tell_left_alone(path, reason)
            self._tell_refused(wanted.refused, look)
        self._kinds = kinds
        if not self._stop():
            self._feed(planned, look)
        self._told = self._telling
        return look

    def _settled_clips(self, rule: Rule, now: float, look: Look, kinds: dict[tuple[str, Stamp], ContentKind]) -> Iterator[Clip]:
        """The clips below a rule's folder that have settled. `kinds` gets what each settled file is."""
        tree = walk(rule.watch, Walk(rule.recursive, self._own_proxies, self._left_out), self._stop)
        for fault in tree.unreadable:
            self._tell_fault(fault.error, look)
        settling = self._settling[rule]
        settling.keep_only({entry.path for entry in tree.entries})
        discs = disc_roots(entry.path for entry in tree.entries)
        for entry in tree.entries:
            if rule.extensions is not None and not has_extension(entry.relative, rule.extensions):
                continue
            settles_at = settling.settles_at(entry.path, entry.stamp, now, rule.settle_seconds)
            if settles_at > now:
                look.waits_until(settles_at)
                continue
            if self._stop():
                return
            kind = self._kind_of(entry, look)
            if kind is None:
                continue
            kinds[entry.path, entry.stamp] = kind
            place = place_of(entry.path, discs)
            reason = content_skip(kind, place)
            if reason in {Skip.UNKNOWN, Skip.EMPTY}:
                self._tell_left_alone(entry.path, reason)
            if reason is None:
                self._stamps[entry.path] = entry.stamp
                yield Clip(entry.path, entry.root, entry.relative, kind is ContentKind.RAW, place)

    def _kind_of(self, entry: Entry, look: Look) -> ContentKind | None:
        kind = self._kinds.get((entry.path, entry.stamp))
        if kind is None:
            try:
                kind = sniff(entry)
            except ProxxError as fault:
                # Gone since the listing: it was renamed, and will be found under its new name.
                if fault.error.details.get("errno") != "ENOENT":
                    self._tell_fault(fault.error, look)
        return kind

    def _feed(self, planned: Sequence[tuple[Rule, PlannedSpec]], look: Look) -> None:
        """Drop what is new of `planned`, one by one: a stop, or a fault of one, leaves the others whole."""
        alone, refused = without_collisions([spec for _, spec in planned], REMEDIES)
        self._tell_refused(refused, look)
        rules = {spec.stem: rule for rule, spec in planned}
        self._jobs.look()
        made: list[PlannedSpec] = []
        for spec in alone:
            if self._stop():
                return
            try:
                if self._is_new(spec, made):
                    self._drop(spec, rules[spec.stem], look)
            except ProxxError as fault:
                if fault.code is ErrorCode.WORKSPACE_INVALID:
                    raise
                self._tell_fault(fault.error, look)
        if made:
            message = f"found {counted(len(made), 'output')} without a known job of these rules; the first: {made[0].outputs[0]}"
            if self._is_news("outputs_there", message):
                self._log.event("outputs_there", message, outputs=len(made))
        if look.fed:
            sweep(self._workspace.inbox)

    def _is_new(self, spec: PlannedSpec, made: list[PlannedSpec]) -> bool:
        """Whether to drop it. `made` gets a spec whose output exists, but by no job that is known of these rules."""
        states = self._jobs.states_of(spec.stem, spec.data)
        if states:
            return False  # tried once, whatever the outcome; and there is no need to look for the output
        found = standing(states, outputs_there(spec.outputs), again=False)
        if found is Standing.MADE:
            made.append(spec)
        return found is Standing.NEW

    def _drop(self, spec: PlannedSpec, rule: Rule, look: Look) -> None:
        path = spec.clips[0].path
        if stamp_of(path) != self._stamps[path]:
            return  # it grows again: with many clips its last check is a while ago
        if rule.create_directories:
            make_directories([spec.output_directory])
        else:
            require_directories([spec.output_directory], "set `create_directories = true` in the rule")
        (made,) = drop(self._workspace.inbox, [spec])
        look.fed += 1
        self._log.event("fed", path, spec=path_text(made), output_directory=spec.output_directory)

    def _tell_refused(self, refused: Sequence[Refused], look: Look) -> None:
        for one in refused:
            look.faults.append(one.error.code)
            if self._is_news("not_fed", one.error.message):
                path = one.clips[0].path
                self._log.event("not_fed", one.error.message, level="ERROR", source=path, code=one.error.code)

    def _tell_left_alone(self, path: str, reason: Skip) -> None:
        """Someone may be waiting for this one; nobody expects sidecars, stills and audio to become proxies."""
        if self._is_news("left_alone", path):
            self._log.event("left_alone", f"{path}: {reason}", level="WARNING", source=path, reason=reason)

    def _tell_fault(self, error: JobError, look: Look) -> None:
        look.faults.append(error.code)
        if self._is_news("cannot_feed", error.message):
            self._log.event("cannot_feed", error.message, level="ERROR", code=error.code)

    def _is_news(self, action: str, what: str) -> bool:
        """False if the previous scan found the same: what stays true is reported once, until it goes away and comes back."""
        news = (action, what) not in self._told | self._telling
        self._telling.add((action, what))
        return news
