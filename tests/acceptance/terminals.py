"""A real terminal without a screen: tmux, in which a command runs, gets keys, and is read."""

import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.acceptance.command import wait_until


@dataclass(frozen=True)
class Terminal:
    """One pane of a tmux server of its own."""

    socket: Path

    def _tmux(self, *arguments: str) -> str:
        command = ["tmux", "-S", str(self.socket), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout

    def press(self, *keys: str) -> None:
        """Press keys, by tmux's names; any other text is typed."""
        self._tmux("send-keys", "-t", "main", *keys)

    def resize(self, width: int, height: int) -> None:
        """Make the terminal larger or smaller."""
        self._tmux("resize-window", "-t", "main", "-x", str(width), "-y", str(height))

    def text(self) -> str:
        """What is on the screen."""
        return self._tmux("capture-pane", "-p", "-t", "main")

    def said(self) -> str:
        """All that a command has said that has ended, as one line."""
        return self._tmux("capture-pane", "-p", "-J", "-S", "-", "-t", "main").replace("\n", "")

    def has_ended(self) -> bool:
        """Whether the command has ended."""
        return self._tmux("display-message", "-p", "-t", "main", "#{pane_dead}").strip() == "1"

    def exit_code(self) -> int:
        """How it ended. tmux itself now and then forgets it of a command that ends at once."""
        return int(wait_until(lambda: self._ended.read_text().strip() if self._ended.exists() else None, "an exit code"))

    @property
    def _ended(self) -> Path:
        return self.socket.with_name("ended")

    def until(self, *words: str) -> str:
        """Wait until all these words are on the screen, however its lines are broken. Returns it."""
        wanted = [" ".join(word.split()) for word in words]
        self.until_true(lambda: all(map(" ".join(self.text().split()).__contains__, wanted)), f"{words} on the screen")
        return self.text()

    def until_true(self, condition: Callable[[], object], what: str) -> None:
        """Wait for a condition; where it does not come, the screen tells more."""
        try:
            wait_until(condition, what)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.text()}") from None


@contextmanager
def terminal(
    folder: Path, command: Sequence[str | Path], environment: Mapping[str, str], size: tuple[int, int] = (100, 30)
) -> Iterator[Terminal]:
    """Run `command` in a terminal; at the end of the block the terminal is closed, whatever runs in it."""
    socket = folder / "tmux"
    (folder / "tmux.conf").write_text("set -g remain-on-exit on\nset -g default-terminal screen-256color\n")
    start = ["tmux", "-f", str(folder / "tmux.conf"), "-S", str(socket), "new-session", "-d", "-s", "main"]
    start += ["-x", str(size[0]), "-y", str(size[1])]
    variables = {**environment, "LC_ALL": "C.UTF-8", "TERM": "screen-256color"}
    told = ("sh", "-c", 'ended=$1; shift; "$@"; echo $? >"$ended"', "sh", str(folder / "ended"))
    subprocess.run([*start, "--", *told, *map(str, command)], env=variables, check=True, timeout=60)
    try:
        yield Terminal(socket)
    finally:
        subprocess.run(["tmux", "-S", socket, "kill-server"], check=False, capture_output=True, timeout=60)
