"""`spec` for folders, several profiles, chunks, or straight into an inbox."""

import argparse
import sys
from pathlib import Path

from proxx_worker.cli.console import UsageError, fail, say_path
from proxx_worker.cli.paths import absolute, as_given
from proxx_worker.contract.errors import ProxxError
from proxx_worker.contract.text import visible
from proxx_worker.feeding.orders import Beside, Destination, Directory, Mirror, Order, require_folder_name
from proxx_worker.feeding.specs import Request, write_specs
from proxx_worker.workspace.layout import Workspace


def spec_folders(arguments: argparse.Namespace) -> int:
    """Write the specs, their paths on stdout, what was found and skipped on stderr. Exit code 64 for flags that do not fit."""
    try:
        outcome = write_specs(_request(arguments))
    except UsageError as error:
        return fail(str(error))
    except ProxxError as fault:
        return fail(fault.error.message, fault.code)
    for path in outcome.made:
        say_path(path)
    for line in outcome.told:
        sys.stderr.write(f"{visible(line)}\n")
    return 0


def _request(arguments: argparse.Namespace) -> Request:
    if arguments.submit is None and arguments.per_clip is None:
        raise UsageError("choose where the specs go: --submit WORKSPACE, or --per-clip DIR")
    if arguments.chunk is not None and arguments.chunk < 1:
        raise UsageError(f"--chunk is the number of clips per spec: at least 1, not {arguments.chunk}")
    order = Order(
        profiles=tuple(dict.fromkeys(map(as_given, arguments.profile))),
        destination=_destination(arguments),
        naming_template=as_given(arguments.naming_template),
        resolve_preset=None if arguments.resolve_preset is None else as_given(arguments.resolve_preset),
        chunk=arguments.chunk,
    )
    to = Workspace(Path(arguments.submit)) if arguments.submit is not None else Path(arguments.per_clip)
    sources = tuple(dict.fromkeys(map(absolute, arguments.sources)))
    return Request(sources, arguments.recursive, order, to, arguments.create_directories)


def _destination(arguments: argparse.Namespace) -> Destination:
    if arguments.beside is not None:
        name = as_given(arguments.beside)
        try:
            require_folder_name(name)
        except ValueError as error:
            raise UsageError(f"--beside {arguments.beside}: {error}") from error
        return Beside(name)
    if arguments.mirror is not None:
        several = arguments.recursive and len(set(map(absolute, arguments.sources))) > 1
        return Mirror(absolute(arguments.mirror), by_root=several)
    template = absolute(arguments.output_directory)
    if "{chunk}" in template and arguments.chunk is None:
        raise UsageError("{chunk} in --output-directory is the number of a chunk: add --chunk N, or use {name}")
    return Directory(template)
