"""A session over plain HTTP with nothing but Python's standard library: state, a file, and a cell that fails."""

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


session = call("POST", "/api/session", {"language": "python"})["sessionId"]


def execute(**command):
    return call("POST", f"/api/session/{session}/execute", {"command": command})


execute(type="execute_code", code="x = 20")
cell = execute(type="execute_code", code="x * 2 + 2")
print(cell["result"]["results"][0]["text/plain"])

execute(type="write_file", path="data.csv", content="a,b\n1,2\n")
listing = execute(type="list_directory")
print([entry["name"] for entry in listing["result"]["entries"]])

failed = execute(type="execute_code", code="1 / 0")
print(failed["success"], failed["error"])

call("DELETE", f"/api/session/{session}")
