"""Hands a file to the desktop of the person at this machine."""

import shutil
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_NOT_HERE: Final = ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY", "SUDO_UID")
"""Set by sshd, see ENVIRONMENT in ssh(1): a display of such a session is another machine's, or nobody's who reads this. And by
sudo, see sudo(8), which by default drops what sshd has set and keeps DISPLAY; nor should a browser run as root."""

_DISPLAYS: Final = ("DISPLAY", "WAYLAND_DISPLAY")


@dataclass(frozen=True, slots=True)
class Desktop:
    """A desktop. `command`: what opens a file on it with the program that its user has chosen."""

    command: str

    def open(self, path: str) -> None:
        """Start the command, and do not wait: it may last as long as a browser, and outlives us. Raises `OSError`.

        Whether it opens anything is not known.

        It has no terminal. Python's `webbrowser` leaves it ours, and may choose a browser that shows text in it.
        """
        nothing = subprocess.DEVNULL
        process = subprocess.Popen([self.command, path], stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True)
        threading.Thread(target=process.wait, daemon=True, name="desktop").start()


def desktop_of(environment: Mapping[str, str], platform: str) -> Desktop | None:
    """The desktop of this machine; None over SSH, by sudo, without a display or its command. `platform`: as `sys.platform`."""
    if any(environment.get(name) for name in _NOT_HERE):
        return None
    if platform == "darwin":
        command = "open"
    elif any(environment.get(name) for name in _DISPLAYS):
        command = "xdg-open"
    else:
        return None
    found = shutil.which(command, path=environment.get("PATH"))
    return Desktop(found) if found else None
