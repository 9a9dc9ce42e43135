#!/bin/sh
# Delve 1.27.2 (its Go module; go 1.26) over DAP, of a program that was built by somebody else (`mode` exec): it offers `restart`
# (`supportsRestartRequest`) and answers it twice, first with success and then with a failure, because it would build the program
# anew. To `exceptionInfo` after a panic it answers with an empty `breakMode`, which is none of the four that the protocol has. Clients that
# keep requests by their numbers, or check messages, fail on either.
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

func main() {
	panic("over")
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


adapter = Adapter()
thread = adapter.launch()
info = adapter.answer('exceptionInfo', threadId=thread)['body']
print(f'{info["exceptionId"]}: breakMode {info["breakMode"]!r}')
number = adapter.ask('restart')
for _ in range(2):
    answer = adapter.answer_to(number)
    print(f'restart: {answer["success"]} {answer.get("body", {}).get("error", {}).get("format", "")}'.strip())
adapter.process.kill()
PYTHON
timeout 60 python3 client.py >seen
cat >expected <<'SEEN'
panic: breakMode ''
restart: True
restart: False Failed to restart: cannot rebuild a binary
SEEN
diff expected seen && echo 'as it was'
