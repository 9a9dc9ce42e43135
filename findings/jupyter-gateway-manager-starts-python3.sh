#!/bin/sh
# jupyter_server 2.21.1 (PyPI): GatewayKernelManager, which nbclient and papermill take to run a notebook over a gateway, was made for the
# server's own handlers, and alone it does two things that no other kernel manager does. It starts python3 whatever kernel it was
# made for, because it looks at an argument of start_kernel that those two never pass; a notebook of another language is run by
# Python. And what nbclient asks when a cell takes too long, whether the kernel lives (_async_is_alive of jupyter_client 8.10.0,
# not overridden), asserts that there is a local process, so that the timeout is told as an AssertionError without words.
#
# Seen: the lines between the two marks below.
set -eu
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check jupyter_server==2.21.1 jupyter_client==8.10.0 nbclient==0.11.0 nbformat==5.10.4
cat >gateway.py <<'PYTHON'
import asyncio, http.server, json, threading

asked = []

class Gateway(http.server.BaseHTTPRequestHandler):
    """Has one kernel, and remembers what it was asked to start."""
    def answer(self, body):
        text = json.dumps(body).encode()
        self.send_response(200)
        self.send_header('content-type', 'application/json')
        self.send_header('content-length', str(len(text)))
        self.end_headers()
        self.wfile.write(text)
    def do_POST(self):
        asked.append(json.loads(self.rfile.read(int(self.headers['content-length'])))['name'])
        self.answer({'id': 'a', 'name': asked[-1]})
    def do_GET(self):
        self.answer({'id': 'a', 'name': asked[-1], 'execution_state': 'idle'})
    def log_message(self, *_):
        pass

server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Gateway)
threading.Thread(target=server.serve_forever, daemon=True).start()

from jupyter_server.gateway.gateway_client import GatewayClient
from jupyter_server.gateway.managers import GatewayKernelManager
from nbclient import NotebookClient
import nbformat

GatewayClient.instance().url = f'http://127.0.0.1:{server.server_port}'

async def main():
    notebook = nbformat.v4.new_notebook(metadata={'kernelspec': {'name': 'javascript', 'display_name': 'JavaScript'}})
    client = NotebookClient(notebook, kernel_name='javascript', kernel_manager_class=GatewayKernelManager)
    client.create_kernel_manager()
    print('made for:', client.km.kernel_name)
    await client.km.start_kernel(extra_arguments=[])
    print('started:', asked[0])
    try:
        print('lives:', await client.km._async_is_alive())
    except AssertionError as error:
        print('lives: AssertionError', repr(str(error)))

asyncio.run(main())
PYTHON
venv/bin/python gateway.py >seen 2>words || { cat words; exit 1; }
cat >expected <<'SEEN'
made for: javascript
started: python3
lives: AssertionError ''
SEEN
diff expected seen && echo 'as it was'
