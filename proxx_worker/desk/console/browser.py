"""Opens a page in the browser of the desktop that the console runs on."""

import shutil
import subprocess
import threading
from collections.abc import Mapping
from typing import Final

_REMOTE: Final = ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY")
"""Set by sshd, see ENVIRONMENT in ssh(1). A display of such a session is another machine's, or nobody's who reads this."""

_DISPLAYS: Final = ("DISPLAY", "WAYLAND_DISPLAY")


def opener_of(environment: Mapping[str, str], platform: str) -> str | None:
    """The command that opens a file on this desktop; None over SSH, without a display, or if it is not installed.

    `platform`: as `sys.platform`. Not Python's `webbrowser`: that may choose a browser for text, which would take the terminal.
    """
    if any(environment.get(name) for name in _REMOTE):
        return None
    if platform == "darwin":
        command = "open"
    elif any(environment.get(name) for name in _DISPLAYS):
        command = "xdg-open"
    else:
        return None
    return command if shutil.which(command, path=environment.get("PATH")) else None


def open_page(opener: str, page: str) -> None:
    """Start the opener, and do not wait: it may last as long as its browser. It has no terminal. Raises `OSError`."""
    nothing = subprocess.DEVNULL
    process = subprocess.Popen([opener, page], stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True)
    threading.Thread(target=process.wait, daemon=True, name="opener").start()
