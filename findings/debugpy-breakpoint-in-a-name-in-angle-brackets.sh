#!/bin/sh
# debugpy 1.8.22 (PyPI): a breakpoint in code that was compiled under a name in angle brackets, such as `<cell 1>`, which notebooks and
# prompts give to what has no file, is answered with `verified: true`, also where it never stops: such names count as library
# code, which `justMyCode` (on by default) skips. Names that begin with `<ipython-input` are made an exception of. So what
# debugs cells has to switch `justMyCode` off, or to name them as IPython did.
#
# Seen: the lines between the two marks below.
set -eu
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check debugpy==1.8.22
cat >program.py <<'PYTHON'
import sys
exec(compile('x = 1\ny = 2\n', sys.argv[1], 'exec'))
PYTHON
cat >client.py <<'PYTHON'
import json, subprocess, sys


class Adapter:
    def __init__(self):
        command = [sys.executable, '-m', 'debugpy.adapter']
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.asked = 0

    def ask(self, command, **arguments):
        self.asked += 1
        request = {'seq': self.asked, 'type': 'request', 'command': command, 'arguments': arguments}
        body = json.dumps(request).encode()
        self.process.stdin.write(b'Content-Length: %d\r\n\r\n%s' % (len(body), body))
        self.process.stdin.flush()
        return self.asked

    def until(self, wanted):
        while True:
            length = int(self.process.stdout.readline().split(b':')[1])
            self.process.stdout.readline()
            message = json.loads(self.process.stdout.read(length))
            if wanted(message): return message

    def answer(self, *command, **arguments):
        number = self.ask(*command, **arguments)
        return self.until(lambda message: message.get('request_seq') == number)


def debug(name, **more):
    adapter = Adapter()
    adapter.answer('initialize', adapterID='debugpy', pathFormat='path')
    python = {'python': [sys.executable], 'console': 'internalConsole'}
    adapter.ask('launch', program='program.py', args=[name], **python, **more)
    adapter.until(lambda message: message.get('event') == 'initialized')
    answer = adapter.answer('setBreakpoints', source={'path': name}, breakpoints=[{'line': 2}])
    adapter.ask('configurationDone')
    end = adapter.until(lambda message: message.get('event') in ('stopped', 'terminated'))['event']
    print(f'{name} {more}: verified {answer["body"]["breakpoints"][0]["verified"]}, {end}')
    if end == 'stopped': adapter.answer('disconnect', terminateDebuggee=True)
    adapter.process.kill()


debug('<cell 1>')
debug('<cell 1>', justMyCode=False)
debug('<ipython-input-1-abc>')
PYTHON
timeout 60 venv/bin/python client.py >seen
cat >expected <<'SEEN'
<cell 1> {}: verified True, terminated
<cell 1> {'justMyCode': False}: verified True, stopped
<ipython-input-1-abc> {}: verified True, stopped
SEEN
diff expected seen && echo 'as it was'
