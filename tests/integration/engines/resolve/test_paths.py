"""Where Resolve's scripting lies, and what is said where it does not."""

from pathlib import Path

import pytest

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.contract.profiles import PROFILES
from proxx_worker.engines.resolve.paths import DEFAULT_API, DEFAULT_LIB, ScriptingPaths
from proxx_worker.media.facts import RawSource
from proxx_worker.media.source_probe import read_source
from tests.support.resolve.world import StandIn
from tests.unit.media.documents import document, video


def test_the_installers_places_are_the_defaults() -> None:
    paths = ScriptingPaths.of(None, None, None)
    assert (paths.api, paths.lib, paths.executable, paths.configured) == (DEFAULT_API, DEFAULT_LIB, None, False)


def test_where_none_is_named_and_none_is_there_that_is_no_fault() -> None:
    paths = ScriptingPaths("/none/Scripting", "/none/fusionscript.so", None, configured=False)
    assert paths.absent
    with pytest.raises(ProxxError, match="not installed here: /none/fusionscript") as refusal:
        paths.require()
    assert refusal.value.code is ErrorCode.RESOLVE_UNAVAILABLE


@pytest.mark.parametrize("missing", ["resolve_script_lib", "resolve_script_api", "resolve_executable"])
def test_what_is_named_and_missing_is_named_again(tmp_path: Path, missing: str) -> None:
    with StandIn.made(tmp_path / "standin") as standin:
        good = standin.paths(starts=True)
        good.require()
        assert not good.absent
        given = {"resolve_script_api": good.api, "resolve_script_lib": good.lib, "resolve_executable": good.executable}
        given[missing] = str(tmp_path / "missing")
        with pytest.raises(ProxxError, match=f"correct `{missing}`") as refusal:
            ScriptingPaths.of(given["resolve_script_api"], given["resolve_script_lib"], given["resolve_executable"]).require()
        assert refusal.value.error.details["setting"] == missing


def test_the_engine_takes_camera_raw_only(tmp_path: Path) -> None:
    facts = read_source(document(video()), "", 0)
    settings = PROFILES["proxy_prores_proxy_resolve"].settings
    with StandIn.made(tmp_path / "standin") as standin:
        with pytest.raises(TypeError, match="not camera RAW"):
            standin.engine().plan(settings, facts, None)
        assert standin.engine().plan(settings, RawSource("Canon RAW"), "Proxy").duration is None
