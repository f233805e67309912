"""Copies text to the terminal's clipboard."""

from typing import Final, Protocol

from proxx_worker.contract.text import has_lone_surrogate

NOT_COPIED: Final = "the name is not UTF-8 and cannot be copied"


class Clipboard(Protocol):
    """A Textual app."""

    def copy_to_clipboard(self, text: str) -> None:
        """Send it to the terminal, as UTF-8 (OSC 52). Raises `UnicodeEncodeError`."""
        ...


def copy(clipboard: Clipboard, text: str) -> bool:
    """Copy the text, if the terminal has a clipboard. False for the path of a file whose name is not UTF-8: nothing is copied."""
    if has_lone_surrogate(text):
        return False
    clipboard.copy_to_clipboard(text)
    return True
