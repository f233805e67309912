"""What every test may count on: markers by folder, and the folder of test media where there is one."""

import os
import signal
from collections import Counter
from collections.abc import Generator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.other_ffmpeg import in_front_of_path, program, versions
from tests.support.slices import WHOLE, Slice

ROOT = Path(__file__).resolve().parent.parent
MARKED = {
    "acceptance": ("acceptance",),
    "faults": ("faults",),
    "benchmarks": ("benchmarks",),
    "ffmpeg": (
        *("acceptance/media", "integration/engines", "integration/media"),
        *(f"acceptance/test_{name}.py" for name in ("codecs", "crash", "docs", "hostile_load", "hostile_media", "hostile_names")),
        *(f"acceptance/test_{name}.py" for name in ("jobs", "media", "progress", "report", "run", "signals")),
    ),
}
"""Marker -> the folders and files whose tests bear it."""
NOT_MARKED = {"ffmpeg": ("acceptance/media/test_every_ffmpeg.py",)}
"""The same, for what is in a marked folder and yet not of its kind: this one runs every FFmpeg that is there by itself."""

SAMPLED = ("acceptance",)
"""Of the tests in these folders one half, chosen by their names, is part of `make test`, which is to take six minutes on two
cores; the others are heavy. Each starts workers and FFmpegs, and those starts are most of the time."""
NOT_SAMPLED = ("acceptance/test_docs.py",)
"""What whoever changes a page wants to see at once."""
SAMPLE = Slice(1, 2)

# The same examples every time and no limit by the clock: a test that fails has found something, here and on every machine.
# `--hypothesis-profile=explore` looks for what these examples miss.
settings.register_profile("project", derandomize=True, deadline=None, database=None)
settings.register_profile("explore", derandomize=False, deadline=None, max_examples=2000)
settings.load_profile("project")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--media",
        metavar="DIR",
        default=None,
        help="folder of real clips (default: PROXX_MEDIA, else ../shared/media beside the project)",
    )
    parser.addoption(
        "--fcpxml-dtd", metavar="FILE", default=None, help="Apple's DTD of FCPXML 1.11; without it only structure is looked at"
    )
    parser.addoption("--mhl-xsd", metavar="FOLDER", default=None, help="the ASC's folder `xsd`; without it its programs judge")
    parser.addoption(
        "--no-skips", action="store_true", help="a test that would be skipped fails: for CI, which has all that any needs"
    )
    parser.addoption("--ffmpeg", metavar="PROGRAM", help="another FFmpeg for all tests, in front of PATH; with --ffprobe")
    parser.addoption("--ffprobe", metavar="PROGRAM", help="its ffprobe")
    parser.addoption("--slice", metavar="K/N", help="the K-th of N parts of the tests, and of the points in a sweep")


def _media_folder(config: pytest.Config) -> Path | None:
    """The folder of real clips. One that was named must exist; the one beside the project may be absent."""
    named = config.getoption("--media") or os.environ.get("PROXX_MEDIA")
    if named:
        folder = Path(named).resolve()
        if not folder.is_dir():
            raise pytest.UsageError(f"the media folder {folder} is not a folder: correct --media or PROXX_MEDIA")
        return folder
    beside = ROOT.parent / "shared" / "media"
    return beside if beside.is_dir() else None


def pytest_configure(config: pytest.Config) -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell starts what it runs in the background so, and every command that a test starts would inherit it.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    _media_folder(config)  # a wrong name is reported before anything runs
    _slice(config)
    ffmpeg, ffprobe = config.getoption("--ffmpeg"), config.getoption("--ffprobe")
    if (ffmpeg is None) != (ffprobe is None):
        raise pytest.UsageError("--ffmpeg and --ffprobe go together: an FFmpeg is tested with the ffprobe of its own build")
    if ffmpeg is not None:
        pair = ExitStack()
        try:
            pair.enter_context(in_front_of_path(program(ffmpeg), program(ffprobe)))
        except ValueError as error:
            raise pytest.UsageError(f"--ffmpeg, --ffprobe: {error}") from None
        config.add_cleanup(pair.close)


def _slice(config: pytest.Config) -> Slice | None:
    text = config.getoption("--slice")
    try:
        return None if text is None else Slice.parse(text)
    except ValueError as error:
        raise pytest.UsageError(f"--slice: {error}") from None


def pytest_report_header(config: pytest.Config) -> list[str]:
    media = _media_folder(config) or "none (tests with real clips are skipped; name a folder with --media or PROXX_MEDIA)"
    part = config.getoption("--slice")
    return [f"media: {media}", versions(), *([f"slice: {part}"] if part else [])]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With `--no-skips` a skip is a failure that tells its reason: what CI is counted on for must not go missing in silence."""
    report = yield
    if report.skipped and item.config.getoption("--no-skips"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome, report.longrepr = "failed", f"{item.nodeid} must run here, but: {reason}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a whole module, which `importorskip` leaves out."""
    report = yield
    if report.skipped and collector.config.getoption("--no-skips"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome, report.longrepr = "failed", f"{collector.nodeid} must run here, but: {reason}"
    return report


@cache
def _lies_in(path: Path, places: tuple[str, ...]) -> bool:
    return any(path.is_relative_to(ROOT / "tests" / place) for place in places)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    cases: Counter[str] = Counter()
    for item in items:
        every = item.get_closest_marker("one_in")
        if every is not None and item.get_closest_marker("heavy") is None:
            test, number = item.nodeid.partition("[")[0], every.args[0]
            # Of each `number` another one: else a parameter of that many values would always leave the same value.
            if (cases[test] + cases[test] // number) % number:
                item.add_marker("heavy")
            cases[test] += 1
        if _lies_in(item.path, SAMPLED) and not _lies_in(item.path, NOT_SAMPLED) and not SAMPLE.holds(item.nodeid):
            item.add_marker("heavy")
        for marker, places in MARKED.items():
            of_path = marker == "ffmpeg" and item.get_closest_marker("of_path") is not None
            if _lies_in(item.path, places) and not of_path and not _lies_in(item.path, NOT_MARKED.get(marker, ())):
                item.add_marker(marker)
    part = _slice(config)
    if part is not None:
        kept = [item for item in items if _is_in(part, item)]
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = kept


def _is_in(part: Slice, item: pytest.Item) -> bool:
    if "part" in getattr(item, "fixturenames", ()):
        return True
    return part.holds(item.nodeid) and item.get_closest_marker("whole") is None


@pytest.fixture
def part(pytestconfig: pytest.Config) -> Slice:
    """What `--slice` leaves of the points inside a test; without it, all of them."""
    return _slice(pytestconfig) or WHOLE


@pytest.fixture(scope="session")
def project_root() -> Path:
    """The root of the source tree."""
    return ROOT


@pytest.fixture(scope="session")
def media(pytestconfig: pytest.Config) -> Path:
    """The folder of real clips; a test that needs it is skipped where there is none."""
    folder = _media_folder(pytestconfig)
    if folder is None:
        pytest.skip("no media folder: name one with --media or PROXX_MEDIA")
    return folder


@pytest.fixture
def child_environment() -> dict[str, str]:
    """The environment to start a command in: where tools are, and what coverage needs to measure a child. Nothing else."""
    return {name: os.environ[name] for name in ("PATH", "COVERAGE_PROCESS_CONFIG") if name in os.environ}
