#!/bin/sh
# debugpy 1.8.22 (PyPI): what `evaluate` answers for an expression that raises depends on `context`. For watch, hover and repl the request
# fails with the exception as its message, as the Debug Adapter Protocol has it. Without a context, which the protocol allows, and for
# clipboard and variables it succeeds, and the exception's repr stands in `result` as if it were the value. A client that
# shows values so can't tell a failure from an object that is an exception.
#
# Seen: the lines between the two marks below.
set -eu
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check debugpy==1.8.22
printf 'x = 1\nprint(x)\n' >program.py
cat >client.py <<'PYTHON'
import json, subprocess, sys

adapter = subprocess.Popen([sys.executable, '-m', 'debugpy.adapter'], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
asked = 0

def ask(command, **arguments):
    global asked
    asked += 1
    body = json.dumps({'seq': asked, 'type': 'request', 'command': command, 'arguments': arguments}).encode()
    adapter.stdin.write(b'Content-Length: %d\r\n\r\n%s' % (len(body), body))
    adapter.stdin.flush()
    return asked

def told(wanted):
    """The next message of which that is true."""
    while True:
        length = int(adapter.stdout.readline().split(b':')[1])
        adapter.stdout.readline()
        message = json.loads(adapter.stdout.read(length))
        if wanted(message): return message

def answered(number):
    return told(lambda message: message.get('request_seq') == number)

answered(ask('initialize', adapterID='debugpy', pathFormat='path'))
ask('launch', program='program.py', console='internalConsole', python=[sys.executable])
told(lambda message: message.get('event') == 'initialized')
answered(ask('setBreakpoints', source={'path': 'program.py'}, breakpoints=[{'line': 2}]))
ask('configurationDone')
thread = told(lambda message: message.get('event') == 'stopped')['body']['threadId']
frame = answered(ask('stackTrace', threadId=thread))['body']['stackFrames'][0]['id']
for context in (None, 'watch', 'hover', 'repl', 'clipboard', 'variables'):
    more = {} if context is None else {'context': context}
    answer = answered(ask('evaluate', expression='unknown', frameId=frame, **more))
    text = answer['body']['result'] if answer['success'] else answer['message']
    print(f'{context}: {"success" if answer["success"] else "failure"}, {text.strip().splitlines()[-1]}')
answered(ask('disconnect', terminateDebuggee=True))
adapter.kill()
PYTHON
timeout 60 venv/bin/python client.py >seen
cat >expected <<'SEEN'
None: success, NameError("name 'unknown' is not defined")
watch: failure, NameError: name 'unknown' is not defined
hover: failure, NameError: name 'unknown' is not defined
repl: failure, NameError: name 'unknown' is not defined
clipboard: success, NameError("name 'unknown' is not defined")
variables: success, NameError("name 'unknown' is not defined")
SEEN
diff expected seen && echo 'as it was'
