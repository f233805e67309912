"""The search of a damaged source: one ffprobe that decodes all of it, after an encode has failed because of the damage."""

from collections.abc import Callable
from dataclasses import dataclass

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.engines.port import EngineContext, Usage
from proxx_worker.engines.source_file import OpenSource
from proxx_worker.engines.source_pass import run_source_pass
from proxx_worker.engines.tools import Tools
from proxx_worker.media.facts import MediaFacts
from proxx_worker.planning.damage_search import search_argv
from proxx_worker.process.child_exit import ChildExit
from proxx_worker.verification.damage_places import DamageSearchResult
from proxx_worker.verification.damage_search import DamageSearch

_NO_CHILD = frozenset({ErrorCode.FFPROBE_MISSING, ErrorCode.SANDBOX_UNAVAILABLE})


@dataclass(frozen=True, slots=True)
class Searched:
    """A finished search. `found`: None if it was stopped; not complete if ffprobe hung, died, or held too much memory."""

    found: DamageSearchResult | None
    usage: Usage


def search_damage(
    tools: Tools, facts: MediaFacts, source: OpenSource, context: EngineContext, keep_alive: Callable[[], None]
) -> Searched:
    """Decode all of `source`. `keep_alive` is called at least once a second.

    The source is known to be damaged, and that remains the verdict: a search that fails is told in the log and in its result.

    Raises IO_ERROR (no process can be started, or one cannot be ended), and what `keep_alive` raises.
    """
    search = DamageSearch(facts)
    child: ChildExit | None = None
    failure: str | None = None
    context.log.event("damage_search_started", level="DEBUG")
    try:
        child, _ = run_source_pass(
            search_argv(facts, tools.ffprobe, source.descriptor_path), tools, source, context, keep_alive, search
        )
    except ProxxError as error:
        if error.code not in _NO_CHILD:
            raise
        failure = error.error.message
    else:
        failure = _failure(child)
    usage = Usage() if child is None else Usage(child.cpu_seconds, child.peak_memory_bytes)
    if child is not None and child.stopped:
        return Searched(None, usage)
    found = search.finish(complete=failure is None)
    if failure is not None:
        context.log.event(
            "damage_search_failed",
            f"a damaged source must be searched to its end, but {failure}: there may be more",
            level="WARNING",
        )
    cpu = round(usage.cpu_seconds, 3)
    context.log.event("damage_searched", places=len(found.places) + found.more, complete=found.complete, cpu_seconds=cpu)
    return Searched(found, usage)


def _failure(child: ChildExit) -> str | None:
    """Why the search did not come to the source's end; None if it did."""
    if child.stalled:
        return "ffprobe made no progress"
    if child.out_of_memory:
        return "ffprobe took more than `encoder_memory_bytes`"
    if child.exit_code != 0:
        return f"ffprobe ended with {child.exit_code}"
    return None
