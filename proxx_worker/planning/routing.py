"""Which engine encodes a source: camera RAW goes to Resolve, all else to FFmpeg. By rule, not by what FFmpeg can decode."""

from collections.abc import Collection

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.contract.output_settings import Engine
from proxx_worker.media.facts import MediaFacts, RawSource

ALL_ENGINES = frozenset(Engine)


def engine_for(source: MediaFacts | RawSource) -> Engine:
    """The engine for this kind of media."""
    return Engine.RESOLVE if isinstance(source, RawSource) else Engine.FFMPEG


def route(engine_of_profile: Engine | None, source: MediaFacts | RawSource, ready: Collection[Engine] = ALL_ENGINES) -> Engine:
    """The engine for one source. `engine_of_profile` is None for the explicit form, which leaves the choice to the media.

    Raises ENGINE_MISMATCH, naming the format, if a profile's engine is not the source's. Engines in `ready` can run on this
    machine: no profile is advised that could not.
    """
    engine = engine_for(source)
    if isinstance(source, RawSource):
        name = source.format
        advice = (
            "use a *_resolve profile"
            if engine in ready
            else "Resolve is not set up on this machine, so make this proxy on one where it is (docs/resolve.md)"
        )
    else:
        name, advice = f"{source.video.codec} in {source.demuxer}", "use a profile without _resolve"
    if engine_of_profile not in {None, engine}:
        raise ProxxError(
            ErrorCode.ENGINE_MISMATCH,
            f"the profile uses {engine_of_profile}, but {name} needs {engine}: {advice}",
            format=name,
            profile_engine=str(engine_of_profile),
            source_engine=str(engine),
        )
    return engine
