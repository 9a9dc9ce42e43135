#!/bin/sh
# Delve 1.27.2 (its Go module; go 1.26) over DAP, of a program that is built as its documents ask (`-gcflags=all="-N -l"`): where a program stands
# at the first statement of a function, `setVariable` of a parameter answers with the new value, and `evaluate` shows it from then on, but the
# program goes on with the old one. At the line of `func`, one stop earlier, the same has its effect. So what sets variables for
# somebody can't take the answer, or what it reads back, as proof.
#
# Seen: the lines between the two marks below.
set -eu
directory=$(mktemp -d)
trap 'chmod -R u+w "$directory"; rm -rf "$directory"' EXIT
cd "$directory"
export GOBIN="$directory/bin" GOTOOLCHAIN=local
go install github.com/go-delve/delve/cmd/dlv@v1.27.2 2>installed || { cat installed; exit 1; }
cat >main.go <<'GO'
package main

func double(value int) int {
	return value * 2
}

func main() {
	println(double(20))
}
GO
go build -gcflags='all=-N -l' -o program main.go
cat >client.py <<'PYTHON'
import json, os, socket, subprocess


class Adapter:
    def __init__(self):
        command = ['bin/dlv', 'dap', '--listen', '127.0.0.1:0']
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        port = int(self.process.stdout.readline().rsplit(b':', 1)[1])
        self.stream = socket.create_connection(('127.0.0.1', port)).makefile('rwb')
        self.asked = 0

    def ask(self, command, **arguments):
        self.asked += 1
        request = {'seq': self.asked, 'type': 'request', 'command': command, 'arguments': arguments}
        body = json.dumps(request).encode()
        self.stream.write(b'Content-Length: %d\r\n\r\n%s' % (len(body), body))
        self.stream.flush()
        return self.asked

    def until(self, wanted):
        while True:
            length = int(self.stream.readline().split(b':')[1])
            self.stream.readline()
            message = json.loads(self.stream.read(length))
            if wanted(message): return message

    def event(self, name):
        return self.until(lambda message: message.get('event') == name)

    def answer_to(self, number):
        return self.until(lambda message: message.get('request_seq') == number)

    def answer(self, *command, **arguments):
        return self.answer_to(self.ask(*command, **arguments))

    def launch(self, *lines):
        """The thread that stands at one of them, or whose panic nobody has caught."""
        self.answer('initialize', adapterID='go', pathFormat='path')
        self.ask('launch', mode='exec', program=os.path.abspath('program'))
        self.event('initialized')
        breakpoints = [{'line': line} for line in lines]
        self.answer('setBreakpoints', source={'path': os.path.abspath('main.go')}, breakpoints=breakpoints)
        self.ask('configurationDone')
        return self.event('stopped')['body']['threadId']


def set_at(line):
    adapter = Adapter()
    thread = adapter.launch(line)
    frame = adapter.answer('stackTrace', threadId=thread)['body']['stackFrames'][0]['id']
    scope = adapter.answer('scopes', frameId=frame)['body']['scopes'][0]['variablesReference']
    adapter.answer('variables', variablesReference=scope)
    answer = adapter.answer('setVariable', variablesReference=scope, name='value', value='40')
    shown = adapter.answer('evaluate', expression='value', frameId=frame)
    adapter.ask('continue', threadId=thread)
    adapter.event('terminated')
    adapter.ask('disconnect')
    printed = adapter.process.communicate()[0].split()[0].decode()
    print(f'line {line}: set to {answer["body"]["value"]}, shown as {shown["body"]["result"]}, its double is {printed}')


set_at(3)
set_at(4)
PYTHON
timeout 60 python3 client.py >seen
cat >expected <<'SEEN'
line 3: set to 40, shown as 40, its double is 80
line 4: set to 40, shown as 40, its double is 40
SEEN
diff expected seen && echo 'as it was'
