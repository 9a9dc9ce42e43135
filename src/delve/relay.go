package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/google/go-dap"
)

// Told of every program of ours: all are built so, and paths are what they are in spite of it.
const trimpathWarning = "debugging executable built with trimpath"

// What Delve says of when a panic stops a program, for which the protocol has words.
const noBreakMode = `"breakMode":""`

// The number of our own refusals, as Delve numbers a launch that failed.
const failedToLaunch = 3000

type fields map[string]json.RawMessage

// message is what is looked at of one of the Debug Adapter Protocol.
type message struct {
	Seq       int             `json:"seq"`
	Type      string          `json:"type"`
	Command   string          `json:"command,omitempty"`
	Event     string          `json:"event,omitempty"`
	Body      json.RawMessage `json:"body,omitempty"`
	Arguments fields          `json:"arguments,omitempty"`
}

// relay carries messages between a client and Delve. Of those to Delve it answers what begins a program itself where that can't be
// built, and has it run what was built else.
type relay struct {
	mutex sync.Mutex
	out   io.Writer
	// Held while a launch is prepared, which may take as long as a compiler does.
	preparing sync.Mutex
	build     build
	// What the program prints, once there is one; told of by the goroutine that tells Delve, and seen by the one that hears it.
	output atomic.Pointer[output]
	// Nil where it is debugged; ended by the goroutine that ends the adapter.
	plain atomic.Pointer[plain]
}

func (r *relay) tellClient(from io.Reader) {
	reader := bufio.NewReader(from)
	for {
		content, err := dap.ReadBaseMessage(reader)
		if err != nil {
			return
		}
		if output := r.output.Load(); output != nil {
			// It was printed before this was told.
			output.catchUp()
			if endsProgram(content) {
				output.finish()
			}
		}
		if content = mended(content); content != nil {
			r.write(content)
		}
	}
}

// end stops a program without a debugger, and removes what was built; what is being built is left to the next adapter.
func (r *relay) end() {
	if plain := r.plain.Load(); plain != nil {
		plain.stop()
	}
	if r.preparing.TryLock() {
		r.build.remove()
	}
}

func endsProgram(content []byte) bool {
	return bytes.Contains(content, []byte(`"event":"exited"`)) || bytes.Contains(content, []byte(`"event":"terminated"`))
}

// mended is what a client is told of what Delve says; nil for nothing.
func mended(content []byte) []byte {
	var m fields
	var body fields
	if !bytes.Contains(content, []byte(trimpathWarning)) && !bytes.Contains(content, []byte(noBreakMode)) ||
		json.Unmarshal(content, &m) != nil || json.Unmarshal(m["body"], &body) != nil {
		return content
	}
	switch {
	case string(body["category"]) == `"important"` && strings.HasSuffix(string(body["output"]), trimpathWarning+`"`):
		return nil
	case string(m["command"]) == `"exceptionInfo"` && string(body["breakMode"]) == `""`:
		body["breakMode"] = encode("unhandled")
		m["body"] = encode(body)
		return encode(m)
	}
	return content
}

func (r *relay) tellDelve(from io.Reader, to io.Writer) {
	reader := bufio.NewReader(from)
	for {
		content, err := dap.ReadBaseMessage(reader)
		if err != nil {
			return
		}
		content, ok := r.prepare(content)
		if !ok {
			continue
		}
		if dap.WriteBaseMessage(to, content) != nil {
			return
		}
	}
}

// prepare builds what is to be launched; false where Delve is not asked.
func (r *relay) prepare(content []byte) ([]byte, bool) {
	var m message
	if json.Unmarshal(content, &m) != nil {
		return content, true
	}
	if plain := r.plain.Load(); plain != nil {
		return content, !plain.answer(r, m)
	}
	var program string
	if m.Command != "launch" || json.Unmarshal(m.Arguments["program"], &program) != nil {
		return content, true
	}
	r.preparing.Lock()
	defer r.preparing.Unlock()
	if words, err := r.build.begin(program); err != nil {
		return nil, r.refuse(m, words, err)
	}
	output, err := listen(filepath.Dir(r.build.output), func(category, text string) {
		r.tell("output", map[string]any{"category": category, "output": text})
	})
	if err != nil {
		r.build.remove()
		return nil, r.refuse(m, "", err)
	}
	r.output.Store(output)
	var noDebug bool
	if json.Unmarshal(m.Arguments["noDebug"], &noDebug) == nil && noDebug {
		return nil, r.launchPlain(m, output)
	}
	// Told from here, and not by Delve.
	delete(m.Arguments, "outputMode")
	m.Arguments["program"] = encode(r.build.output)
	m.Arguments["stdoutTo"] = encode(output.streams[0].path)
	m.Arguments["stderrTo"] = encode(output.streams[1].path)
	return encode(m), true
}

// launchPlain makes a program ready, which begins when its client has said all that it has to; false.
func (r *relay) launchPlain(m message, output *output) bool {
	var args []string
	var directory string
	environment := map[string]string{}
	for name, into := range map[string]any{"args": &args, "cwd": &directory, "env": &environment} {
		value, ok := m.Arguments[name]
		if !ok {
			continue
		}
		if err := json.Unmarshal(value, into); err != nil {
			// What is mended may be launched again.
			r.output.Store(nil)
			output.finish()
			r.build.remove()
			return r.refuse(m, "", fmt.Errorf("%s: %w", name, err))
		}
	}
	command := exec.Command(r.build.output, args...)
	command.Dir = directory
	command.Env = os.Environ()
	for name, value := range environment {
		command.Env = append(command.Env, name+"="+value)
	}
	command.Stdout, command.Stderr = output.streams[0].writer, output.streams[1].writer
	r.plain.Store(&plain{command: command, output: output})
	r.succeed(m, nil)
	r.tell("initialized", nil)
	return false
}

// refuse tells what the compiler said, and answers the request; false.
func (r *relay) refuse(m message, words string, err error) bool {
	if words != "" {
		r.tell("output", map[string]any{"category": "stderr", "output": words})
	}
	r.write(encode(map[string]any{
		"seq": 0, "type": "response", "request_seq": m.Seq, "command": m.Command, "success": false, "message": err.Error(),
		"body": map[string]any{"error": map[string]any{"id": failedToLaunch, "format": err.Error(), "showUser": words == ""}},
	}))
	return false
}

func (r *relay) succeed(m message, body map[string]any) {
	answer := map[string]any{"seq": 0, "type": "response", "request_seq": m.Seq, "command": m.Command, "success": true}
	if body != nil {
		answer["body"] = body
	}
	r.write(encode(answer))
}

func (r *relay) tell(event string, body map[string]any) {
	told := map[string]any{"seq": 0, "type": "event", "event": event}
	if body != nil {
		told["body"] = body
	}
	r.write(encode(told))
}

func (r *relay) write(content []byte) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	// Who does not read any more has gone, and takes this with it.
	_ = dap.WriteBaseMessage(r.out, content)
}

// encode is of what has nothing in it that JSON lacks.
func encode(value any) []byte {
	content, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return content
}
