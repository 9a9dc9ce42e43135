package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"sync"

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
	build build
}

func (r *relay) tellClient(from io.Reader) {
	reader := bufio.NewReader(from)
	for {
		content, err := dap.ReadBaseMessage(reader)
		if err != nil {
			return
		}
		if content = mended(content); content != nil {
			r.write(content)
		}
	}
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

// prepare builds what is to be launched; false where that failed, which is told.
func (r *relay) prepare(content []byte) ([]byte, bool) {
	var m message
	if json.Unmarshal(content, &m) != nil || m.Command != "launch" {
		return content, true
	}
	var program string
	if json.Unmarshal(m.Arguments["program"], &program) != nil {
		return content, true
	}
	if words, err := r.build.begin(program); err != nil {
		return nil, r.refuse(m, words, err)
	}
	m.Arguments["program"] = encode(r.build.output)
	return encode(m), true
}

// refuse tells what the compiler said, and answers the request; false.
func (r *relay) refuse(m message, words string, err error) bool {
	if words != "" {
		r.write(encode(map[string]any{
			"seq": 0, "type": "event", "event": "output",
			"body": map[string]string{"category": "stderr", "output": words},
		}))
	}
	r.write(encode(map[string]any{
		"seq": 0, "type": "response", "request_seq": m.Seq, "command": m.Command, "success": false, "message": err.Error(),
		"body": map[string]any{"error": map[string]any{"id": failedToLaunch, "format": err.Error(), "showUser": words == ""}},
	}))
	return false
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
