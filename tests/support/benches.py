"""Engines under the conformance suite: each well, hanging after its first progress, and making what is no proxy.

Resolve is the stand-in: no Resolve runs on a test machine.
"""

import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from proxx_worker.contract.output_settings import Engine
from proxx_worker.engines.ffmpeg import FfmpegEngine
from proxx_worker.engines.port import EnginePort
from proxx_worker.engines.tools import Tools
from tests.support.fake_engine import FakeEngine
from tests.support.jobs import TOOLS
from tests.support.odd_engines import AdoptingEngine, HangingEngine
from tests.support.resolve.world import PRESET, StandIn, raw_clip


@dataclass(frozen=True)
class Bench:
    """One engine. `source`: what it can encode. `settings`: fields of a spec that lead a job to it.

    `violations`: what was done so far to things that are nobody's to touch, in words.
    """

    source: Path
    engine: EnginePort
    hanging: EnginePort
    failing: EnginePort
    kind: Engine = Engine.FFMPEG
    violations: Callable[[], list[str]] = list
    settings: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({"proxy_profile": "proxy_prores_proxy"}))


def make_clip(folder: Path) -> Path:
    """Ten frames of moving picture with sound and timecode, as ProRes."""
    path = folder / "clip.mov"
    inputs = ["-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=0.4", "-f", "lavfi", "-i", "sine=d=0.4:r=48000"]
    codecs = ["-c:v", "prores", "-profile:v", "0", "-c:a", "pcm_s16le", "-timecode", "01:00:00:00"]
    subprocess.run([TOOLS.ffmpeg, "-v", "error", *inputs, *codecs, path], check=True)
    return path


def ffmpeg_bench(folder: Path) -> Bench:
    """The FFmpeg engine."""
    started = 'printf "frame=1\\nprogress=continue\\n"'
    return Bench(
        source=make_clip(folder),
        engine=FfmpegEngine(lambda: TOOLS),
        hanging=FfmpegEngine(lambda: _pretend(folder / "hanging", f"{started}; exec sleep 1000")),
        failing=FfmpegEngine(lambda: _pretend(folder / "failing", f"{started}; for it; do :; done; echo half >$it; exit 0")),
    )


def fake_bench(folder: Path, *, adopts: bool) -> Bench:
    """The fake engine, writing into the file that it is given, or making its own."""
    source = make_clip(folder)
    made = AdoptingEngine if adopts else FakeEngine
    content = source.read_bytes()
    return Bench(source=source, engine=made(content), hanging=HangingEngine(content), failing=made(b"half"))


@contextmanager
def resolve_bench(folder: Path, *, starts: bool) -> Iterator[Bench]:
    """The Resolve engine on stand-ins that run, or that it starts; one for each kind of engine, since one worker has one."""
    source = raw_clip(folder)
    faults: Mapping[str, object] = {
        "engine": {},
        "hanging": {"render": {"stuck": 47}},
        "failing": {"render": {"file": "truncated"}},
    }
    with ExitStack() as stack:
        engines: dict[str, EnginePort] = {}
        standins: list[StandIn] = []
        for name, fault in faults.items():
            standin = stack.enter_context(StandIn.made(folder / name, server=fault))
            standins.append(standin)
            if not starts:
                standin.start()
            engines[name] = standin.engine(starts=starts)
        settings = {"proxy_profile": "proxy_prores_proxy_resolve", "resolve_preset": PRESET}

        def violations() -> list[str]:
            return [fault for standin in standins for fault in standin.violations()]

        yield Bench(source, **engines, kind=Engine.RESOLVE, violations=violations, settings=settings)


BENCHES: Mapping[str, Callable[[Path], AbstractContextManager[Bench]]] = {
    "ffmpeg": lambda folder: nullcontext(ffmpeg_bench(folder)),
    "fake": lambda folder: nullcontext(fake_bench(folder, adopts=False)),
    "fake-that-adopts": lambda folder: nullcontext(fake_bench(folder, adopts=True)),
    "resolve": lambda folder: resolve_bench(folder, starts=False),
    "resolve-started": lambda folder: resolve_bench(folder, starts=True),
}


def _pretend(path: Path, script: str) -> Tools:
    """Tools whose FFmpeg is a shell script."""
    if not path.exists():
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
    return Tools(str(path), TOOLS.ffprobe)
