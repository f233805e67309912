"""`explain`: what an error code means, and what to do."""

import argparse
from difflib import get_close_matches

from proxx_worker.cli.console import fail, say
from proxx_worker.contract.errors import EXIT_OK, ErrorCode


def no_such_code(word: str) -> str:
    """The message for a word that is not an error code: the code probably meant, or all codes."""
    near = get_close_matches(word.upper(), [it.value for it in ErrorCode], n=1)
    hint = f"did you mean {near[0]}?" if near else f"the codes are: {', '.join(it.value for it in ErrorCode)}"
    return f"there is no code {word}; {hint}"


def explain(arguments: argparse.Namespace) -> int:
    """Print the code, its class, its meaning and its remedy. Exit code 64 for a word that is not a code."""
    word = arguments.code.upper()
    code = next((it for it in ErrorCode if it.value == word), None)
    if code is None:
        return fail(no_such_code(word))
    remedy = code.remedy
    say(f"{code.value} ({code.error_class.name.lower()}, exit code {int(code.error_class)})")
    say(f"  when:  {remedy.meaning}")
    say(f"  do:    {remedy.action}")
    say(f"  again: submitting the same spec again {remedy.again.value}")
    return EXIT_OK
