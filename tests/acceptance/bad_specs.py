"""Specs that are refused for what they say, whatever the world is like: not JSON, wrong fields, impossible names."""

from collections.abc import Callable
from typing import Any

from tests.acceptance.specs import ABSENT, CONTAINERS, explicit
from tests.acceptance.stage import Case, Stage


def _not_json(name: str, data: bytes | Callable[[Stage], bytes]) -> Case:
    return Case(name, "SPEC_NOT_JSON", data if callable(data) else lambda _: data, tasks=0)


NOT_JSON = [
    _not_json("broken", lambda it: it.spec()[:-3]),
    _not_json("empty", b""),
    _not_json("blank", b" \n\t \n"),
    _not_json("nan", lambda it: it.spec(fps_mode="explicit", fps_explicit=float("nan"))),
    _not_json("infinity", lambda it: it.spec(fps_mode="explicit", fps_explicit=float("inf"))),
    _not_json("bom", lambda it: b"\xef\xbb\xbf" + it.spec()),
    _not_json("latin-1", lambda it: it.spec(job_id="caf\u00e9").decode().encode("latin-1")),
    _not_json("utf-16", lambda it: it.spec().decode().encode("utf-16")),
    _not_json("overlong-utf-8", lambda it: it.spec().replace(b"A001", b"\xc0\xaf001")),
    _not_json("deep-arrays", lambda it: it.spec()[:-2] + b',"x":' + b"[" * 50_000 + b"]" * 50_000 + b"}"),
    _not_json("deep-objects", lambda it: it.spec()[:-2] + b',"x":' + b'{"a":' * 20_000 + b"1" + b"}" * 20_000 + b"}"),
    _not_json("array", lambda it: b"[" + it.spec() + b"]"),
    _not_json("string", b'"2.1"'),
    _not_json("number", b"21"),
    _not_json("null", b"null"),
    _not_json("two-objects", lambda it: it.spec() * 2),
    _not_json("trailing-text", lambda it: it.spec() + b"// done"),
    _not_json("trailing-comma", lambda it: it.spec()[:-2] + b",}"),
    _not_json("single-quotes", lambda it: it.spec().replace(b'"', b"'")),
    _not_json("raw-newline-in-a-string", lambda it: it.spec().replace(b"A001C001", b"A001\nC001")),
    _not_json("nul-bytes", bytes(512)),
]
TOO_LARGE = [
    Case("two-mib", "SPEC_TOO_LARGE", lambda it: it.spec() + b" " * (2 << 20), ("1 MiB",), tasks=0),
    Case("one-byte-over", "SPEC_TOO_LARGE", lambda it: it.spec().ljust((1 << 20) + 1), tasks=0),
    Case("two-mib-of-noise", "SPEC_TOO_LARGE", lambda _: b"\xff" * (2 << 20), tasks=0),
]
VERSION = [
    Case("version-missing", "SPEC_VERSION", lambda it: it.spec(jobspec_version=ABSENT), ("2.1",)),
    Case("version-null", "SPEC_VERSION", lambda it: it.spec(jobspec_version=None), ("2.1",)),
    Case("version-number", "SPEC_VERSION", lambda it: it.spec(jobspec_version=2.1), ("2.1",)),
    Case("version-2.0", "SPEC_VERSION", lambda it: it.spec(jobspec_version="2.0"), ("2.0", "2.1")),
    Case("version-3", "SPEC_VERSION", lambda it: it.spec(jobspec_version="3"), ("2.1",)),
    Case(
        "version-goes-before-faults",
        "SPEC_VERSION",
        lambda it: it.spec(jobspec_version="2", sources=5, surprise=1),
        tasks=0,
    ),
]


def _invalid(name: str, faults: str, *says: str, tasks: int = 1, **fields: Any) -> Case:  # noqa: ANN401 - any JSON value
    return Case(name, "SPEC_INVALID", lambda it: it.spec(**fields), says, tuple(faults.split()), tasks)


