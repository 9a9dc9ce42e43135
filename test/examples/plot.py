"""Draws with pandas in a session, which has it installed, and saves the picture that the cell answers with."""

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


session = call("POST", "/api/session", {"language": "python"})["sessionId"]


def execute(**command):
    return call("POST", f"/api/session/{session}/execute", {"command": command})


execute(type="install_packages", packages=["pandas", "matplotlib"])
cell = execute(
    type="execute_code",
    timeout=60,
    code="""
import pandas
sales = pandas.Series([1, 4, 9, 16], index=["May", "June", "July", "August"])
sales.plot.bar(title="Sales").figure
""",
)
for bundle in cell["result"]["results"]:
    if "image/png" in bundle:
        picture = base64.b64decode(bundle["image/png"])
        with open("plot.png", "wb") as file:
            file.write(picture)
        print("plot.png is a PNG:", picture.startswith(b"\x89PNG"))

call("DELETE", f"/api/session/{session}")
