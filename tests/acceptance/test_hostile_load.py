"""Specs and media that are made to cost: the kernel's own limits on memory, CPU time, file size and descriptors are kept."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.acceptance.clips import ffmpeg, make_clip
from tests.acceptance.command import COMMAND, DEADLINE_SECONDS, Command, for_stand_ins
from tests.acceptance.hostile_media import box, boxes, put
from tests.acceptance.results import Result, names, parse_result
from tests.acceptance.specs import Workspace, encode, jobspec
from tests.acceptance.stand_ins import program

MIB = 1 << 20
LIMITS = {"as": 1536 * MIB, "cpu": 60, "fsize": 64 * MIB, "nofile": 64}
"""Address space in bytes, seconds, bytes, descriptors: of the worker, and of each tool by itself.

FFmpeg 5.1 is content with half the space: from 7.1 on it has a thread for each of its parts, and each of them reserves some.
"""


@dataclass(frozen=True)
class Limited:
    """A command that has ended within `LIMITS`."""

    exit_code: int
    stdout: bytes
    stderr: str

    @property
    def result(self) -> Result:
        return parse_result(self.stdout)


def limited(proxx: Command, *arguments: str | Path, **other: int) -> Limited:
    """Run under `LIMITS`, or `other` ones."""
    limits = [f"--{name}={value}" for name, value in {**LIMITS, **other}.items()]
    done = subprocess.run(
        ["prlimit", *limits, COMMAND, *arguments, *for_stand_ins(arguments)],
        env=proxx.environment, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=DEADLINE_SECONDS,
    )  # fmt: skip
    return Limited(done.returncode, done.stdout, done.stderr.decode())


def filled(document: dict[str, object], field: str, value: bytes) -> bytes:
    """A spec with the raw JSON `value` for `field`."""
    return encode({**document, field: "<here>"}).replace(b'"<here>"', value)


def text(content: bytes) -> bytes:
    """As a JSON string."""
    return b'"' + content + b'"'


def texts(content: bytes, count: int) -> bytes:
    """A JSON list of the same text many times."""
    return b"[" + b",".join([text(content)] * count) + b"]"


def doubled(count: int) -> bytes:
    """That many keys, each twice."""
    return b",".join(b'"%x":0' % (number // 2) for number in range(2 * count))


def hostile_specs(spec: dict[str, object]) -> dict[str, tuple[bytes, str]]:
    """Name -> bytes of at most 1 MiB, and the code that they get; "" for one that is good."""
    room = MIB - 1000
    rate: dict[str, object] = {**spec, "fps_mode": "explicit"}
    many_fields = {f"f{number}": 0 for number in range(60_000)}
    return {
        "nested lists": (b"[" * MIB, "SPEC_NOT_JSON"),
        "nested objects": (b'{"a":' * (MIB // 5), "SPEC_NOT_JSON"),
        "nested and closed": (b'{"a":' + b"[" * (room // 2) + b"]" * (room // 2) + b"}", "SPEC_NOT_JSON"),
        "an unclosed string of escapes": (b'{"' + b'\\"' * (room // 2), "SPEC_NOT_JSON"),
        "brackets in an unclosed string": (b'{"a": "' + b'[\\"' * (room // 3), "SPEC_NOT_JSON"),
        "a huge integer": (filled(rate, "fps_explicit", b"9" * room), "SPEC_INVALID"),
        "a huge exponent": (filled(rate, "fps_explicit", b"1e" + b"9" * room), "SPEC_INVALID"),
        "a huge fraction": (filled(rate, "fps_explicit", b"0." + b"0" * room + b"1"), "SPEC_INVALID"),
        "a huge version": (filled(spec, "jobspec_version", text(b"2" * room)), "SPEC_VERSION"),
        "a huge job id": (filled(spec, "job_id", text(b"x" * room)), "SPEC_INVALID"),
        "a huge moment": (filled(spec, "created_at", text(b"2025-12-29T14:30:00." + b"1" * room)), ""),
        "a huge template": (filled(spec, "naming_template", text(b"{index}" * (room // 7))), "OUTPUT_NAME_INVALID"),
        "tokens that are none": (filled(spec, "naming_template", text(b"{x}" * (room // 3))), "SPEC_INVALID"),
        "stray braces": (filled(spec, "naming_template", text(b"{" * room)), "SPEC_INVALID"),
        "a huge source": (filled(spec, "sources", texts(b"/" + b"x" * room, 1)), "OUTPUT_NAME_INVALID"),
        "a deep source": (filled(spec, "sources", texts(b"/x" * (room // 2), 1)), "SOURCE_MISSING"),
        "a source of dots": (filled(spec, "sources", texts(b"/.." * (room // 3) + b"/x.mov", 1)), "SOURCE_MISSING"),
        "one source many times": (filled(spec, "sources", texts(b"/a.mov", 20_000)), "OUTPUT_NAME_COLLISION"),
        "surrogates": (filled(spec, "sources", texts(rb"\ud800", 100_000)), "SPEC_INVALID"),
        "a deep folder": (filled(spec, "output_directory", text(b"/x" * (room // 2))), "OUTPUT_DIRECTORY_MISSING"),
        "unknown fields": (encode({**spec, **many_fields}), "SPEC_INVALID"),
        "doubled keys": (b"{" + doubled(50_000) + b"}", "SPEC_VERSION"),
        "doubled keys of a spec": (encode(spec).rstrip(b"}\n") + b"," + doubled(45_000) + b"}", "SPEC_INVALID"),
    }


@pytest.mark.heavy
def test_specs_made_to_cost_are_refused_at_once(proxx: Command, clip: Path, proxies: Path, tmp_path: Path) -> None:
    specs = hostile_specs(jobspec(clip, proxies))
    paths = []
    for number, (data, _) in enumerate(specs.values()):
        assert len(data) <= MIB
        paths.append(tmp_path / f"{number}.json")
        paths[-1].write_bytes(data)
    ended = limited(proxx, "validate", *paths)
    lines = [line for line in ended.stdout.decode().splitlines() if not line.startswith(" ")]
    codes = [line.split(": ")[1] for line in lines]
    assert dict(zip(specs, codes, strict=True)) == {name: code or "ok (1 task)" for name, (_, code) in specs.items()}
    assert ended.exit_code == 4
    assert len(ended.stdout) < 8 * MIB


def test_faults_without_number_are_told_in_part(proxx: Command, clip: Path, proxies: Path, tmp_path: Path) -> None:
    spec = tmp_path / "job.json"
    spec.write_bytes(encode({**jobspec(clip, proxies), **{f"f{number}": 0 for number in range(60_000)}}))
    ended = limited(proxx, "run", spec)
    error = ended.result["error"]
    assert (ended.exit_code, error["code"]) == (1, "SPEC_INVALID")
    assert (len(error["details"]["faults"]), error["details"]["faults_cut"]) == (1000, True)
    assert len(ended.stdout) < 2 * MIB


def test_twenty_thousand_sources_have_their_errors_each(proxx: Command, proxies: Path, tmp_path: Path) -> None:
    spec = tmp_path / "job.json"
    sources = [f"/missing/{number}.mov" for number in range(20_000)]
    spec.write_bytes(encode({**jobspec([], proxies, naming_template="{index}"), "sources": sources}))
    ended = limited(proxx, "run", spec)
    assert ended.exit_code == 1
    assert [task["error"]["code"] for task in json.loads(ended.stdout)["tasks"]] == ["SOURCE_MISSING"] * 20_000


@pytest.mark.heavy
def test_a_spec_of_nothing_but_sources_takes_no_more_disk_than_its_result(
    proxx: Command, workspace: Workspace, proxies: Path
) -> None:
    """1 MiB of empty sources are 340,000 tasks that never run: a result of 150 MB, and no byte is reserved for their encodes."""
    document = encode({**jobspec([], proxies), "sources": "<here>"})
    workspace.drop("many", document.replace(b'"<here>"', b"[" + b",".join([b'""'] * 340_000) + b"]"))
    ended = limited(proxx, "watch", workspace.root, "--once", **{"fsize": 512 * MIB, "as": 2048 * MIB})
    assert ended.exit_code == 1, ended.stderr
    result = json.loads((workspace.failed / "many.result.json").read_bytes())
    assert (result["error"]["code"], len(result["tasks"])) == ("SPEC_INVALID", 340_000)


@pytest.mark.heavy
def test_a_job_of_many_sources_holds_few_of_them(proxx: Command, proxies: Path, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mov"
    ffmpeg("-f", "lavfi", "-i", "color=gray:size=64x64:rate=25:duration=0.04", "-c:v", "mpeg4", clip)
    spec = tmp_path / "job.json"
    sources = LIMITS["nofile"]
    spec.write_bytes(encode(jobspec([clip] * sources, proxies, naming_template="{index}")))
    ended = limited(proxx, "run", spec)
    assert ended.exit_code == 0, ended.stderr
    assert len(names(proxies)) == sources


def with_header(movie: bytes, more: bytes) -> bytes:
    """`movie` with `more` at the end of its header."""
    header = next(content for kind, content in boxes(movie) if kind == b"moov")
    return put(movie, (b"moov",), header + more)


@pytest.fixture(scope="module")
def costly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Media made to cost: name -> a file in this folder."""
    folder = tmp_path_factory.mktemp("costly")
    plain = make_clip(folder / "plain.mov", frames=5)
    movie = plain.read_bytes()
    title = box(b"\xa9nam", (60_000).to_bytes(2, "big") + bytes(2) + b"A" * 60_000)
    (folder / "titles.mov").write_bytes(with_header(movie, box(b"udta", title * 300)))
    (folder / "atoms.mov").write_bytes(with_header(movie, box(b"udta", b"") * 500_000))
    (folder / "claims.mov").write_bytes(movie.replace(b"stts\0\0\0\0\0\0\0\1", b"stts\0\0\0\0\x7f\xff\xff\xff"))
    nested = b""
    for _ in range(5_000):
        nested = box(b"udta", nested)
    (folder / "nested.mov").write_bytes(with_header(movie, nested))
    track = next(box(kind, content) for kind, content in boxes(dict(boxes(movie))[b"moov"]) if kind == b"trak")
    (folder / "tracks.mov").write_bytes(with_header(movie, track * 5_000))
    with (folder / "sparse.mov").open("wb") as file:
        file.write(movie)
        file.truncate(1 << 40)
    with (folder / "zeros.ts").open("wb") as file:
        file.truncate(1 << 40)
    tags = folder / "tags.txt"
    tags.write_text(";FFMETADATA1\n" + "".join(f"key{number}={'A' * 60_000}\n" for number in range(300)))
    ffmpeg("-i", plain, "-i", tags, "-map", "0:v", "-map_metadata", "1", "-c", "copy", folder / "tags.mkv")
    ffmpeg(
        "-f", "lavfi", "-i", "color=gray:size=16000x16000:rate=1:duration=1,format=gray", "-c:v", "png", folder / "picture.mov"
    )
    return folder


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("titles.mov", None), ("atoms.mov", None), ("sparse.mov", None), ("claims.mov", "SOURCE_UNSUPPORTED"),
        ("nested.mov", "SOURCE_UNSUPPORTED"), ("tracks.mov", "SOURCE_UNSUPPORTED"), ("zeros.ts", "SOURCE_UNSUPPORTED"),
        ("tags.mkv", "SOURCE_UNSUPPORTED"),
    ],
)  # fmt: skip
def test_media_made_to_cost(proxx: Command, costly: Path, proxies: Path, tmp_path: Path, name: str, code: str | None) -> None:
    """Each is done, or refused, within the limits."""
    spec = tmp_path / "job.json"
    spec.write_bytes(encode(jobspec(costly / name, proxies, naming_template="x")))
    ended = limited(proxx, "run", spec)
    result = ended.result
    assert (result["error"] and result["error"]["code"]) == code, result["error"]
    assert len(ended.stdout) < MIB
    assert names(proxies) == ([] if code else ["x.mp4"])


