"""A client of CodeBeaker in one file, which needs nothing but Python's standard library (3.9 or later).

    from codebeaker import CodeBeaker

    client = CodeBeaker("http://127.0.0.1:5039")
    with client.session("python") as session:
        print(session.run("1 + 1")["results"])
        for event in session.stream("for i in range(3): print(i)"):
            if event["type"] == "output":
                print(event["text"], end="")

Answers are dictionaries with the names of the service's contract. A program that fails is a result; what was not done
is a CodeBeakerError. Everything goes over HTTP; a stream of events that breaks off is asked for again, behind the last
event that came.
"""

import base64
import http.client
import json
import random
import re
import time
import urllib.error
import urllib.parse
import urllib.request

# Seconds of silence after which a connection counts as lost. A stream of events has a sign of life every 15 s.
_SILENCE = 60
# Of an event: the results of a cell are the most that comes in one, 16 MiB of them, and JSON may write a byte as six.
_MOST_BYTES = 128 * 1024 * 1024
_LOST_BEFORE = re.compile(r": events before (\d+) .* (\d+)$", re.MULTILINE)
# Asking again may help: no answer came.
_UNANSWERED = ("UNREACHABLE", "CONNECTION_LOST")


class CodeBeakerError(Exception):
    """What was not done, and why.

    `code` is the service's, such as SESSION_NOT_FOUND, or one of the client's own: UNREACHABLE, CONNECTION_LOST
    (whether it was done is not known) and COMMAND_FAILED. `said` is all that the service said.
    """

    def __init__(self, code, message, said=None):
        super().__init__(message)
        self.code = code
        self.said = said or {}


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A key belongs to the service alone, and urllib would send it wherever it is led."""

    def redirect_request(self, *_):
        return None


_OPENER = urllib.request.build_opener(_NoRedirect)


class CodeBeaker:
    """A client of the service at `url`. `patience`: for how many seconds a lost stream is tried to be opened again."""

    def __init__(self, url="http://127.0.0.1:5039", key=None, patience=60):
        self._url = url.rstrip("/")
        self._key = key
        self.patience = patience

    def run(self, language, code, **request):
        """Runs a program once, in a sandbox of its own, to its end; `request` as ExecuteRequest has it."""
        return self.start(language, code, **request).result()

    def start(self, language, code, **request):
        """Starts a program, once, in a sandbox of its own."""
        started = self._json("POST", "/api/execution", {"language": language, "code": code, **request})
        return self.follow(started["executionId"])

    def stream(self, language, code, **request):
        """Runs a program once and gives what it tells, as it comes. Leaving the loop ends it."""
        return _until_left(self.start(language, code, **request))

    def follow(self, execution_id):
        """A program that was started before, also by another client."""
        return Run(self, execution_id)

    def session(self, language, **config):
        """Opens a session; `with` closes it. `config` as SessionConfig has it."""
        info = self._json("POST", "/api/session", {"language": language, **config})
        return self.attach(info["sessionId"])

    def attach(self, session_id):
        """A session that is there already."""
        return Session(self, session_id)

    def sessions(self):
        """The sessions of this key, page by page."""
        cursor = ""
        while cursor is not None:
            page = self._json("GET", "/api/session" + (f"?cursor={cursor}" if cursor else ""))
            yield from page["sessions"]
            cursor = page["nextCursor"]

    def languages(self):
        return self._json("GET", "/api/language")

    def call(self, method, **params):
        """Any method of the service's JSON-RPC that needs no WebSocket."""
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = self._json("POST", "/api/jsonrpc", body)
        if "error" in answer:
            error = answer["error"]
            data = error.get("data") or {}
            raise CodeBeakerError(data.get("code", "ERROR"), error["message"], data)
        return answer["result"]

    def _json(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        with self._ask(method, path, data, {"content-type": "application/json"}) as response:
            return json.loads(_whole(response))

    def _ask(self, method, path, data=None, headers=None, timeout=None):
        headers = {name: value for name, value in (headers or {}).items() if data is not None or name != "content-type"}
        if self._key is not None:
            headers["authorization"] = f"Bearer {self._key}"
        request = urllib.request.Request(self._url + path, data, headers, method=method)
        try:
            return _OPENER.open(request, timeout=timeout)
        except urllib.error.HTTPError as error:
            raise _error_of(error) from None
        except urllib.error.URLError as error:
            raise CodeBeakerError("UNREACHABLE", f"No answer from {self._url}: {error.reason}") from None
        except (OSError, http.client.HTTPException) as error:
            raise _connection_lost(error) from None


class Session:
    """Files and interpreters that remain from call to call, in a sandbox of their own, until it is closed or times out."""

    def __init__(self, client, session_id):
        self.id = session_id
        self._client = client
        self._path = f"/api/session/{_quoted(session_id)}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def run(self, code, **options):
        """Runs a cell to its end: what it defines stays. One that fails is a result too, with its exception in `error`."""
        return self._run("execute_code", code=code, **options)

    def stream(self, code, **options):
        """Runs a cell and gives what it tells, as it comes. Leaving the loop ends it."""
        return _until_left(self.start(code, **options))

    def start(self, code, **options):
        """Starts a cell."""
        return self._start("execute_code", code=code, **options)

    def shell(self, command, *args, **options):
        """Runs a program with its arguments to its end, without a shell in between."""
        return self._run("execute_shell", commandName=command, args=list(args), **options)

    def spawn(self, command, *args, **options):
        """Starts a program, which goes on by itself."""
        return self._start("execute_shell", commandName=command, args=list(args), **options)

    def terminal(self, command="sh", *args, cols=80, rows=24, **options):
        """Starts a program in a terminal: `input` of its run types, and what it shows comes as output on stdout."""
        return self.spawn(command, *args, pty={"cols": cols, "rows": rows}, **options)

    def follow(self, execution_id):
        """A cell or program of this session that was started before, as far as what it told is kept."""
        return Run(self._client, execution_id, self.id)

    def write(self, path, data):
        """Writes a file, and its parent directories; it is replaced whole or not at all."""
        content = data.encode() if isinstance(data, str) else bytes(data)
        with self._client._ask("PUT", self._file(path), content, {"content-type": "application/octet-stream"}):
            pass

    def read(self, path):
        """All of a file, as bytes."""
        with self._client._ask("GET", self._file(path)) as response:
            return _whole(response)

    def list(self, path=".", **options):
        return self.execute("list_directory", path=path, **options)["entries"]

    def install(self, *packages, **options):
        """Installs packages for all that starts afterwards."""
        return self.execute("install_packages", packages=list(packages), **options)

    def execute(self, type, **fields):
        """Any command of a session and its result, such as "stat" or "diff". Raises COMMAND_FAILED where it could not do its work."""
        answer = self._answer(type, fields)
        if not answer["success"]:
            raise CodeBeakerError("COMMAND_FAILED", answer["error"], answer["result"])
        return answer["result"]

    def info(self):
        return self._client._json("GET", self._path)

    def close(self):
        """Ends it and all that runs in it; one that has ended stays so."""
        try:
            self._client._json("DELETE", self._path)
        except CodeBeakerError as error:
            if error.code != "SESSION_NOT_FOUND":
                raise

    def _run(self, type, **fields):
        answer = self._answer(type, fields)
        if answer["result"] is None:
            raise CodeBeakerError("COMMAND_FAILED", answer["error"])
        return answer["result"]

    def _start(self, type, **fields):
        return self.follow(self._run(type, background=True, **fields)["executionId"])

    def _answer(self, type, fields):
        return self._client._json("POST", f"{self._path}/execute", {"command": {"type": type, **fields}})

    def _file(self, path):
        parts = [part for part in path.split("/") if part != "."]
        # In a URL these may lead to something else of the service, however they are written.
        if ".." in parts:
            raise CodeBeakerError("VALIDATION_ERROR", "path: has a part '..'")
        return f"{self._path}/files/{'/'.join(map(_quoted, parts))}"


class Run:
    """A program or cell that was started. Its events are read by `for`, from its start; leaving that early leaves it running."""

    def __init__(self, client, execution_id, session_id=None):
        self.id = execution_id
        self._client = client
        self._path = f"/api/execution/{_quoted(execution_id)}"
        self._session = session_id

    def __iter__(self):
        """What it tells: dictionaries with `type` and the fields of the notification. `lost` is where the service no longer
        keeps `count` events, of this run or of others of its session."""
        at = {"last": 0, "end": float("inf"), "over": False, "open": False}
        tries = 0
        deadline = time.monotonic() + self._client.patience
        while True:
            before = at["last"]
            problem = None
            at["open"] = False
            try:
                yield from self._read_on(at)
            except (OSError, http.client.HTTPException) as error:
                problem = CodeBeakerError("CONNECTION_LOST", f"The stream of events broke off: {error}")
            except CodeBeakerError as error:
                if error.code not in _UNANSWERED:
                    raise
                problem = error
            if at["over"]:
                return
            if at["open"]:
                # It runs from the loss: a program may be silent for longer.
                deadline = time.monotonic() + self._client.patience
            elif problem is not None and time.monotonic() > deadline:
                raise problem
            if at["last"] != before:
                tries = 0
            _pause(tries)
            tries += 1

    def result(self):
        """Waits for its end: how it ended, and what it printed."""
        for _ in self:
            pass
        deadline = time.monotonic() + self._client.patience
        tries = 0
        while True:
            try:
                return self._status()
            except CodeBeakerError as error:
                if error.code not in _UNANSWERED or time.monotonic() > deadline:
                    raise
            _pause(tries)
            tries += 1

    def cancel(self):
        """Ends it, if it runs, and gives how it ended."""
        return self._client._json("DELETE", self._path)

    def input(self, data, eof=False):
        """Types to its terminal; `eof` is Ctrl-D."""
        content = data.encode() if isinstance(data, str) else bytes(data)
        text = base64.b64encode(content).decode()
        self._client.call("process.input", executionId=self.id, data=text, encoding="base64", eof=eof)

    def signal(self, name):
        """Sends a signal, such as SIGINT."""
        self._client.call("process.signal", executionId=self.id, signal=name)

    def resize(self, cols, rows):
        """Gives its terminal another size."""
        self._client.call("process.resize", executionId=self.id, cols=cols, rows=rows)

    def _status(self):
        return self._client._json("GET", self._path)

    def _read_on(self, at):
        """Reads until the run, which is told by `over`, or the stream has ended."""
        # Its end may be among what is lost of its session.
        is_over = self._session is not None and self._status()["completedAt"] is not None
        path = self._path if self._session is None else f"/api/session/{_quoted(self._session)}"
        headers = {"last-event-id": str(at["last"])} if at["last"] else {}
        with self._client._ask("GET", f"{path}/events", headers=headers, timeout=_SILENCE) as response:
            at["open"] = True
            if response.status == 204:
                at["over"] = True
                return
            for block in _blocks_of(response):
                lost = _LOST_BEFORE.match(block)
                count = int(lost[1]) - at["last"] - 1 if lost else 0
                if count > 0:
                    yield {"type": "lost", "count": count}
                    at["last"] += count
                    if is_over:
                        at["end"] = int(lost[2])
                event = _event_of(block)
                if event is not None:
                    at["last"] = event["seq"]
                is_own = event is not None and event["executionId"] == self.id
                at["over"] = at["last"] >= at["end"] or (is_own and event["type"] == "completed")
                if is_own:
                    yield event
                if at["over"]:
                    return


def _quoted(text):
    return urllib.parse.quote(text, safe="")


def _pause(tries):
    """Waits before trying once more: longer each time, and never as long as others who lost the same server."""
    time.sleep(min(0.05 * 2 ** min(tries, 10), 2) * (0.5 + random.random() / 2))


def _connection_lost(error):
    message = f"The connection was lost before the answer: whether it was done is not known ({error})"
    return CodeBeakerError("CONNECTION_LOST", message)


def _whole(response):
    """An answer up to its end, which it may be cut off before."""
    try:
        return response.read()
    except (OSError, http.client.HTTPException) as error:
        raise _connection_lost(error) from None


def _until_left(run):
    """What a run tells; who leaves before its end ends it."""
    is_over = False
    try:
        yield from run
        is_over = True
    finally:
        if not is_over:
            try:
                run.cancel()
            except CodeBeakerError:
                pass


def _blocks_of(response):
    """The blocks of an event stream, which an empty line ends each."""
    lines, length = [], 0
    while line := response.readline(_MOST_BYTES):
        if line != b"\n":
            lines.append(line)
            length += len(line)
            if length >= _MOST_BYTES:
                raise CodeBeakerError("INTERNAL_ERROR", "An event came that has no end")
        else:
            yield b"".join(lines).decode()
            lines, length = [], 0


def _event_of(block):
    fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
    return {"type": fields["event"], **json.loads(fields["data"])} if "data" in fields else None


def bytes_of(event):
    """What an event of output brings, as it was printed."""
    return base64.b64decode(event["data"]) if "data" in event else event.get("text", "").encode()


def _error_of(error):
    text = _whole(error).decode(errors="replace")
    try:
        said = json.loads(text)
        return CodeBeakerError(said["code"], said["message"], said)
    except (ValueError, KeyError, TypeError):
        # Something in between answered, such as a proxy.
        return CodeBeakerError("UNREACHABLE", f"HTTP {error.code}: {text[:200]}")
