"""The commands and their flags. Each command's code is imported when it is called: `--version` and `--help` need none of it."""

import argparse
import errno
import os
import sys
from collections.abc import Callable, Collection, Sequence
from importlib import import_module
from io import TextIOWrapper
from typing import cast

from proxx_worker import __version__
from proxx_worker.cli.command_line import CommandLine, Parser
from proxx_worker.cli.commands import Commands, add_command, add_confinement, path, seconds, whole
from proxx_worker.cli.operating import add_explain, add_operating
from proxx_worker.cli.proving import add_relink, add_report
from proxx_worker.cli.streams import StdoutRefusedError, discard_stdout, guard_stderr, guard_stdout
from proxx_worker.contract.errors import EXIT_SIGPIPE, EXIT_USAGE, ErrorCode

Handler = Callable[[argparse.Namespace], int]


def run_command(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the process's exit code."""
    if sys.stdout is None or sys.stderr is None:
        # Closed by the caller. The next opened file would get its number, and output for a person would go into that file.
        if sys.stderr is not None:
            sys.stderr.write("proxx-worker: standard output is closed; redirect it to a file, or to /dev/null\n")
        return EXIT_USAGE
    if sys.stdin is None:
        os.open(os.devnull, os.O_RDONLY)  # nothing reads it, but no other file may get its descriptor number
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # Whatever the locale: a name that it cannot encode must not end a command half-way.
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    if sys.stderr is sys.__stderr__ and isinstance(sys.stderr, TextIOWrapper):
        sys.stderr = guard_stderr(sys.stderr)
    parser = build_parser()
    argv = sys.argv[1:] if argv is None else argv
    if not argv:
        parser.print_help(sys.stderr)
        return EXIT_USAGE
    parser.refuse_unknown(argv)
    arguments, unknown = parser.parse_known_args(argv)
    if unknown:
        # `parse_args` would report this with the main usage, which does not list the command's flags.
        command: Parser = arguments.parser
        command.error(f"unrecognized arguments: {' '.join(unknown)}")
    module, function = arguments.command
    handler: Handler = getattr(import_module(f"proxx_worker.cli.{module}"), function)
    return _to_a_reader(lambda: handler(arguments))


def _to_a_reader(command: Callable[[], int]) -> int:
    """The exit code of `command`, also if the reader of stdout closes it early, as `head` does.

    The rest of the output is discarded. A command that is cut off by this ends with the exit code of SIGPIPE. If stdout cannot be
    written for another reason, that is reported with an environment's exit code: half an answer must not pass for a whole one.
    """
    from proxx_worker.cli.console import fail

    if sys.stdout is sys.__stdout__ and isinstance(sys.stdout, TextIOWrapper):
        sys.stdout = guard_stdout(sys.stdout)
    try:
        exit_code = command()
        sys.stdout.flush()
    except BrokenPipeError:
        discard_stdout()
        return EXIT_SIGPIPE
    except StdoutRefusedError as error:
        discard_stdout()
        code = ErrorCode.NO_SPACE if error.errno == errno.ENOSPC else ErrorCode.IO_ERROR
        return fail(f"stdout must accept output, but did not: {error.strerror}; redirect it to a writable file", code)
    return exit_code


def build_parser() -> CommandLine:
    """The complete parser."""
    parser = CommandLine(
        prog="proxx-worker",
        description="The deterministic, headless proxy-generation worker: a JobSpec in, proxies and a result JSON out.",
        epilog="Exit codes: 0 success, 1 the spec or the media was rejected, 2 the job ran and failed, "
        "4 an assumption about the environment is violated, 64 usage or configuration, 129/130/143 stopped by a signal.",
    )
    parser.add_argument("--version", action="version", version=f"proxx-worker {__version__}")
    commands = cast("Commands", parser.add_subparsers(metavar="COMMAND", required=True, parser_class=Parser))
    _add_watch(commands)
    _add_run(commands)
    _add_validate(commands)
    _add_spec(commands)
    _add_submit(commands)
    _add_feed(commands)
    _add_gather(commands)
    _add_status(commands)
    add_operating(commands)
    _add_check(commands)
    _add_profiles(commands)
    _add_schema(commands)
    add_explain(commands)
    add_report(commands)
    add_relink(commands)
    return parser


def _add_watch(commands: Commands) -> None:
    parser = add_command(
        commands, "work", "watch", "watch", "watch",
        "claim and execute the JobSpecs dropped into a workspace's inbox, one at a time",
        "Stays in the foreground. SIGTERM or SIGINT stops at once (the running job fails: INTERRUPTED), SIGUSR1 after the job.",
    )  # fmt: skip
    parser.add_argument("workspace", metavar="WORKSPACE", type=path, help="the workspace; missing folders in it are created")
    parser.add_argument(
        "--once", action="store_true", help="end when no candidate is left, with the highest class of the failed jobs"
    )
    _add_settings(parser)


def _add_run(commands: Commands) -> None:
    parser = add_command(
        commands, "work", "run", "run", "run", "execute one JobSpec; the result goes to stdout, everything else to stderr",
        "On a terminal the result is a summary, elsewhere JSON. The exit code is the result's.",
    )  # fmt: skip
    parser.add_argument("jobspec", metavar="JOBSPEC.json", type=path, help="the JobSpec's file")
    parser.add_argument("--result", metavar="FILE", type=path, help="also write the result JSON there, durably, in one piece")
    parser.add_argument("--json", action="store_true", help="print the result JSON even on a terminal")
    parser.add_argument("--log", metavar="FILE", type=path, help="also write the job's log there, with everything FFmpeg prints")
    _add_settings(parser, idle=_OF_A_WORKSPACE)


def _add_validate(commands: Commands) -> None:
    parser = add_command(
        commands, "work", "validate", "validate", "validate",
        "check JobSpecs, their sources and output directories; no side effects",
        "One line per file, and one for each further fault and source. The exit code is the highest class.",
    )  # fmt: skip
    parser.add_argument("jobspecs", metavar="JOBSPEC.json", type=path, nargs="+", help="a JobSpec's file")
    parser.add_argument("--json", action="store_true", help="one document instead, see `proxx-worker schema validation`")
    _add_settings(parser, idle=_OF_A_JOB)


def _add_spec(commands: Commands) -> None:
    parser = add_command(
        commands, "feed", "spec", "spec", "spec", "write JobSpecs for clips, or for all clips below folders",
        "Writes one JobSpec for all named clips to stdout, or with --per-clip one file per clip. With --recursive or several "
        "profiles it writes one per clip and profile, all or none. What exists already, and what is not a clip, is skipped and "
        "reported.",
    )  # fmt: skip
    parser.add_argument(
        "--recursive", action="store_true", help="each SOURCE is a folder, such as a camera card; clips are recognized by content"
    )
    parser.add_argument(
        "--profile",
        metavar="P",
        action="append",
        required=True,
        help="a profile's name (see `proxx-worker profiles`); repeatable",
    )
    where = parser.add_argument_group("where the proxies go", "choose one").add_mutually_exclusive_group(required=True)
    where.add_argument("--beside", metavar="NAME", help="into a folder NAME beside each clip (Resolve relinks from `Proxy`)")
    where.add_argument(
        "--mirror",
        metavar="DIR",
        type=path,
        help="below DIR, in the same tree as the clips below SOURCE; with several SOURCEs, each in a folder of its own name",
    )
    where.add_argument(
        "--output-directory",
        metavar="D",
        type=path,
        help="into D, which must exist when the job runs; {name}: the spec's name, {chunk}: the chunk's number",
    )
    parser.add_argument("--create-directories", action="store_true", help="create missing proxy folders")
    parser.add_argument("--naming-template", metavar="T", default="{source_name}", help="default: %(default)s")
    parser.add_argument("--resolve-preset", metavar="NAME", help="the render preset, for Resolve profiles")
    goes = parser.add_argument_group("where the JobSpecs go", "default: stdout").add_mutually_exclusive_group()
    goes.add_argument("--submit", metavar="WORKSPACE", type=path, help="into the workspace's inbox; prints their paths")
    goes.add_argument(
        "--per-clip", metavar="DIR", type=path, help="one file each into DIR (created if missing); prints their paths"
    )
    parser.add_argument(
        "--chunk", metavar="N", type=whole, help="one JobSpec per N clips of one profile: NAME-000, NAME-001, ..."
    )
    parser.add_argument(
        "sources",
        metavar="SOURCE",
        type=path,
        nargs="+",
        help="a clip (its path is made absolute, the file is not opened); with --recursive a folder",
    )


def _add_submit(commands: Commands) -> None:
    parser = add_command(
        commands, "feed", "submit", "submit", "submit",
        "drop JobSpecs into a workspace's inbox: durable, atomic, never overwriting",
        "Prints the path of each. Does not validate; see `proxx-worker validate`.",
    )  # fmt: skip
    parser.add_argument("workspace", metavar="WORKSPACE", type=path, help="the workspace; its inbox is created if missing")
    parser.add_argument("jobspecs", metavar="JOBSPEC.json", type=path, nargs="+", help="a file; its name becomes the job's")


def _add_feed(commands: Commands) -> None:
    parser = add_command(
        commands, "feed", "feed", "feed", "feed", "write JobSpecs for the clips that arrive in watched folders",
        "Stays in the foreground, scans every few seconds, and submits a JobSpec for each settled clip that has none yet. "
        "Keeps no state outside the folders; never touches media. SIGTERM, SIGINT or SIGUSR1 ends it.",
    )  # fmt: skip
    parser.add_argument("workspace", metavar="WORKSPACE", type=path, help="the workspace whose inbox gets the JobSpecs")
    parser.add_argument(
        "--rules",
        metavar="FILE",
        type=path,
        required=True,
        help="a TOML file of rules: which folders, which profiles, which destination",
    )
    parser.add_argument(
        "--once", action="store_true", help="end when every file that was found has either settled or been seen to change"
    )


def _add_gather(commands: Commands) -> None:
    parser = add_command(
        commands, "feed", "gather", "gather", "gather", "move the outputs of finished jobs into one folder, never overwriting",
        "Renames on one filesystem. Everything is checked before the first move, including SHA-256; a second call changes "
        "nothing. Writes gathered.json. FAILED results are listed, and their class is the exit code.",
    )  # fmt: skip
    parser.add_argument("results", metavar="RESULT", type=path, nargs="+", help="a result's file")
    parser.add_argument("--into", metavar="DIR", type=path, required=True, help="an existing folder, on the outputs' filesystem")


def _add_status(commands: Commands) -> None:
    parser = add_command(
        commands, "operate", "status", "status", "status", "show what a workspace's worker is doing",
        "Exit code 4 if no worker is running.",
    )  # fmt: skip
    parser.add_argument("workspace", metavar="WORKSPACE", type=path, help="the workspace; nothing in it is touched")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="status.json with `alive`, `left_alone` and `not_jobspecs` added")
    form.add_argument(
        "--health", action="store_true", help="one line; exit code 0 for a live worker with a fresh heartbeat, else 4"
    )
    parser.add_argument(
        "--max-age", metavar="SECONDS", type=_age, help="with --health: how old the heartbeat may be (default 60)"
    )


