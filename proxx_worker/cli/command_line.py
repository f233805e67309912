"""How the command line parses, refuses and explains: argparse, with the contract's exit code, groups and suggestions."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import NoReturn

from proxx_worker.contract.errors import EXIT_USAGE

_GROUPS = {
    "work": "execute jobs",
    "feed": "from clips to jobs, and from outputs to one folder",
    "operate": "see and control a worker",
    "prove": "check and relink what was made",
    "learn": "look things up, and check this machine",
}
"""Group -> its description in `--help`. A command names its group when it is added; empty groups are not shown."""


class Parser(argparse.ArgumentParser):
    """argparse exits with 2 on a usage error; the contract says 64."""

    def error(self, message: str) -> NoReturn:
        """Print the usage and the message, exit with 64. The message may quote a file's name, as a shell's `*` put it there."""
        from proxx_worker.contract.text import visible

        self.print_usage(sys.stderr)
        self.exit(EXIT_USAGE, f"{self.prog}: {visible(message)} (`{self.prog} --help` explains)\n")

    def refuse_unknown_flags(self, arguments: Sequence[str]) -> None:
        """Exit with what was probably meant. argparse would first ask for the misspelt flag if it is a required one."""
        from proxx_worker.contract.hints import closest

        known = [option for action in self._actions for option in action.option_strings]
        for argument in takewhile(lambda it: it != "--", arguments):
            flag = argument.partition("=")[0]
            if flag.startswith("--") and flag not in known:
                meant = closest(flag, (option for option in known if option.startswith("--")))
                self.error(f"there is no flag {flag}" + ("" if meant is None else f": did you mean {meant}?"))


class CommandLine(Parser):
    """The main parser, whose help lists the commands in groups, which argparse cannot do."""

    def refuse_unknown(self, arguments: Sequence[str]) -> None:
        """Exit if the command, or a flag of it, does not exist."""
        from proxx_worker.contract.hints import closest

        command = next((it for it in arguments if not it.startswith("-")), None)
        if command is None:
            return
        commands = self._command_choices()
        if command in commands:
            commands[command].refuse_unknown_flags(arguments[arguments.index(command) + 1 :])
        else:
            meant = closest(command, commands)
            self.error(f"there is no command {command}" + ("" if meant is None else f": did you mean {meant}?"))

    def _command_choices(self) -> Mapping[str, Parser]:
        (commands,) = (action for action in self._actions if isinstance(action, argparse._SubParsersAction))  # noqa: SLF001
        return commands.choices

    def format_help(self) -> str:
        """Usage, the commands in their groups, the options."""
        formatter = self._get_formatter()
        formatter.add_usage(self.usage, self._actions, self._mutually_exclusive_groups)
        formatter.add_text(self.description)
        (commands,) = (action for action in self._actions if isinstance(action, argparse._SubParsersAction))  # noqa: SLF001
        listed = list(commands._get_subactions())  # noqa: SLF001 - argparse tells a command's summary no other way
        for group, meaning in _GROUPS.items():
            formatter.start_section(f"{group} ({meaning})")
            formatter.add_arguments(it for it in listed if commands.choices[it.dest].get_default("group") == group)
            formatter.end_section()
        formatter.start_section("options")
        formatter.add_arguments(action for action in self._actions if action is not commands)
        formatter.end_section()
        formatter.add_text(self.epilog)
        return formatter.format_help()
