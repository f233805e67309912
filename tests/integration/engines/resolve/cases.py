"""What can go wrong with Resolve, one case each: what the stand-in does, and what becomes of the job."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from proxx_worker.contract.errors import ErrorCode
from proxx_worker.engines.resolve.child.request import Limits
from tests.support.resolve.world import FILM, PRESET, QUICK

U, F, S, O, X = (  # noqa: E741 - one letter each, for a table
    ErrorCode.RESOLVE_UNAVAILABLE,
    ErrorCode.RESOLVE_FAILED,
    ErrorCode.ENCODE_STALLED,
    ErrorCode.OUTPUT_INVALID,
    ErrorCode.SOURCE_UNSUPPORTED,
)
LEFT = "proxx-worker 0123456789ab 3"
"""A project that an earlier child left."""

Config = Mapping[str, object]


@dataclass(frozen=True)
class Case:
    """One fault. `code`: None where the job must succeed. `says`: words of the message, assumption and remedy.

    `starts`: the worker starts the Resolve; `runs`: one runs already. `child`: a program in the child's place. `unknown`: checks
    that then have `ok` null. `projects`: in the database beside the artist's.
    `before_a_project`: it must fail before any project is made.
    """

    name: str
    code: ErrorCode | None
    says: tuple[str, ...] = ()
    config: Config = field(default_factory=lambda: MappingProxyType({}))
    starts: bool = False
    runs: bool = True
    stall_seconds: float = 60.0
    clip: str = "plain"
    child: Sequence[str] | None = None
    unknown: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    limits: Limits = QUICK
    before_a_project: bool = False

    def __str__(self) -> str:
        return self.name


def answers(**scripts: object) -> Config:
    """Calls that answer as scripted; `__` stands for the dot."""
    return {"server": {"answers": {name.replace("__", "."): script for name, script in scripts.items()}}}


def server(**faults: object) -> Config:
    return {"server": faults}


def render(**faults: object) -> Config:
    return {"server": {"render": faults}}


def properties(**told: object) -> Config:
    return {"server": {"properties": {name.replace("_", " "): value for name, value in told.items()}}}


def ffmpeg(*options: str) -> Config:
    return {"server": {"render": {"ffmpeg": list(options)}}}


def returns(value: object) -> dict[str, object]:
    return {"return": value}


REFUSES = {"return": False}
ACCEPTS = {"return": True}
"""Without doing it."""


HANG = {"hangs": True}
MINUTES = {"seconds": 480}
"""How long a frame in flight was seen to take: what it holds up is ended by the limits of the worker."""

STALL = 3.0
"""Seconds: enough for a Python to start on a busy machine, and little to wait for."""

REACHING = [
    Case("nothing runs", U, ("cannot be reached", "Start it"), runs=False),
    Case("not ready", U, ("be ready", "Start it"), server(unready=True)),
    Case("import hangs", U, ("import DaVinciResolveScript", "Check"), {"client": {"import": "hangs"}}, stall_seconds=STALL),
    Case("import raises", U, ("must load", "undefined symbol"), {"client": {"import": "raises"}}),
    Case("import crashes", U, ("SIGSEGV", "Restart Resolve"), {"client": {"import": "crashes"}}),
    Case("import ends the process", U, ("exited with 0", "Restart Resolve"), {"client": {"import": "exits"}}),
    Case("crash at teardown", None, (), {"client": {"teardown": "crashes"}}),
    Case("crash after the answer", None, (), {"client": {"crashes_at": "Quit"}}, starts=True),
    Case("crash in a call", F, ("SIGSEGV during LoadRenderPreset",), {"client": {"crashes_at": "LoadRenderPreset"}}),
    Case("chatter", None, (), {"client": {"chatter": True}}),
    Case("slow start", None, (), {"start": {"seconds": 0.6}}, starts=True),
    Case(
        "no start",
        U,
        ("must be ready within 1 s", "resolve_start_seconds"),
        {"start": {"never": True}},
        starts=True,
        limits=replace(QUICK, start=1.0),
    ),
    Case("second instance", U, ("exited with 0", "quit that one"), {"start": {"exits": True}}, starts=True),
    Case("another one runs", U, ("one is running already", "Quit that one"), starts=True, runs=True),
    Case("no database", U, ("database", "Restart it"), answers(ProjectManager__GetCurrentDatabase=returns(None))),
    Case("free edition", U, ("needs DaVinci Resolve Studio", "Install Studio"), {"product": "DaVinci Resolve"}),
    Case("outside Media Storage", U, ("/mnt/elsewhere", "Add one"), {"volumes": ["/mnt/elsewhere"]}, before_a_project=True),
    Case("no Media Storage", U, ("(none)", "Add one"), {"volumes": []}, before_a_project=True),
]

PROJECT = [
    Case("foreign project", U, (FILM, "Close it"), {"open": FILM}),
    Case("foreign render", U, ("must be idle", "Untitled Project", "Wait for it"), {"open": "Untitled Project", "renders": 60}),
    Case("unsaved work", U, ("has timelines (1)", "close it"), {"open": "Untitled Project", "timelines": 1}),
    Case("leftover, idle", None, (), {"open": LEFT}, projects=(LEFT, "proxx-worker 0123456789ab survey")),
    Case("leftover, rendering", None, (), {"open": LEFT, "renders": 0.2}, projects=(LEFT,)),
    Case(
        "leftover, never ending",
        U,
        ("still renders", "restart Resolve"),
        {"open": LEFT, "renders": 60},
        projects=(LEFT,),
        limits=replace(QUICK, stop=1.0),
    ),
    Case(
        "leftover, its stop not answered",
        U,
        ("got past StopRendering", "Check"),
        {"open": LEFT, "renders": 60, **answers(Project__StopRendering=HANG)},
        projects=(LEFT,),
        stall_seconds=STALL,
    ),
    Case("somebody's own name", None, (), projects=("proxx-worker notes",)),
    Case("no project", U, ("must create a project", "Check"), answers(ProjectManager__CreateProject=returns(None))),
    Case("project hangs", U, ("got past CreateProject",), answers(ProjectManager__CreateProject=HANG), stall_seconds=STALL),
    Case("deletion refused once", None, (), answers(ProjectManager__DeleteProject=[REFUSES])),
    Case("deletion refused", None, (), answers(ProjectManager__DeleteProject=REFUSES)),
    Case("rate refused", F, ("set timelineFrameRate to 25", "refuses"), answers(Project__SetSetting=REFUSES)),
    Case("rate not kept", F, ("keep timelineFrameRate as 25", "24.0"), answers(Project__GetSetting=returns(24.0))),
]

MEDIA = [
    Case("imports nothing", X, ("must import it, but does not", "check that"), answers(MediaPool__ImportMedia=returns([]))),
    Case("imports two", X, ("imports 2", "one by one"), server(imports_twice=True)),
    Case("offline", ErrorCode.SOURCE_UNREADABLE, ("reports it as offline", "Check"), properties(Online_Status="Offline")),
    Case("wrong frames", O, ("frames should be 15, but is 10",), properties(Frames="15")),
    Case("a rate that is none", X, ("12.5", "conform it"), properties(FPS=12.5)),
    Case("a rounded rate", None, (), properties(FPS=23.98), clip="thousandth"),
    Case(
        "values in another language", None, (),
        properties(PAR="正方形", Online_Status="オンライン", Drop_frame="いいえ", Audio_Ch="ふたつ", Resolution="6K"),
        unknown=("display_aspect", "picture_size", "audio_streams"),
    ),
    Case("no sample rate", None, (), properties(Sample_Rate="")),
    Case("a reel", None, (), properties(Reel_Name="A001")),
    Case("no sound", None, (), clip="thousandth"),
]  # fmt: skip

SETTINGS = [
    Case("no such preset", U, ("ProRes Proxy", "Import it"), {"presets": ["Other"]}),
    Case("preset unloadable", F, ("load the preset", "refuses"), answers(Project__LoadRenderPreset=REFUSES)),
    Case("presets as dicts", None, (), {"presets": [{"Format": "QuickTime", "RenderPresetName": PRESET}]}),
    Case("audio only", O, ("video_streams should be 1",), ffmpeg("-vn")),
    Case("format not offered", U, ("the format mov", "Render on"), answers(Project__GetRenderFormats=returns({"MP4": "mp4"}))),
    Case("codec not offered", U, ("the codec ProRes422P",), answers(Project__GetRenderCodecs=returns({"H.264": "H264"}))),
    Case("format refused", F, ("refuses",), answers(Project__SetCurrentRenderFormatAndCodec=REFUSES)),
    Case(
        "read back as unknown", None, (),
        answers(Project__GetCurrentRenderFormatAndCodec=returns({"format": "unknown", "codec": "unknown"})),
    ),
    Case(
        "read back as another", F, ("reports codec H264",),
        answers(Project__GetCurrentRenderFormatAndCodec=returns({"format": "mov", "codec": "H264"})),
    ),
    Case("read back as nothing", None, (), answers(Project__GetCurrentRenderFormatAndCodec=returns(None))),
    Case("a key refused", F, ("set FormatWidth to 320", "refuses"), server(keys={"FormatWidth": "refused"})),
    Case("a key ignored", F, ("keep FormatWidth as 320", "1920"), server(keys={"FormatWidth": "ignored"})),
    Case("a key without an answer", None, (), server(keys={"FormatWidth": "None", "TargetDir": "None"})),
    Case("the entry differs", F, ("keep TargetDir",), server(entry={"TargetDir": "/elsewhere"})),
    Case("the entry has another name", F, ("its queue has render.mov",), server(entry={"OutputFilename": "render.mov"})),
    Case("no entry", F, ("its queue has no",), answers(Project__GetRenderJobList=returns([]))),
    Case("start timecode refused", F, ("start the timeline at 10:20:30:05",), answers(Timeline__SetStartTimecode=REFUSES)),
    Case("no timeline", F, ("must create a timeline",), answers(MediaPool__CreateTimelineFromClips=returns(None))),
]  # fmt: skip

JOB = [
    Case("no job", F, ("must queue the job", "Check"), answers(Project__AddRenderJob=returns(""))),
    Case("a dialog", S, ("got past AddRenderJob", "dialog"), answers(Project__AddRenderJob=HANG), stall_seconds=STALL),
    Case("start refused", F, ("start the render", "refuses"), answers(Project__StartRendering=REFUSES)),
    Case("start without an answer", None, (), answers(Project__StartRendering={"does": True, "return": None})),
    Case("stuck at 0", F, ("stayed at 0 %", "Restart"), render(stuck=0), limits=replace(QUICK, begin=1.0)),
    Case("never begins", F, ("stopped at 0 %", "See its log"), answers(Project__StartRendering=ACCEPTS)),
    Case("stuck at 47", S, ("nor wrote anything", "Check"), render(stuck=47), stall_seconds=STALL),
    Case("stuck at 99", S, ("nor wrote anything", "Check"), render(stuck=99), stall_seconds=STALL),
    Case("a stop that takes minutes", S, ("nor wrote",), render(stuck=47, last_frame=MINUTES), stall_seconds=STALL),
    Case(
        "a stop that is not answered for minutes",
        S,
        ("nor wrote",),
        render(stuck=47, last_frame=MINUTES, stop_waits=True),
        stall_seconds=STALL,
    ),
    Case("status in Japanese", None, (), render(words={"Rendering": "レンダリング中", "Complete": "完了"})),
    Case("status in Italian", None, (), render(words={"Rendering": "Rendering in corso", "Complete": "Completato"})),
    Case("failure in Italian", F, ("reach 100 %", "Fallito"), render(error=" ", words={"Failed": "Fallito"}, silent=True)),
    Case("an error", F, ("Disk is full",), render(error="Disk is full")),
    Case("status None", F, ("report its progress", "Restart"), answers(Project__GetRenderJobStatus=returns(None))),
    Case("status empty", F, ("report its progress", "Restart"), answers(Project__GetRenderJobStatus=returns({}))),
    Case("percentages with a fraction", None, (), render(fraction=0.0)),
    Case("never Complete", None, (), render(state="Rendering")),
    Case("over at 60", F, ("stopped at 60 %",), render(last=60)),
    Case("Resolve dies", F, ("was closed, or crashed",), render(dies_at=50)),
]

FILE = [
    Case("no file", O, ("left nothing",), render(file="none")),
    Case("an empty file", O, ("decodes",), render(file="empty")),
    Case("two files", O, ("render log.txt",), render(file="two")),
    Case("another name", O, ("_0.mov instead of",), render(file="name_0")),
    Case("another extension", O, (".mp4 instead of",), render(file="extension")),
    Case("a symlink", O, ("not a regular file",), render(file="symlink")),
    Case("truncated", O, ("proxy",), render(file="truncated")),
    Case("wrong size", O, ("picture_size should be 320x180, but is 160x90",), ffmpeg("-vf", "scale=160:90,setsar=1")),
    Case("wrong codec", O, ("video_codec should be prores, but is mjpeg",), ffmpeg("-c:v", "mjpeg", "-pix_fmt", "yuvj422p")),
    Case("wrong profile", O, ("video_profile should be Proxy",), ffmpeg("-profile:v", "2")),
    Case("wrong rate", O, ("frame",), ffmpeg("-r", "50")),
    Case("wrong timecode", O, ("timecode should be 10:20:30:05",), ffmpeg("-timecode", "02:00:00:00")),
    Case(
        "wrong reel", O, ("reel should be A001, but is B002",),
        {"server": {"properties": {"Reel Name": "A001"}, "render": {"ffmpeg": ["-metadata:s:v:0", "reel_name=B002"]}}},
    ),
    Case("silent", O, ("must carry its source's audio", "exports audio"), ffmpeg("-an")),
    # Long enough to see it grow on a machine whose processors all have other work.
    Case("still growing", F, ("still grows",), render(file="growing"), limits=replace(QUICK, settle=0.8)),
]  # fmt: skip


def program(code: str) -> tuple[str, ...]:
    """A child that is none of ours."""
    say = "import os, sys, time, json; say = lambda **it: os.write(1, json.dumps(it).encode() + b'\\n'); "
    return sys.executable, "-I", "-c", f"{say}{code}"


HELLO = "say(event='hello', protocol=1); "
CHILD = [
    Case("killed", U, ("killed by SIGKILL during its start",), child=program(f"{HELLO}os.kill(os.getpid(), 9)")),
    Case("no answer", U, ("exited with 0 during its start", "Restart"), child=program(HELLO)),
    Case("half a line", U, ("exited with 0",), child=program(f'{HELLO}os.write(1, b\'{{"event": "ans\')')),
    Case(
        "wrong protocol",
        F,
        ("follow its protocol", "Install proxx-worker again"),
        child=program("say(event='hello', protocol=2)"),
    ),
    Case("no JSON", F, ("follow its protocol", "Traceback"), child=program("print('Traceback (most recent call last):')")),
    Case("an unknown event", F, ("follow its protocol",), child=program(f"{HELLO}say(event='surprise'); time.sleep(60)")),
    Case("a line without end", F, ("follow its protocol",), child=program(f"{HELLO}os.write(1, b'x' * (3 << 20))")),
    Case("tells of no source", F, ("did not report on this one",), child=program(f"{HELLO}say(event='answer', ok=True)")),
    Case(
        "a code that is none",
        F,
        ("because",),
        child=program(f"{HELLO}say(event='answer', ok=False, code='X', message='see because')"),
    ),
    Case("no such program", U, ("/nonexistent",), child=("/nonexistent/python",)),
]


def all_cases() -> Iterator[Case]:
    """The whole table."""
    for group in (REACHING, PROJECT, MEDIA, SETTINGS, JOB, FILE, CHILD):
        yield from group