def _age(text: str) -> float:
    """A time in seconds, 0 or more. With 0 no heartbeat is fresh."""
    age = seconds(text)
    if age < 0:
        raise argparse.ArgumentTypeError(f"0 seconds or more, not {text}")
    return age


def _add_check(commands: Commands) -> None:
    parser = add_command(commands, "learn", "check", "check", "check", "check the environment's assumptions, one line each")
    parser.add_argument(
        "workspace", metavar="WORKSPACE", type=path, nargs="?", help="also check what a worker in this workspace relies on"
    )
    _add_settings(parser, idle=_NOT_ASSUMED)


def _add_profiles(commands: Commands) -> None:
    parser = add_command(commands, "learn", "profiles", "catalog", "profiles", "list the profiles")
    parser.add_argument("--json", action="store_true", help="all of each profile's settings, as JSON")
    _add_settings(parser, idle=_NOT_OF_ENGINES)


def _add_schema(commands: Commands) -> None:
    parser = add_command(commands, "learn", "schema", "catalog", "schema", "print a JSON Schema")
    parser.add_argument("document", choices=("jobspec", "result", "validation"), help="what it describes")


_OF_A_WORKSPACE = frozenset({"poll_seconds", "settle_seconds", "metrics_file"})
_OF_A_JOB = _OF_A_WORKSPACE | {"declared_versions", "log_format", "progress_format", "resolve_start_seconds"}
_NOT_ASSUMED = (_OF_A_JOB - {"metrics_file"}) | {"stall_seconds"}
_NOT_OF_ENGINES = _NOT_ASSUMED | {"metrics_file", "path_map", "source_roots", "output_roots"}
"""Settings that `run`, `validate`, `check` and `profiles` accept, as every command does, but that change nothing there."""


