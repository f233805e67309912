"""The child's events, and its calls into Resolve: every call that may block is announced before it is made.

One JSON object per line, each with `event`. The parent stops a child that sends nothing new for too long; the last `call` then
says where it hangs. Calls in a polling loop are marked `poll`: they do not count as progress.
"""

import json
import os
import signal
import time
from collections.abc import Callable
from typing import NoReturn

PROTOCOL = 1

UNAVAILABLE = "RESOLVE_UNAVAILABLE"
FAILED = "RESOLVE_FAILED"


class RefusalError(Exception):
    """Why the request failed: one of the worker's error codes, a message, details."""

    def __init__(self, code: str, message: str, **details: object) -> None:
        """See the class."""
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details


class StoppedError(BaseException):
    """SIGTERM was received. Not an `Exception`, so that only `main` catches it."""


class Wire:
    """The connection to the parent: a separate descriptor, because fusionscript prints to stdout."""

    def __init__(self, descriptor: int) -> None:
        """Write to `descriptor`."""
        self._descriptor = descriptor

    def send(self, event: str, **fields: object) -> None:
        """Write one event. If the worker is gone, end this process and everything it started."""
        line = json.dumps({"event": event, **fields}).encode() + b"\n"
        try:
            while line:
                line = line[os.write(self._descriptor, line) :]
        except OSError:
            if os.getpgrp() == os.getpid():
                os.killpg(os.getpid(), signal.SIGKILL)
            os._exit(1)

    def call(self, api: object, name: str, *arguments: object, poll: bool = False) -> object:
        """Call the method `name` of an API object.

        `hasattr` is always true on these objects, and what is not a method is not callable. Raises `RefusalError` if there is no
        such method, as on an object that Resolve has deleted.
        """
        self.send("call", name=name, poll=poll)
        method: object = getattr(api, name, None)
        if api is None or not callable(method):
            refuse(FAILED, f"Resolve must answer, but no longer offers {name}: it was closed, or it hangs. Check Resolve.")
        return method(*arguments)

    def wait(self, seconds: float, *, interval: float, done: Callable[[], bool]) -> bool:
        """Call `done` every `interval` seconds for at most `seconds`. Returns its last answer."""
        deadline = time.monotonic() + seconds
        while not (finished := done()) and time.monotonic() < deadline:
            time.sleep(interval)
        return finished


def refuse(code: str, message: str, **details: object) -> NoReturn:
    """Raise `RefusalError`."""
    raise RefusalError(code, message, **details)


def dictionary(value: object) -> dict[str, object]:
    """An answer as a dict with text keys; empty if it is not a dict."""
    return {str(key): item for key, item in value.items()} if isinstance(value, dict) else {}


def sequence(value: object) -> list[object]:
    """An answer as a list; empty if it is not one. Older builds return lists as dicts numbered from 1."""
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, list | tuple) else []


def texts(value: object) -> list[str]:
    """The strings in an answer: those of a list, and all values of its dicts. Which of those is a name is not known."""
    items = (part for item in sequence(value) for part in (item.values() if isinstance(item, dict) else (item,)))
    return [text for text in items if isinstance(text, str)]
