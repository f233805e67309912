"""The commands that see and steer a worker through its folders, and their flags."""

import argparse

from proxx_worker.cli.commands import Commands, add_command, path


def add_operating(commands: Commands) -> None:
    """`list`, `cancel`, `hold`, `release`, `resubmit`, `events`, `console`."""
    _add_list(commands)
    _add_cancel(commands)
    _add_hold_and_release(commands)
    _add_resubmit(commands)
    _add_events(commands)
    parser = add_command(
        commands, "operate", "console", "console_app", "console", "see and steer a workspace in a terminal",
        "Needs the extra [console]. Every action shows the command line that does the same.",
    )  # fmt: skip
    _add_workspace(parser)


def add_explain(commands: Commands) -> None:
    """`explain`."""
    parser = add_command(commands, "learn", "explain", "explain", "explain", "explain what an error code means and what to do")
    parser.add_argument("code", metavar="CODE", help="as in a result's `error.code`, in upper or lower case")


def _add_list(commands: Commands) -> None:
    parser = add_command(
        commands, "operate", "list", "list_jobs", "list_jobs",
        "list a workspace's jobs by state, failed ones by code with what to do",
        "All states, or those that are named.",
    )  # fmt: skip
    _add_workspace(parser)
    for state in ("waiting", "failed", "done"):
        parser.add_argument(f"--{state}", action="store_true", help=f"jobs that are {state}")
    parser.add_argument("--code", metavar="C", type=_code, help="failed jobs with this code")
    parser.add_argument("--since", metavar="T", help="jobs that ended since then: ISO 8601 (UTC), or an age: 90m, 2h, 3d")
    parser.add_argument(
        "--resubmittable", action="store_true", help="failed jobs that could end differently if submitted again now"
    )
    parser.add_argument("--json", action="store_true", help="one document, with a schema")


def _add_cancel(commands: Commands) -> None:
    parser = add_command(
        commands, "operate", "cancel", "steer", "cancel", "cancel jobs, waiting or running",
        "A running job is stopped, a waiting one fails at once; both go to failed/ with CANCELLED. Prints the requests' paths.",
    )  # fmt: skip
    _add_workspace(parser)
    parser.add_argument("names", metavar="NAME", nargs="+", help="a job's name, as `list` shows it")


def _add_hold_and_release(commands: Commands) -> None:
    parser = add_command(
        commands, "operate", "hold", "steer", "hold", "stop jobs from being claimed until `release`", "The running job goes on."
    )
    _add_workspace(parser)
    parser = add_command(commands, "operate", "release", "steer", "release", "let jobs be claimed again", "The end of a hold.")
    _add_workspace(parser)


def _add_resubmit(commands: Commands) -> None:
    parser = add_command(
        commands, "operate", "resubmit", "steer", "resubmit", "submit failed jobs' specs again",
        "Prints the paths. Jobs that are already waiting or running again are skipped and reported.",
    )  # fmt: skip
    _add_workspace(parser)
    parser.add_argument("names", metavar="NAME", nargs="*", help="a failed job's name, as `list` shows it")
    parser.add_argument("--code", metavar="C", type=_code, help="all that failed with this code and could end differently now")


def _add_events(commands: Commands) -> None:
    parser = add_command(
        commands, "operate", "events", "events", "events", "print a line for each job that ends",
        "Jobs that have ended, in order; --follow keeps going and also reports the running job.",
    )  # fmt: skip
    _add_workspace(parser)
    parser.add_argument("--follow", action="store_true", help="keep going until a signal ends it")
    parser.add_argument("--since-name", metavar="NAME", help="only jobs that ended after this one, the last that you processed")
    parser.add_argument("--json", action="store_true", help="one JSON object a line, with a schema")


def _add_workspace(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("workspace", metavar="WORKSPACE", type=path, help="the workspace")


def _code(text: str) -> str:
    return text.upper()
