"""How a command is added to the command line, whichever module adds it."""

import argparse
import math
import os
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    Commands: TypeAlias = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - argparse names its type no other way
else:
    Commands: TypeAlias = object


def add_command(
    commands: Commands, group: str, name: str, module: str, function: str, summary: str, more: str = ""
) -> argparse.ArgumentParser:
    """A command of a `group` of `--help`. `module`, `function`: what runs it, imported when it is called."""
    # No abbreviated flags: a flag that is added later would change what a script's short form means.
    description = f"{summary[0].upper()}{summary[1:]}. {more}"
    parser = commands.add_parser(name, help=summary, description=description, allow_abbrev=False)
    parser.set_defaults(command=(module, function), parser=parser, group=group)
    return parser


def path(text: str) -> str:
    """A path as it was typed. An empty one, as a script's unset variable gives, would mean the current folder: it is refused."""
    if not text:
        raise argparse.ArgumentTypeError("a path must not be empty")
    if not text.startswith("/"):
        try:
            os.getcwd()  # noqa: PTH109 - whether there is one
        except OSError as error:
            message = "the current folder no longer exists, so a path must be absolute; or change to a folder that exists"
            raise argparse.ArgumentTypeError(message) from error
    return text


def seconds(text: str) -> float:
    """A finite number of seconds; its limits are those of its setting. A refusal says what is expected, not Python's types."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"a number of seconds, such as 2.5, not {text or 'nothing'}")
    return value


def whole(text: str) -> int:
    """A whole number, as `seconds`."""
    try:
        return int(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"a whole number, not {text or 'nothing'}") from error


def add_confinement(group: argparse._ArgumentGroup) -> None:
    """The settings that confine FFmpeg and ffprobe, for every command that starts them."""
    group.add_argument(
        "--sandbox", choices=("on", "off"), help="whether FFmpeg and ffprobe are confined (default on; results record off)"
    )
    group.add_argument(
        "--sandbox-read",
        metavar="PATH",
        action="append",
        help="other files that they need to read, and folders with all that is in them; repeatable",
    )
    group.add_argument(
        "--encoder-memory-bytes", metavar="N", type=whole, help="how much private memory each of them may use (default no limit)"
    )