def _raw(name: str, faults: str, edit: Callable[[bytes], bytes], *says: str, tasks: int = 1) -> Case:
    return Case(name, "SPEC_INVALID", lambda it: edit(it.spec()), says, tuple(faults.split()), tasks)


BAD_PAIRS = [
    ("dnxhd", "mov"), ("dnxhd", "mp4"), ("dnxhr", "mkv"), ("h264", "webm"), ("h264", "mxf"), ("hevc", "webm"), ("vp9", "mp4"),
    ("vp9", "mov"), ("av1", "mov"), ("prores_proxy", "mp4"), ("prores_4444", "mkv"),
]  # fmt: skip
BAD_SIZES = ["", "third", "0x0", "640", "640x", "-2x4", "640\u00d7360", " 640x360", "640x360x2", "1e3x100"]
INVALID = [
    _invalid("job-id-empty", "job_id", job_id=""),
    _invalid("job-id-with-space", "job_id", job_id="scene 1"),
    _invalid("job-id-too-long", "job_id", "128", job_id="x" * 129),
    _invalid("job-id-number", "job_id", job_id=5),
    _invalid("job-id-not-ascii", "job_id", job_id="caf\u00e9"),
    _invalid("job-id-with-slash", "job_id", job_id="../up"),
    _invalid("sources-missing", "sources", tasks=0, sources=ABSENT),
    _invalid("sources-null", "sources", tasks=0, sources=None),
    _invalid("sources-empty", "sources", tasks=0, sources=[]),
    _invalid("sources-text", "sources", tasks=0, sources="/clips/a.mov"),
    _invalid("sources-of-numbers", "sources", tasks=0, sources=[1]),
    _invalid("sources-with-null", "sources", tasks=0, sources=["/clips/a.mov", None]),
    _invalid("source-relative", "sources", "absolute", sources=["a.mov"]),
    _invalid("source-home", "sources", sources=["~/a.mov"]),
    _invalid("source-url", "sources", sources=["file:///a.mov"]),
    _invalid("source-empty", "sources", sources=[""]),
    _invalid("source-with-nul", "sources", sources=["/clips/a\0.mov"]),
    _invalid("output-directory-missing", "output_directory", output_directory=ABSENT),
    _invalid("output-directory-null", "output_directory", output_directory=None),
    _invalid("output-directory-relative", "output_directory", "absolute", output_directory="proxies"),
    _invalid("output-directory-number", "output_directory", output_directory=5),
    _invalid("output-directory-empty", "output_directory", output_directory=""),
    _invalid("profile-number", "proxy_profile", proxy_profile=5),
    _invalid("no-form", "proxy_profile", proxy_profile=ABSENT),
    _invalid("codec-alone", "container resolution", proxy_profile=ABSENT, codec="h264"),
    _invalid("resolution-missing", "resolution", proxy_profile=ABSENT, codec="h264", container="mp4"),
    _invalid("codec-unknown", "codec", "prores_lt", **explicit("mpeg2", "mp4")),
    _invalid("codec-upper-case", "codec", **explicit("H264", "mp4")),
    _invalid("codec-number", "codec", **explicit("h264", "mp4") | {"codec": 264}),
    _invalid("container-unknown", "container", "mp4", **explicit("h264", "avi")),
    _invalid("container-with-dot", "container", **explicit("h264", ".mp4")),
    *(
        _invalid(f"{codec}-in-{container}", "container", *CONTAINERS[codec], **explicit(codec, container))
        for codec, container in BAD_PAIRS
    ),
    *(
        _invalid(f"resolution-{number}", "resolution", **explicit("h264", "mp4", text))
        for number, text in enumerate(BAD_SIZES)
    ),
    _invalid("resolution-number", "resolution", **explicit("h264", "mp4") | {"resolution": 640}),
    _invalid("template-missing", "naming_template", naming_template=ABSENT),
    _invalid("template-null", "naming_template", naming_template=None),
    _invalid("template-number", "naming_template", naming_template=5),
    _invalid("template-with-unknown-token", "naming_template", "{clip}", "{source_name}", naming_template="{clip}"),
    _invalid("template-with-format-spec", "naming_template", naming_template="{index:03}"),
    _invalid("template-with-open-brace", "naming_template", naming_template="{source_name"),
    _invalid("template-with-closing-brace", "naming_template", naming_template="source_name}"),
    _invalid("template-with-doubled-braces", "naming_template", naming_template="{{source_name}}"),
    _invalid("template-with-empty-token", "naming_template", naming_template="{}"),
    _invalid("date-without-created-at", "created_at", "{date}", naming_template="{source_name}_{date}"),
    _invalid("time-without-created-at", "created_at", "{time}", naming_template="{source_name}_{time}"),
    _invalid("fps-mode-unknown", "fps_mode", "same-as-source", fps_mode="auto"),
    _invalid("fps-explicit-missing", "fps_explicit", fps_mode="explicit"),
    _invalid("fps-explicit-null", "fps_explicit", fps_mode="explicit", fps_explicit=None),
    _invalid("fps-explicit-unasked", "fps_explicit", fps_explicit=25),
    _invalid("fps-explicit-beside-same", "fps_explicit", fps_mode="same-as-source", fps_explicit=25),
    _invalid("fps-explicit-zero", "fps_explicit", fps_mode="explicit", fps_explicit=0),
    _invalid("fps-explicit-negative", "fps_explicit", fps_mode="explicit", fps_explicit=-25),
    _invalid("fps-explicit-text", "fps_explicit", fps_mode="explicit", fps_explicit="25"),
    _invalid("fps-explicit-boolean", "fps_explicit", fps_mode="explicit", fps_explicit=True),
    _raw("fps-explicit-beyond-double", "fps_explicit", lambda it: it[:-2] + b',"fps_mode":"explicit","fps_explicit":1e999}'),
    _invalid("tokens-list", "resolved_tokens", resolved_tokens=["source_name"]),
    _invalid("tokens-unknown", "resolved_tokens", "scene", resolved_tokens={"scene": "1"}),
    _invalid("tokens-number", "resolved_tokens", resolved_tokens={"index": 1}),
    _invalid("tokens-with-slash", "resolved_tokens", resolved_tokens={"source_name": "a/b"}),
    _invalid("created-at-words", "created_at", created_at="yesterday"),
    _invalid("created-at-number", "created_at", created_at=20260101),
    _invalid("created-at-impossible", "created_at", created_at="2026-02-30T10:00:00Z"),
    _invalid("preset-for-ffmpeg", "resolve_preset", resolve_preset="Proxy"),
    _invalid("preset-number", "resolve_preset", resolve_preset=5),
    _invalid("preset-missing-for-resolve", "resolve_preset", proxy_profile="proxy_prores_lt_resolve"),
    _invalid("preset-for-ordinary-media", "resolve_preset", **explicit("h264", "mp4", resolve_preset="Proxy")),
    _invalid("unknown-field", "surprise", surprise=1),
    _invalid("misspelled-field", "output_dir", output_dir="/proxies"),
    _raw("repeated-field", "job_id", lambda it: it[:-2] + b',"job_id":"a","job_id":"a"}', "job_id"),
    _raw("repeated-profile", "proxy_profile", lambda it: it[:-2] + b',"proxy_profile":"proxy_h264_quarter"}'),
    _raw("repeated-token", "resolved_tokens", lambda it: it[:-2] + b',"resolved_tokens":{"index":"1","index":"2"}}'),
    _raw("lone-surrogate", "job_id", lambda it: it[:-2] + rb',"job_id":"\ud800"}'),
    _raw("lone-surrogate-in-a-source", "sources", lambda it: it.replace(b"A001C001", rb"A001\udfffC001")),
    _invalid("unknown-profile-and-more", "proxy_profile surprise", proxy_profile="best", surprise=1),
    _invalid("profile-disagrees-with-codec", "codec", "h264", "prores_lt", codec="prores_lt"),
    _invalid("profile-disagrees-with-container", "container", "mp4", "mov", container="mov"),
    _invalid("profile-disagrees-with-size", "resolution", "quarter", "half", resolution="half"),
    _invalid(
        "everything-at-once",
        "job_id sources output_directory codec container resolution fps_mode naming_template created_at surprise",
        job_id="", sources=["a.mov"], output_directory="b", fps_mode="c", naming_template="{d}", created_at="e", surprise="f",
        **explicit("g", "h", "i"),
    ),
]  # fmt: skip


