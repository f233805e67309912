"""The commands that show what was made, and their flags."""

import argparse

from proxx_worker.cli.commands import Commands, add_command, add_confinement, path, seconds

MOST_WORST = 9
"""More images than this would leave too little space for each."""


def add_report(commands: Commands) -> None:
    """`report`."""
    parser = add_command(
        commands, "prove", "report", "report", "report",
        "compare proxies with their sources, every frame and audio stream, and write an HTML report",
        "Needs the extra [report]. Exit code 2 where a verdict is `fail` or a limit is missed.",
    )  # fmt: skip
    _add_results(parser)
    parser.add_argument("--html", metavar="FILE", type=path, required=True, help="the report, as one self-contained file")
    parser.add_argument("--worst", metavar="N", type=_worst, default=3, help="how many of the worst frames are shown (default 3)")
    parser.add_argument(
        "--fail-below",
        metavar="SSIM",
        type=_ssim,
        help="exit with 2 if a frame's SSIM is lower, or a proxy cannot be compared",
    )
    parser.add_argument("--json", metavar="FILE", type=path, help="also write the measurements there")
    _add_tools(parser)


def add_relink(commands: Commands) -> None:
    """`relink`."""
    parser = add_command(
        commands, "prove", "relink", "relink", "relink",
        "write what an editing system needs to relink proxies to their originals",
        "One file for all completed tasks. --otio and --mhl need the extra [relink]. "
        "Exit code 1 for a clip that the format cannot describe.",
    )  # fmt: skip
    _add_results(parser)
    kind = parser.add_mutually_exclusive_group(required=True)
    kind.add_argument("--fcpxml", metavar="FILE", type=path, help="FCPXML 1.11, for Final Cut Pro and other readers")
    kind.add_argument("--otio", metavar="FILE", type=path, help="OpenTimelineIO: both as media references of one clip")
    kind.add_argument("--ale", metavar="FILE", type=path, help="Avid Log Exchange, for clips of one frame rate")
    kind.add_argument("--mhl", metavar="DIR", type=path, help="add the proxies in DIR to its ASC Media Hash List")


def _add_results(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "results",
        metavar="RESULT | WORKSPACE",
        type=path,
        nargs="+",
        help="result files, or a workspace with everything in done/ and failed/; and gathered.json, for what was gathered",
    )


def _worst(text: str) -> int:
    try:
        count = int(text)
    except ValueError:
        count = -1
    if not 0 <= count <= MOST_WORST:
        raise argparse.ArgumentTypeError(f"0 to {MOST_WORST}, not {text}")
    return count


def _ssim(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"0 to 1, not {text}")
    return value


def _add_tools(parser: argparse.ArgumentParser) -> None:
    """The settings of a command that runs FFmpeg and no job; the configuration file may hold all keys."""
    group = parser.add_argument_group("settings", "each is also a key in the TOML file; a flag wins")
    group.add_argument("--config", metavar="FILE", type=path, help="a TOML file of settings; unknown keys are refused")
    group.add_argument("--ffmpeg", metavar="PATH", help="absolute path; default: the first on PATH")
    group.add_argument("--ffprobe", metavar="PATH", help="absolute path; default: the first on PATH")
    group.add_argument("--stall-seconds", metavar="S", type=seconds, help="how long FFmpeg may produce no output (default 300)")
    add_confinement(group)
    parser.set_defaults(declared_versions=None)