def test_a_picture_for_which_there_is_no_memory(proxx: Command, costly: Path, proxies: Path, tmp_path: Path) -> None:
    """256 million pixels. That is no fault of the source, on whichever of FFmpeg's threads it shows."""
    spec = tmp_path / "job.json"
    spec.write_bytes(encode(jobspec(costly / "picture.mov", proxies, naming_template="x")))
    ended = limited(proxx, "run", spec, **{"as": 768 * MIB})
    assert ended.result["error"]["code"] == "ENCODE_OUT_OF_MEMORY", ended.result["error"]
    assert names(proxies) == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("exec sleep 1000", "SOURCE_UNREADABLE"),
        ("exec yes '{'", "SOURCE_UNSUPPORTED"),
        ("exec yes '{' >&2", "SOURCE_UNREADABLE"),
        ("exec cat /dev/zero", "SOURCE_UNSUPPORTED"),
    ],
)
def test_a_look_without_end_ends(proxx: Command, clip: Path, proxies: Path, tmp_path: Path, body: str, code: str) -> None:
    """A file may make ffprobe hang, or talk for ever: it is given up, and what it said is not kept."""
    spec = tmp_path / "job.json"
    spec.write_bytes(encode(jobspec(clip, proxies)))
    ended = limited(proxx, "run", spec, "--stall-seconds", "1", "--ffprobe", program(tmp_path / "ffprobe", body))
    assert ended.result["error"]["code"] == code
    assert names(proxies) == []
