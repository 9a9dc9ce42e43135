"""A session's variables, files and output as it comes, with this service's client of one file: src/client/python/codebeaker.py."""

import os

from codebeaker import CodeBeaker

client = CodeBeaker(os.environ.get("CODEBEAKER_URL", "http://127.0.0.1:5039"), os.environ.get("CODEBEAKER_API_KEY"))
with client.session("python") as session:
    session.run("x = 20")
    print(session.run("x * 2 + 2")["results"][0]["text/plain"])

    session.write("numbers.txt", "1 2 3")
    for event in session.stream("for word in open('numbers.txt').read().split(): print(int(word) * 2)"):
        if event["type"] == "output":
            print(event["text"], end="")

    failed = session.run("1 / 0")
    print(failed["outcome"], failed["error"]["name"])
