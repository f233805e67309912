import pytest

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.contract.output_settings import Engine
from proxx_worker.media.facts import MediaFacts, RawSource
from proxx_worker.media.source_probe import read_source
from proxx_worker.planning.routing import route
from tests.unit.media.documents import document, video

ORDINARY = read_source(document(video()), "", 0)
RAW = RawSource("ARRIRAW")


@pytest.mark.parametrize(
    ("profile", "source", "engine"),
    [
        (None, ORDINARY, Engine.FFMPEG),
        (None, RAW, Engine.RESOLVE),
        (Engine.FFMPEG, ORDINARY, Engine.FFMPEG),
        (Engine.RESOLVE, RAW, Engine.RESOLVE),
    ],
)
def test_the_media_decides_and_a_profile_may_agree(
    profile: Engine | None, source: MediaFacts | RawSource, engine: Engine
) -> None:
    assert route(profile, source) is engine


@pytest.mark.parametrize(
    ("profile", "source", "named", "message"),
    [
        (Engine.FFMPEG, RAW, "ARRIRAW", "the profile uses ffmpeg, but ARRIRAW needs resolve: use a *_resolve profile"),
        (
            Engine.RESOLVE,
            ORDINARY,
            "h264 in mov",
            "the profile uses resolve, but h264 in mov needs ffmpeg: use a profile without _resolve",
        ),
    ],
)
def test_a_profile_that_disagrees_is_a_mismatch_that_names_the_format(
    profile: Engine, source: MediaFacts | RawSource, named: str, message: str
) -> None:
    with pytest.raises(ProxxError) as refusal:
        route(profile, source)
    assert (refusal.value.code, refusal.value.error.message) == (ErrorCode.ENGINE_MISMATCH, message)
    assert refusal.value.error.details == {
        "format": named, "profile_engine": profile.value, "source_engine": route(None, source).value,
    }  # fmt: skip


def test_no_profile_is_advised_that_could_not_run() -> None:
    with pytest.raises(ProxxError) as refusal:
        route(Engine.FFMPEG, RAW, {Engine.FFMPEG})
    assert refusal.value.error.message == (
        "the profile uses ffmpeg, but ARRIRAW needs resolve: "
        "Resolve is not set up on this machine, so make this proxy on one where it is (docs/resolve.md)"
    )
