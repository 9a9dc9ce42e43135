"""Brings files into one-shots and sessions and gets them back, bytes included, over plain HTTP."""

import base64
import json
import os
import urllib.request

URL = os.environ.get("CODEBEAKER_URL", "http://127.0.0.1:5039")
HEADERS = {"content-type": "application/json"}
if "CODEBEAKER_API_KEY" in os.environ:
    HEADERS["authorization"] = f"Bearer {os.environ['CODEBEAKER_API_KEY']}"


def call(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(URL + path, data, HEADERS, method=method)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


# A one-shot takes files along and brings back those that it is asked for.
run = call(
    "POST",
    "/api/execution?wait=true",
    {
        "language": "python",
        "code": "open('out.txt', 'w').write(open('data/in.txt').read().upper())",
        "files": [{"path": "data/in.txt", "content": "one two three"}],
        "outputFiles": ["out.txt", "log.txt?"],
    },
)
print(run["files"][0]["content"])

# A session keeps its files. Bytes travel as base64.
session = call("POST", "/api/session", {"language": "python"})["sessionId"]


def execute(**command):
    return call("POST", f"/api/session/{session}/execute", {"command": command})["result"]


execute(type="write_file", path="bytes.bin", content=base64.b64encode(b"\x00\xff").decode(), encoding="base64")
back = execute(type="read_file", path="bytes.bin", encoding="base64")
print(base64.b64decode(back["content"]))

call("DELETE", f"/api/session/{session}")
