// Delve as a debug adapter on standard streams, which builds what it debugs: it runs in the sandbox of that, as other adapters do.
// Its argument is what words of the compiler mean, as src/toolchains/go.ts has it.
package main

import (
	"io"
	"os"
	"runtime/debug"

	"github.com/go-delve/delve/pkg/logflags"
	"github.com/go-delve/delve/service"
	"github.com/go-delve/delve/service/dap"
	"github.com/go-delve/delve/service/debugger"
)

// Of its memory what is garbage, in percent: a sandbox has little, and it lives as long as a program is looked at.
const garbagePercent = 40

// connection is what Delve takes for its client.
type connection struct {
	io.Reader
	io.WriteCloser
}

func main() {
	debug.SetGCPercent(garbagePercent)
	if err := logflags.Setup(false, "", ""); err != nil {
		panic(err)
	}
	removeLeft()
	fromClient, toDelve := io.Pipe()
	fromDelve, toClient := io.Pipe()
	r := &relay{out: os.Stdout, build: build{meanings: readMeanings(os.Args[1])}}
	told := make(chan struct{})
	go func() {
		defer close(told)
		r.tellClient(fromDelve)
	}()
	go func() {
		defer toDelve.Close()
		r.tellDelve(os.Stdin, toDelve)
	}()
	config := &dap.Config{
		Config:        &service.Config{Debugger: debugger.Config{}},
		StopTriggered: make(chan struct{}),
	}
	dap.NewSession(connection{fromClient, toClient}, config, nil).ServeDAPCodec()
	toClient.Close()
	<-told
	r.end()
	// A program that still runs is traced, and ends with this.
	os.Exit(0)
}
