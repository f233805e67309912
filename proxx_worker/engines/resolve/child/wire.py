"""What the child says, and how it calls Resolve: every call that may block is named before it is made.

One JSON object a line, each with `event`. The parent ends a child that says nothing new for too long; the last `call` then tells
where it hangs. Calls of a loop that waits are marked as `poll`: they are no sign that anything gets on.
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
    """Why the request is not carried out: one of the worker's codes, a message, details."""

    def __init__(self, code: str, message: str, **details: object) -> None:
        """Wrap them."""
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details


class StoppedError(BaseException):
    """SIGTERM came. Not an `Exception`: nothing but the end of the program takes it."""


class Wire:
    """The way to the parent: a descriptor of its own, because fusionscript writes to standard output as it likes."""

    def __init__(self, descriptor: int) -> None:
        """Write to `descriptor`."""
        self._descriptor = descriptor

    def tell(self, event: str, **fields: object) -> None:
        """Write one event. Where nobody listens any more, end this process and all that it started: the worker is gone."""
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

        `hasattr` is always true on these objects, so what is no method shows only in not being callable. Raises `RefusalError`
        where there is no such method, as on an object that Resolve has taken away.
        """
        self.tell("call", name=name, poll=poll)
        method: object = getattr(api, name, None)
        if api is None or not callable(method):
            refuse(FAILED, f"Resolve must answer, but it offers no {name} any more: it was closed, or it hangs. Look at Resolve.")
        return method(*arguments)

    def wait(self, seconds: float, *, rest: float, done: Callable[[], bool]) -> bool:
        """Ask `done` every `rest` seconds for at most `seconds`. Returns its last answer."""
        deadline = time.monotonic() + seconds
        while not (finished := done()) and time.monotonic() < deadline:
            time.sleep(rest)
        return finished


def refuse(code: str, message: str, **details: object) -> NoReturn:
    """Raise `RefusalError`."""
    raise RefusalError(code, message, **details)


def dictionary(value: object) -> dict[str, object]:
    """An answer as a dict with text keys; empty where it is none."""
    return {str(key): item for key, item in value.items()} if isinstance(value, dict) else {}


def sequence(value: object) -> list[object]:
    """An answer as a list; empty where it is none. Older builds number their lists from 1 in a dict."""
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, list | tuple) else []


def texts(value: object) -> list[str]:
    """The texts in an answer: those of a list, and all that stand in its dicts. Which of those is a name is not known."""
    items = (part for item in sequence(value) for part in (item.values() if isinstance(item, dict) else (item,)))
    return [text for text in items if isinstance(text, str)]
