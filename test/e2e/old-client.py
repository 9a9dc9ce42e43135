"""The session scenario of the first CodeBeaker's documents, by Python's `websockets`, unchanged: create, then write,
write and execute_shell without waiting for answers, then read, list and close. Prints the answers as JSON."""

import asyncio
import json
import sys

import websockets


async def main(url):
    answers = {}
    async with websockets.connect(url) as socket:

        async def send(number, method, params):
            await socket.send(json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}))

        async def receive():
            message = json.loads(await socket.recv())
            if "id" in message:
                answers[message["id"]] = message
            return message

        async def execute(number, session, command):
            await send(number, "session.execute", {"sessionId": session, "command": command})

        await send(1, "session.create", {"language": "python", "idleTimeoutMinutes": 30, "maxLifetimeMinutes": 120})
        session = (await receive())["result"]["sessionId"]
        hello = "def greet(name):\n    return f'Hello, {name}!'\n"
        await execute(2, session, {"type": "write_file", "path": "/workspace/hello.py", "content": hello, "mode": "Create"})
        program = "from hello import greet\nprint(greet('World'))\n"
        await execute(3, session, {"type": "write_file", "path": "/workspace/main.py", "content": program})
        shell = {"type": "execute_shell", "commandName": "python3", "args": ["/workspace/main.py"]}
        await execute(4, session, {**shell, "workingDirectory": "/workspace"})
        while not {2, 3, 4} <= answers.keys():
            await receive()
        await execute(5, session, {"type": "read_file", "path": "/workspace/main.py"})
        await execute(6, session, {"type": "list_files", "path": "/workspace"})
        await send(7, "session.list", {})
        while not {5, 6, 7} <= answers.keys():
            await receive()
        await send(8, "session.close", {"sessionId": session})
        while 8 not in answers:
            await receive()
    print(json.dumps(answers))


asyncio.run(main(sys.argv[1]))