def _add_settings(parser: argparse.ArgumentParser, idle: Collection[str] = ()) -> None:
    """`--config` and one flag per key of `Settings`; a flag wins over the file. `idle`: accepted, but left out of `--help`."""
    group = parser.add_argument_group("settings", "each is also a key in the TOML file; a flag wins")
    group.add_argument("--config", metavar="FILE", type=path, help="a TOML file of settings; unknown keys are refused")
    group.add_argument("--ffmpeg", metavar="PATH", help="absolute path; default: the first on PATH")
    group.add_argument("--ffprobe", metavar="PATH", help="absolute path; default: the first on PATH")
    group.add_argument(
        "--declared-versions",
        metavar="NAME=VERSION",
        action="append",
        help="your pins, copied into results, never checked; repeatable",
    )
    group.add_argument("--poll-seconds", metavar="S", type=seconds, help="how often the inbox is listed (default 2)")
    group.add_argument(
        "--settle-seconds", metavar="S", type=seconds, help="how long a spec that does not parse must stay unchanged (default 5)"
    )
    group.add_argument(
        "--stall-seconds", metavar="S", type=seconds, help="how long an encoder may make no progress (default 300)"
    )
    group.add_argument("--log-format", choices=("text", "json"), help="lines on stderr (default text)")
    group.add_argument(
        "--progress-format",
        choices=("text", "openjd"),
        help="progress on stderr: a bar or lines (text, the default), or Open Job Description messages",
    )
    group.add_argument("--metrics-file", metavar="FILE", help="absolute path; `watch` writes Prometheus metrics there")
    add_confinement(group)
    group.add_argument("--source-roots", metavar="DIR", action="append", help="sources must lie inside; repeatable")
    group.add_argument(
        "--output-roots",
        metavar="DIR",
        action="append",
        help="outputs must go inside; repeatable; with --source-roots the worker itself is confined to both",
    )
    group.add_argument("--resolve-script-api", metavar="DIR", help="DaVinci Resolve's Developer/Scripting; default: as installed")
    group.add_argument("--resolve-script-lib", metavar="FILE", help="Resolve's fusionscript library; default: as installed")
    group.add_argument("--resolve-executable", metavar="FILE", help="start this Resolve for each job; default: use a running one")
    group.add_argument(
        "--resolve-start-seconds", metavar="S", type=seconds, help="how long that Resolve may take to start (default 300)"
    )
    group.add_argument(
        "--path-map", metavar="FROM=TO", action="append", help="a spec's paths below FROM are below TO here; repeatable"
    )
    for action in group._group_actions:  # noqa: SLF001 - argparse lists a group's flags no other way
        if action.dest in idle:
            action.help = argparse.SUPPRESS
