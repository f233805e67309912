"""The stand-in's process: `server.py FOLDER [-nogui]`. A client's call is one connection to a socket; objects live here."""

import json
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import studio


class Server:
    """Answers calls, notes them, and does with each what the configuration's faults say."""

    def __init__(self, folder, headless):
        self._database = studio.Database(folder, headless)
        self._objects = {"": None}
        self._names = {}
        self._counts = {}
        self._folder = folder
        self._lock = threading.RLock()
        self._log = open(folder / "calls.jsonl", "a", buffering=1)

    def serve(self, path):
        with socket.socket(socket.AF_UNIX) as listener:
            if os.path.exists(path):
                os.unlink(path)
            listener.bind(path)
            listener.listen(64)
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection):
        with connection:
            line = connection.makefile("rb").readline()
            if not line:
                return
            value = self._call(json.loads(line))
            try:
                connection.sendall(json.dumps(self._outgoing(value)).encode())
            except OSError:
                return  # the client is gone; what it asked for is done all the same

    def _call(self, document):
        with self._lock:
            target = self._objects.get(document["object"])
            method = document["method"]
            name = method if target is None else f"{type(target).__name__}.{method}"
            self._kill(document["client"])
            arguments = [self._incoming(argument) for argument in document["arguments"]]
            note = {
                "call": name,
                "arguments": document["arguments"],
                "client": document["client"],
                "projects": sorted(set(_projects_of([target, arguments]))),
            }
            self._log.write(json.dumps(note) + "\n")
            script = self._script(name)
        if script is not None and "hangs" in script:
            threading.Event().wait()
        if script is not None and "return" in script and not script.get("does"):
            return script["return"]
        if target is None:
            ready = method == "scriptapp" and not self._database.fault("unready")
            return studio.Resolve(self._database) if ready else None
        value = getattr(target, method)(*arguments)
        return script["return"] if script is not None and "return" in script else value

    def _kill(self, client):
        """Kill the worker whose child calls, at the call that the configuration wants it at.

        Calls are counted in a file from when that was configured: where each child starts a Resolve of its own, a job's calls go
        to several of these processes.
        """
        wanted = self._database.config().get("kills_worker_at")
        if not wanted:
            return
        with open(self._folder / f"counted-until-{wanted}", "ab") as counted:
            counted.write(b".")
            calls = counted.tell()
        if calls == wanted:
            worker = Path(f"/proc/{client}/stat").read_text().rpartition(")")[2].split()[1]
            os.kill(int(worker), signal.SIGKILL)

    def _script(self, name):
        """What the configuration wants done with this call: one thing for all, or a list for one after the other."""
        scripts = (self._database.fault("answers") or {}).get(name)
        if not isinstance(scripts, list):
            return scripts
        at = self._counts[name] = self._counts.get(name, -1) + 1
        return scripts[at] if at < len(scripts) else None

    def _outgoing(self, value):
        if value is None or isinstance(value, bool | int | float | str):
            return value
        if isinstance(value, list | tuple):
            return [self._outgoing(item) for item in value]
        if isinstance(value, dict):
            return {key: self._outgoing(item) for key, item in value.items()}
        with self._lock:
            if id(value) not in self._names:
                self._names[id(value)] = f"{type(value).__name__} {len(self._names) + 1}"
                self._objects[self._names[id(value)]] = value
        methods = [name for name in dir(value) if name[0].isupper()]
        return {"$ref": self._names[id(value)], "methods": methods}

    def _incoming(self, value):
        if isinstance(value, dict):
            if "$ref" in value:
                return self._objects[value["$ref"]]
            return {key: self._incoming(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._incoming(item) for item in value]
        return value


def _projects_of(value):
    """The projects that a call concerns: by its object, or by an argument that is of one."""
    if isinstance(value, list):
        for item in value:
            yield from _projects_of(item)
    elif isinstance(value, studio.Project):
        yield value.GetName()
    elif (owner := getattr(value, "_project", None) or getattr(value, "_clip", None)) is not None:
        yield from _projects_of(owner)


def main():
    folder = Path(sys.argv[1])
    config = json.loads((folder / "config.json").read_text())
    (folder / "pids").open("a").write(f"{os.getpid()}\n")
    start = config.get("start", {})
    if start.get("exits"):
        sys.exit(0)
    time.sleep(start.get("seconds", 0))
    if start.get("never"):
        threading.Event().wait()
    current = config.get("open")
    server = Server(folder, "-nogui" in sys.argv)
    if current is not None:
        server._database.current = studio.Project(server._database, current)
        for _ in range(config.get("timelines", 0)):
            server._database.current.add_timeline(studio.Timeline("a cut", None))
        if config.get("renders"):
            server._database.current.IsRenderingInProgress = lambda: not stopped.is_set()
            server._database.current.StopRendering = lambda: threading.Timer(config["renders"], stopped.set).start()
    server.serve(config["socket"])


stopped = threading.Event()

if __name__ == "__main__":
    main()
