"""Camera RAW through the installed command, on the stand-in: no Resolve runs on a test machine."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.command import Command, Ended, wait_until
from tests.acceptance.specs import RESOLVE_PROFILES, Workspace, encode, explicit, jobspec
from tests.support.resolve.world import FILM, PRESET, StandIn, alive, raw_clip

MXF = bytes.fromhex("060e2b34020501010d01020101020400")
"""A partition pack: SMPTE ST 377-1."""

RAW = {"proxy_profile": "proxy_prores_proxy_resolve", "resolve_preset": PRESET}


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return raw_clip(tmp_path_factory.mktemp("raw"))


@pytest.fixture
def standin(tmp_path: Path) -> Iterator[StandIn]:
    with StandIn.made(tmp_path / "standin") as standin:
        standin.start()
        yield standin


def write(folder: Path, document: dict[str, Any]) -> Path:
    path = folder / "spec.json"
    path.write_bytes(encode(document))
    return path


def error_of(ended: Ended) -> dict[str, Any]:
    error: dict[str, Any] = json.loads(ended.stdout)["error"]
    return error


def test_a_raw_clip_beside_an_ffmpeg_job(
    proxx: Command, workspace: Workspace, standin: StandIn, raw: Path, clip: Path, proxies: Path
) -> None:
    workspace.drop("a-raw", jobspec(raw, proxies, **RAW))
    workspace.drop("b-ordinary", jobspec(clip, proxies))
    ended = proxx("watch", workspace, "--once", *standin.settings())
    assert ended.exit_code == 0, ended.stderr
    results = {name: json.loads((workspace.done / f"{name}.result.json").read_bytes()) for name in ("a-raw", "b-ordinary")}
    assert {name: (it["status"], it["engine"]) for name, it in results.items()} == {
        "a-raw": ("COMPLETED", "resolve"),
        "b-ordinary": ("COMPLETED", "ffmpeg"),
    }
    (task,) = results["a-raw"]["tasks"]
    checks = {check["name"]: check for check in task["checks"]}
    assert {name: checks[name]["expected"] for name in ("frames", "frame_rate", "picture_size", "timecode")} == {
        "frames": 10, "frame_rate": "25", "picture_size": "320x180", "timecode": "10:20:30:05",
    }  # fmt: skip
    assert all(checks[name]["ok"] is True for name in ("frames", "frame_times", "frame_rate", "picture_size", "timecode"))
    assert {
        name: checks[name]["ok"] for name in ("field_order", "color_matrix", "audio_streams", "reel", "start")
    } == dict.fromkeys(("field_order", "color_matrix", "audio_streams", "reel", "start"))
    assert (task["command"], task["exit_code"]) == (None, None)
    assert task["source_media"]["resolve"]["properties"]["Video Codec"] == "RED"
    assert task["source_media"]["video"]["pixel_format"] is None
    assert standin.projects() == [FILM]
    exchange = proxies / "clips.ale"
    assert proxx("relink", workspace.done / "a-raw.result.json", "--ale", exchange).exit_code == 0
    assert "10:20:30:05" in exchange.read_text(), "a proxy of camera RAW leads back to it"


@pytest.mark.one_in(3)
@pytest.mark.parametrize("profile", RESOLVE_PROFILES)
def test_every_profile_makes_a_proxy(
    proxx: Command, standin: StandIn, raw: Path, proxies: Path, tmp_path: Path, profile: str
) -> None:
    spec = write(tmp_path, jobspec(raw, proxies, proxy_profile=profile, resolve_preset=PRESET))
    ended = proxx("run", spec, *standin.settings())
    assert ended.exit_code == 0, ended.stderr
    assert len(list(proxies.iterdir())) == 1


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    ("codec", "container", "resolution"),
    [("prores_4444", "mov", "half"), ("dnxhr", "mov", "same"), ("h264", "mp4", "quarter"), ("h265", "mov", "half")],
)
def test_explicit_settings_make_one_too(
    proxx: Command, standin: StandIn, raw: Path, proxies: Path, tmp_path: Path, codec: str, container: str, resolution: str
) -> None:
    spec = write(tmp_path, jobspec(raw, proxies, **explicit(codec, container, resolution, resolve_preset=PRESET)))
    ended = proxx("run", spec, *standin.settings())
    assert ended.exit_code == 0, ended.stderr


@pytest.mark.parametrize(
    ("fields", "paths"),
    [
        (explicit("vp9", "webm", resolve_preset=PRESET), ["codec"]),
        (explicit("h264", "mkv", resolve_preset=PRESET), ["container"]),
        (explicit("h264", "mp4", resolve_preset=PRESET, fps_mode="explicit", fps_explicit=25), ["fps_mode"]),
        (explicit("av1", "mkv", fps_mode="explicit", fps_explicit=25), ["codec", "fps_mode", "resolve_preset"]),
        ({**RAW, "fps_mode": "explicit", "fps_explicit": 25}, ["fps_mode"]),
    ],
)
def test_what_resolve_does_not_make_is_a_fault_of_the_spec(
    proxx: Command, standin: StandIn, raw: Path, proxies: Path, tmp_path: Path, fields: dict[str, Any], paths: list[str]
) -> None:
    ended = proxx("run", write(tmp_path, jobspec(raw, proxies, **fields)), *standin.settings())
    assert ended.exit_code == 1
    error = error_of(ended)
    assert (error["code"], [fault["path"] for fault in error["details"]["faults"]]) == ("SPEC_INVALID", paths)
    assert standin.calls() == []


def test_validate_asks_resolve_nothing(proxx: Command, standin: StandIn, raw: Path, proxies: Path, tmp_path: Path) -> None:
    spec = write(tmp_path, jobspec(raw, proxies, **RAW))
    assert proxx("validate", spec, *standin.settings()).exit_code == 0
    assert standin.calls() == []
    ended = proxx("validate", spec)
    assert (ended.exit_code, b"RESOLVE_UNAVAILABLE" in ended.stdout) == (4, True)


def test_check_and_profiles_tell_what_is_set_up(proxx: Command, standin: StandIn, tmp_path: Path) -> None:
    (line,) = (it for it in proxx("check", *standin.settings()).stdout.decode().splitlines() if " resolve: " in it)
    assert line.startswith("ok ")
    assert "a running Resolve is used" in line
    (line,) = (it for it in proxx("check").stdout.decode().splitlines() if " resolve: " in it)
    assert line.startswith("ok ")
    assert "none is set up" in line
    missing = proxx("check", "--resolve-executable", tmp_path / "missing", *standin.settings())
    assert missing.exit_code == 4
    assert "VIOLATED  resolve: RESOLVE_UNAVAILABLE" in missing.stdout.decode()
    assert standin.calls() == [], "nothing was started or asked"

    def available(*flags: str) -> dict[str, bool]:
        listed = json.loads(proxx("profiles", "--json", *flags).stdout)
        return {profile["name"]: profile["available"] for profile in listed}

    assert set(available(*standin.settings()).values()) == {True}
    assert [name for name, here in available().items() if not here] == list(RESOLVE_PROFILES)
    assert proxx("profiles").stdout.decode().count("resolve is not set up here") == len(RESOLVE_PROFILES)


def test_no_profile_is_advised_that_cannot_run(
    proxx: Command, standin: StandIn, raw: Path, proxies: Path, tmp_path: Path
) -> None:
    spec = write(tmp_path, jobspec(raw, proxies))
    with_it, without = proxx("run", spec, *standin.settings()), proxx("run", spec)
    assert [error_of(ended)["code"] for ended in (with_it, without)] == ["ENGINE_MISMATCH"] * 2
    assert "*_resolve" in error_of(with_it)["message"]
    assert "*_resolve" not in error_of(without)["message"]


HANGS_AT: dict[str, dict[str, object]] = {
    "Project.GetRenderJobStatus": {"server": {"render": {"stuck": 47}}},
    "MediaPool.ImportMedia": {"server": {"answers": {"MediaPool.ImportMedia": {"hangs": True}}}},
    "scriptapp": {"start": {"never": True}},
}
"""A call -> what makes Resolve come no further than that: in a render, in the look at sources, at its start."""


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    ("call", "starts"),
    [(call, starts) for call in HANGS_AT for starts in (False, True) if starts or call != "scriptapp"],
    ids=lambda it: it if isinstance(it, str) else "started" if it else "attached",
)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_a_stopped_or_killed_worker(
    proxx: Command, raw: Path, proxies: Path, tmp_path: Path, number: signal.Signals, call: str, *, starts: bool
) -> None:
    with StandIn.made(tmp_path / "standin") as standin:
        standin.configure(**HANGS_AT[call])
        if not starts:
            standin.start()
        servers = standin.pids()
        spec = write(tmp_path, jobspec(raw, proxies, **RAW))

        def is_there() -> bool:
            return any(name == call for name, _ in standin.calls()) and standin.pids() != []

        with proxx.start("run", spec, *standin.settings(starts=starts)) as started:
            started.until(is_there, call)
            started.signal(number)
            assert started.wait().exit_code == (143 if number is signal.SIGTERM else -9)
        wait_until(lambda: not [pid for pid in standin.clients() if alive(pid)], "the child's end")
        wait_until(lambda: standin.pids() == servers, "the end of what was started")
        standin.configure(server={}, start={})
        ended = proxx("run", spec, *standin.settings(starts=starts))
        assert ended.exit_code == 0, ended.stderr
        assert standin.projects() == [FILM]
        assert [entry.name for entry in proxies.iterdir()] == ["A001_C001_001_proxy.mov"]


def test_the_second_worker_is_told_who_uses_resolve(proxx: Command, raw: Path, proxies: Path, tmp_path: Path) -> None:
    with StandIn.made(tmp_path / "standin", server={"render": {"stuck": 47}}) as standin:
        standin.start()
        spec = write(tmp_path, jobspec(raw, proxies, **RAW))
        (tmp_path / "other").mkdir()
        with proxx.start("run", spec, *standin.settings()) as first:
            first.until(lambda: standin.calls() != [], "a call")
            other = tmp_path / "other.json"
            other.write_bytes(encode(jobspec(raw, tmp_path / "other", **RAW)))
            second = proxx("run", other, *standin.settings())
            assert second.exit_code == 4
            error = error_of(second)
            assert (error["code"], error["details"]["pid"]) == ("RESOLVE_UNAVAILABLE", first.pid)
            assert f"process {first.pid} (" in error["message"]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("fixture.cr3", "RESOLVE_UNAVAILABLE"),
        ("fixture-Leica-M10.dng", "RESOLVE_UNAVAILABLE"),
        ("C0023S01.MXF", "SPEC_INVALID"),
    ],
)
def test_real_headers_are_routed_by_their_bytes(
    proxx: Command, media: Path, proxies: Path, tmp_path: Path, name: str, code: str
) -> None:
    fields = explicit("prores_lt", "mov", resolve_preset=PRESET)
    assert error_of(proxx("run", write(tmp_path, jobspec(media / name, proxies, **fields))))["code"] == code


ARI = b"ARRI\x12\x34\x56\x78" + bytes(8192)


@pytest.mark.parametrize(
    "head",
    [
        b"\0\0\0\x44RED1" + bytes(8192),
        b"\0\0\0\x18ftypcrx \0\0\0\1" + bytes(8192),
        MXF + bytes.fromhex("060e2b34040101010d01030102220100") + bytes(64),
        MXF + bytes.fromhex("060e2b34040101060e060d0302010000") + bytes(64),
        ARI,
    ],
    ids=["R3D", "Canon", "ARRIRAW in MXF", "X-OCN", "ari"],
)
def test_made_headers_are_routed_by_their_bytes(proxx: Command, proxies: Path, tmp_path: Path, head: bytes) -> None:
    (tmp_path / "clip").write_bytes(head)
    fields = explicit("prores_lt", "mov", resolve_preset=PRESET)
    error = error_of(proxx("run", write(tmp_path, jobspec(tmp_path / "clip", proxies, **fields))))
    assert error["code"] == "RESOLVE_UNAVAILABLE"


def test_one_file_per_frame_is_what_resolve_is_not_given(proxx: Command, standin: StandIn, proxies: Path, tmp_path: Path) -> None:
    (tmp_path / "clip").write_bytes(ARI)
    ended = proxx("run", write(tmp_path, jobspec(tmp_path / "clip", proxies, **RAW)), *standin.settings())
    error = error_of(ended)
    assert (ended.exit_code, error["code"], "single files" in error["message"]) == (1, "SOURCE_UNSUPPORTED", True)
    assert standin.calls() == []
