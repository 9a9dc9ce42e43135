package main

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
)

// Of a program that a signal has ended, as a shell tells it.
const signalled = 128

// Told of breakpoints, and of what only a debugger could do.
const withoutDebugger = "The program runs without its debugger"

// plain is a program that runs without its debugger (`noDebug`), which Delve would not be heard to the end of.
type plain struct {
	command *exec.Cmd
	output  *output
	begun   bool
	// Whoever ends the adapter may do so while the program begins.
	mutex   sync.Mutex
	stopped bool
}

// answer answers for Delve what is asked; false for what Delve is asked all the same.
func (p *plain) answer(r *relay, m message) bool {
	switch {
	case m.Command == "disconnect":
		p.stop()
		return false
	case m.Command == "configurationDone":
		r.succeed(m, nil)
		p.begin(r)
	case m.Command == "threads":
		r.succeed(m, map[string]any{"threads": []any{}})
	case strings.HasPrefix(m.Command, "set") && strings.HasSuffix(m.Command, "reakpoints"):
		r.succeed(m, map[string]any{"breakpoints": p.unverified(m)})
	default:
		r.refuse(m, "", errors.New(withoutDebugger))
	}
	return true
}

func (p *plain) unverified(m message) []any {
	var asked []json.RawMessage
	_ = json.Unmarshal(m.Arguments["breakpoints"], &asked)
	breakpoints := make([]any, len(asked))
	for i := range asked {
		breakpoints[i] = map[string]any{"verified": false, "message": withoutDebugger}
	}
	return breakpoints
}

// begin tells how it ends, too.
func (p *plain) begin(r *relay) {
	if p.begun {
		return
	}
	p.begun = true
	err := p.start()
	if err != nil {
		r.tell("output", map[string]any{"category": "important", "output": err.Error() + "\n"})
	} else {
		r.tell("process", map[string]any{"name": p.command.Path, "systemProcessId": p.command.Process.Pid, "startMethod": "launch"})
	}
	go func() {
		code := signalled - 1
		if err == nil {
			p.command.Wait()
			code = exitCode(p.command.ProcessState)
		}
		p.output.finish()
		r.tell("exited", map[string]any{"exitCode": code})
		r.tell("terminated", nil)
	}()
}

func (p *plain) start() error {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.stopped {
		return errors.New("the debugger has ended")
	}
	return p.command.Start()
}

func (p *plain) stop() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.stopped = true
	if p.command.Process != nil {
		p.command.Process.Kill()
	}
}

func exitCode(state *os.ProcessState) int {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return signalled + int(status.Signal())
	}
	return state.ExitCode()
}
