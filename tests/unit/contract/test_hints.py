"""Hints by value: what was probably meant, and silence where that is not clear."""

import pytest

from proxx_worker.contract.hints import closest, missing_path_hint, relative_path_hint
from proxx_worker.contract.output_settings import Codec
from proxx_worker.contract.profiles import PROFILES
from proxx_worker.contract.spec_model import FIELDS


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("proxy_h264_lo", "proxy_h264_low"),
        ("PROXY_H264_LOW", "proxy_h264_low"),
        ("proxy_proress_lt", "proxy_prores_lt"),
        ("proxy_h264", None),
        ("proxy_4k", None),
        ("", None),
        ("x" * 100_000, None),
    ],
)
def test_a_profile(name: str, meant: str | None) -> None:
    assert closest(name, PROFILES) == meant


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("source", "sources"),
        ("Sources", "sources"),
        ("profile", "proxy_profile"),
        ("template", "naming_template"),
        ("output_dir", "output_directory"),
        ("outputdirectory", "output_directory"),
        ("version", "jobspec_version"),
        ("priority", None),
    ],
)
def test_a_field(name: str, meant: str | None) -> None:
    assert closest(name, FIELDS) == meant


@pytest.mark.parametrize(("name", "meant"), [("x264", "h264"), ("h.264", "h264"), ("prores", None), ("mp3", None)])
def test_a_codec(name: str, meant: str | None) -> None:
    assert closest(name, [codec.value for codec in Codec]) == meant


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("~/a.mov", "~ is not expanded"),
        ("C:/a.mov", "a Windows path"),
        ("d:\\a.mov", "a Windows path"),
        ("\\\\nas\\share", "a Windows path"),
        ("file:///a/b%20c.mov", "write only the path, /a/b c.mov"),
        ("$HOME/a", "variables are not expanded"),
        ("a.mov", "it must begin with /"),
    ],
)
def test_what_is_no_absolute_path(path: str, said: str) -> None:
    assert said in relative_path_hint(path)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/a/*.mov", "Wildcards are not expanded"),
        ("/a/A00?.mov", "Wildcards are not expanded"),
        ("/a/[AB].mov", "Wildcards are not expanded"),
        ("/a/b.mov ", "begins or ends with a space"),
        ("/a/b%20c.mov", "as a path it is /a/b c.mov"),
        ("/a/b.mov", None),
    ],
)
def test_what_is_not_there(path: str, said: str | None) -> None:
    hint = missing_path_hint(path)
    assert (hint is None) if said is None else (hint is not None and said in hint)
