"""Hints by value: what was probably meant, and silence where that is not clear."""

import pytest

from proxx_worker.contract.hints import closest, missing_path_hint, relative_path_hint
from proxx_worker.contract.output_settings import Codec
from proxx_worker.contract.profiles import PROFILES
from proxx_worker.contract.spec_model import FIELDS

WINDOWS = "it is a Windows path: write its path on the worker's machine, such as /mnt/share/..."
WILDCARDS = "Wildcards are not expanded: name each clip, or let `proxx-worker spec --recursive` find them."


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
        ("mode", "fps_mode"),
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
        ("~/a.mov", "~ is not expanded: write the whole path, such as /home/NAME/..."),
        ("C:/a.mov", WINDOWS),
        ("d:\\a.mov", WINDOWS),
        ("\\\\nas\\share", WINDOWS),
        ("file:///a/b%20c.mov", "it is a URL: write only the path, /a/b c.mov"),
        ("$HOME/a", "variables are not expanded: write the whole path"),
        ("a.mov", "it must begin with /"),
    ],
)
def test_what_is_no_absolute_path(path: str, said: str) -> None:
    assert relative_path_hint(path) == said


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/a/*.mov", WILDCARDS),
        ("/a/A00?.mov", WILDCARDS),
        ("/a/[AB].mov", WILDCARDS),
        ("/a/b.mov ", "The path begins or ends with a space."),
        ("/a/b%20c.mov", "It looks like part of a URL; as a path it is /a/b c.mov."),
        ("/a/b.mov", None),
    ],
)
def test_what_is_not_there(path: str, said: str | None) -> None:
    assert missing_path_hint(path) == said
