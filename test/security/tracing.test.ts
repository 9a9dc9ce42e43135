import { describe, expect, inject, test } from 'vitest';
import { DapClient } from '../support/dap-client.ts';
import { available } from '../support/matrix.ts';
import { TestSession } from '../support/session.ts';

/** ptrace(2) is for a debugger that needs it, of what it has started itself; for nothing else in the same sandbox. */
const { url: base, wsUrl } = inject('server');
const rows = (await available()).filter(({ language }) => language === 'go');

/** Tries what a debugger may, and what it may not, and says how each went. */
const PROBE = `package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"time"
	"unsafe"
)

const processVMReadv, seccomp = 310, 317

func try(number, one, two, three uintptr) string {
	if runtime.GOARCH == "arm64" {
		number = map[uintptr]uintptr{syscall.SYS_PTRACE: syscall.SYS_PTRACE, processVMReadv: 270, seccomp: 277}[number]
	}
	if _, _, errno := syscall.RawSyscall(number, one, two, three); errno != 0 {
		return map[syscall.Errno]string{syscall.EPERM: "EPERM", syscall.EINVAL: "EINVAL"}[errno]
	}
	return "done"
}

func child() string {
	runtime.LockOSThread()
	command := exec.Command("/bin/true")
	command.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
	if command.Start() != nil {
		return "refused"
	}
	command.Process.Kill()
	command.Wait()
	return "traced"
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "orphan" {
		for os.Getppid() != 1 {
			time.Sleep(time.Millisecond)
		}
		try(syscall.SYS_PTRACE, 0, 0, 0)
		syscall.Kill(os.Getpid(), syscall.SIGUSR1)
		time.Sleep(time.Hour)
	}
	sibling := exec.Command("sleep", "1000")
	sibling.Start()
	stranger := uintptr(sibling.Process.Pid)
	allow := [1]uint64{0x7fff000000000006}
	program := struct {
		length uint16
		filter unsafe.Pointer
	}{1, unsafe.Pointer(&allow)}
	adapter, _ := strconv.Atoi(os.Getenv("ADAPTER"))
	memory, err := os.OpenFile("/proc/1/mem", os.O_RDWR, 0)
	if err == nil {
		memory.Close()
	}
	exec.Command(os.Args[0], "orphan").Start()
	seen := map[string]any{
		"child":   child(),
		"agent":   []string{try(syscall.SYS_PTRACE, 16, 1, 0), try(syscall.SYS_PTRACE, 0x4206, 1, 0)},
		"others":  []string{try(syscall.SYS_PTRACE, 16, stranger, 0), try(syscall.SYS_PTRACE, 0x4206, stranger, 0), try(syscall.SYS_PTRACE, 16, uintptr(adapter), 0)},
		"memory":  []string{try(processVMReadv, 1, 0, 0), try(processVMReadv, stranger, 0, 0)},
		"filter":  try(seccomp, 1, 0, uintptr(unsafe.Pointer(&program))),
		"opens":   err == nil,
	}
	sibling.Process.Kill()
	json.NewEncoder(os.Stdout).Encode(seen)
}
`;

describe.each(rows)('in $name', { timeout: 300_000 }, ({ language, runtimeType }) => {
  test('what a debugger starts may trace its own children, nothing else is traced, and nothing else traces', async () => {
    await using session = await TestSession.open(wsUrl, { language, runtimeType });
    await session.done('write_file', { path: 'probe.go', content: PROBE });
    const { url } = await session.client.call('debug.start', { sessionId: session.id });
    using client = await DapClient.connect(base.replace('http', 'ws') + url);
    const refused = {
      agent: ['EPERM', 'EPERM'],
      others: ['EPERM', 'EPERM', 'EPERM'],
      memory: ['EPERM', 'EPERM'],
      filter: 'EINVAL',
      opens: false,
    };
    await client.launch({ program: 'probe.go' });
    await client.event('terminated');
    expect(JSON.parse(client.output('stdout'))).toEqual({ ...refused, child: 'traced' });
    // Its agent has become the tracer of an orphan that offered itself, and goes on all the same.
    const beside = JSON.parse(await session.prints(PROBE));
    expect(beside).toEqual({ ...refused, child: 'refused' });
    await client.ask('disconnect');
    await client.ended();
    const left = async () => {
      const { stdout } = await session.shell('sh', ['-c', 'cat /proc/[0-9]*/cmdline | tr "\\0" " "']);
      return stdout.includes('debugged');
    };
    await expect.poll(left).toBe(false);
  });
});