def _name(name: str, template: str, *says: str, **fields: Any) -> Case:  # noqa: ANN401 - any JSON value
    return Case(name, "OUTPUT_NAME_INVALID", lambda it: it.spec(naming_template=template, **fields), says)


NAMES = [
    Case("profile-unknown", "PROFILE_UNKNOWN", lambda it: it.spec(proxy_profile="best"), ("best", "proxy_h264_low")),
    Case("profile-empty", "PROFILE_UNKNOWN", lambda it: it.spec(proxy_profile=""), ("proxy_h264_low",)),
    _name("name-with-slash", "day1/{source_name}"),
    _name("name-absolute", "/tmp/{source_name}"),
    _name("name-up", "../{source_name}"),
    _name("name-with-backslash", "day1\\{source_name}"),
    _name("name-with-newline", "{source_name}\nproxy"),
    _name("name-with-tab", "{source_name}\tproxy"),
    _name("name-with-delete", "{source_name}\x7f"),
    _name("name-with-c1-control", "{source_name}\x85"),
    _name("name-hidden", ".{source_name}"),
    _name("name-of-300-bytes", "x" * 300, "255"),
    _name("name-of-256-bytes", "x" * 252, "255"),
    _name("name-of-256-bytes-in-characters-of-2", "\u00e9" * 126, "255"),
    Case("source-name-with-newline", "OUTPUT_NAME_INVALID", lambda it: it.of(it.link("a\nb.mov"))),
    Case("source-name-hidden", "OUTPUT_NAME_INVALID", lambda it: it.of(it.link(".a.mov"))),
    Case("name-goes-before-source", "OUTPUT_NAME_INVALID", lambda it: it.of(it.folder / "missing.mov", naming_template="a/b")),
    Case("one-source-twice", "OUTPUT_NAME_COLLISION", lambda it: it.of(it.clip, it.clip), ("A001C001_proxy.mp4",), tasks=2),
    Case("no-token-for-two", "OUTPUT_NAME_COLLISION", lambda it: it.of(it.clip, it.link("b.mov"), naming_template="x"), tasks=2),
    Case("same-stem-two-folders", "OUTPUT_NAME_COLLISION", lambda it: it.of(it.clip, it.link("b/A001C001.mov")), tasks=2),
    Case("same-stem-two-extensions", "OUTPUT_NAME_COLLISION", lambda it: it.of(it.clip, it.link("A001C001.mp4")), tasks=2),
    Case("same-but-for-case", "OUTPUT_NAME_COLLISION", lambda it: it.of(it.clip, it.link("b/a001c001.MOV")), tasks=2),
    Case(
        "same-after-nfc", "OUTPUT_NAME_COLLISION",
        lambda it: it.of(it.link("1/caf\u00e9.mov"), it.link("2/cafe\u0301.mov")), tasks=2,
    ),
    Case(
        "same-after-nfc-and-case", "OUTPUT_NAME_COLLISION",
        lambda it: it.of(it.link("1/\u00c9TE.mov"), it.link("2/e\u0301te.mov")), tasks=2,
    ),
]  # fmt: skip

SPECS = [*NOT_JSON, *TOO_LARGE, *VERSION, *INVALID, *NAMES]
