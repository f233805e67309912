"""The client of the stand-in, under the name and with the manners of Blackmagic's module.

Its objects have None for names that they do not know, and all calls answer None once the other side is gone. Faults that live in
a client live here.
"""

import atexit
import json
import os
import signal
import socket
import time
from pathlib import Path

_FOLDER = Path(os.environ["RESOLVE_SCRIPT_LIB"]).parent
_STARTED_BY = os.environ.get("RESOLVE_SCRIPT_API")


def _faults():
    return json.loads((_FOLDER / "config.json").read_text()).get("client", {})


def _crash():
    os.kill(os.getpid(), signal.SIGSEGV)


def _talk():
    os.write(1, b"fusionscript: a line that nobody asked for\n")


class _Object:
    """An API object: a reference, and the names that can be called."""

    def __init__(self, reference, methods):
        self.__dict__["_reference"] = reference
        self.__dict__["_methods"] = frozenset(methods)

    def __getattr__(self, name):
        if name not in self._methods:
            return None
        return lambda *arguments: _call(self._reference, name, arguments)

    def __repr__(self):
        return f"Remote object {self._reference}"


def _outgoing(value):
    if isinstance(value, _Object):
        return {"$ref": value._reference}
    if isinstance(value, list | tuple):
        return [_outgoing(item) for item in value]
    if isinstance(value, dict):
        return {key: _outgoing(item) for key, item in value.items()}
    return value


def _incoming(value):
    if isinstance(value, dict):
        if "$ref" in value:
            return _Object(value["$ref"], value["methods"])
        return {key: _incoming(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_incoming(item) for item in value]
    return value


def _call(reference, name, arguments):
    faults = _faults()
    if faults.get("chatter"):
        _talk()
    if faults.get("crashes_at") == name:
        _crash()
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(json.loads((_FOLDER / "config.json").read_text())["socket"])
            document = {"object": reference, "method": name, "arguments": _outgoing(arguments), "client": os.getpid()}
            connection.sendall(json.dumps(document).encode() + b"\n")
            answer = b""
            while chunk := connection.recv(1 << 16):
                answer += chunk
    except OSError:
        return None
    return _incoming(json.loads(answer)) if answer else None


def _reach(name, arguments):
    """Call a function of the module. It is noted here too where nobody runs who could: a host may be named all the same."""
    answer = _call("", name, arguments)
    if answer is None:
        with open(_FOLDER / "calls.jsonl", "a") as log:
            log.write(json.dumps({"call": name, "arguments": arguments, "client": os.getpid(), "projects": []}) + "\n")
    return answer


def scriptapp(*arguments):
    """The application; None where there is none."""
    return _reach("scriptapp", arguments)


def pinghosts(*arguments):
    """What reaches other machines."""
    return _reach("pinghosts", arguments)


_at_import = _faults()
if _at_import.get("chatter"):
    _talk()
if _at_import.get("import") == "hangs":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        time.sleep(60)
if _at_import.get("import") == "raises":
    raise ImportError("fusionscript: undefined symbol")
if _at_import.get("import") == "crashes":
    _crash()
if _at_import.get("import") == "exits":
    os._exit(0)
if _at_import.get("teardown") == "crashes":
    atexit.register(_crash)
