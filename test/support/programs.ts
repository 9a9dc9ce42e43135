/**
 * Programs that end, print and misbehave in one particular way each, once in every language. A conformance test
 * names the idea; the table has the words.
 */
export type Dialect = 'python' | 'javascript';

interface Program {
  readonly python: string;
  readonly javascript: string;
}

export const HELLO: Program = {
  python: `print('hello')`,
  javascript: `console.log('hello')`,
};

export const EXIT_3: Program = {
  python: `import sys; print('before'); print('why', file=sys.stderr); sys.exit(3)`,
  javascript: `console.log('before'); console.error('why'); process.exit(3)`,
};

export const UNCAUGHT: Program = {
  python: `print('before')\n\nraise ValueError('no such luck')`,
  javascript: `console.log('before');\n\nthrow new TypeError('no such luck');`,
};

/** Sends itself a signal. */
export function dieOf(signal: string): Program {
  return {
    python: `import os, signal, time; print('before', flush=True); os.kill(os.getpid(), signal.${signal}); time.sleep(60)`,
    javascript: `console.log('before'); process.kill(process.pid, '${signal}'); setTimeout(() => {}, 60_000)`,
  };
}

export const SLEEP: Program = {
  python: `import time; print('before'); time.sleep(60)`,
  javascript: `console.log('before'); setTimeout(() => {}, 60_000)`,
};

export const SPIN: Program = {
  python: `print('before')\nwhile True: pass`,
  javascript: `console.log('before'); for (;;);`,
};

/** Four children spin; the parent only waits. */
export const SPINNING_CHILDREN: Program = {
  python: `
import os, time
print('before')
for _ in range(4):
    if os.fork() == 0:
        while True: pass
time.sleep(60)`,
  javascript: `
import { spawn } from 'node:child_process';
console.log('before');
for (let i = 0; i < 4; i++) spawn('sh', ['-c', 'while :; do :; done']);
setTimeout(() => {}, 60_000);`,
};

/** Takes MB of memory and touches it. */
export function allocate(megabytes: number): Program {
  return {
    python: `print('before', flush=True)\nheld = [b'x' * (1 << 20) for _ in range(${megabytes})]\nprint('held')`,
    javascript: `
console.log('before');
const held = [];
for (let i = 0; i < ${megabytes}; i++) held.push(new Uint8Array(1 << 20).fill(1));
console.log('held', held.length);`,
  };
}

/** Twelve children that take 25 MB each; none alone is too much. */
export const ALLOCATING_CHILDREN: Program = {
  python: `
import os, sys, time
print('before', flush=True)
for _ in range(12):
    if os.fork() == 0:
        held = b'x' * (25 << 20)
        time.sleep(60)
os.wait()
sys.exit(1)`,
  javascript: `
import { spawn } from 'node:child_process';
console.log('before');
const code = "import time; held = b'x' * (25 << 20); time.sleep(60)";
for (let i = 0; i < 12; i++) spawn('python3', ['-c', code]).on('exit', () => process.exit(1));`,
};

/** Fills a directory that lies in memory, then takes memory that fits only without it. */
export function fillThenAllocate(directory: string, fileMB: number, megabytes: number): Program {
  return {
    python: `
print('before', flush=True)
with open('${directory}/filler', 'wb') as f:
    for _ in range(${fileMB}): f.write(b'x' * (1 << 20))
held = [b'x' * (1 << 20) for _ in range(${megabytes})]
print('held')`,
    javascript: `
import { openSync, writeSync } from 'node:fs';
console.log('before');
const file = openSync('${directory}/filler', 'w');
const block = new Uint8Array(1 << 20).fill(1);
for (let i = 0; i < ${fileMB}; i++) writeSync(file, block);
const held = [];
for (let i = 0; i < ${megabytes}; i++) held.push(new Uint8Array(1 << 20).fill(1));
console.log('held', held.length);`,
  };
}

/** A child takes far too much and is killed; its parent notices and goes on. */
export const CHILD_OUT_OF_MEMORY: Program = {
  python: `
import os
if os.fork() == 0:
    held = [b'x' * (1 << 20) for _ in range(4096)]
    os._exit(0)
_, end = os.wait()
print('child died of', os.WTERMSIG(end))`,
  javascript: `
import { spawnSync } from 'node:child_process';
const code = "held = [b'x' * (1 << 20) for _ in range(4096)]";
const { signal } = spawnSync('python3', ['-c', code]);
console.log('child died of', signal === 'SIGKILL' ? 9 : signal);`,
};

/** Starts children until that is refused, then fails or recovers. */
export function forkUntilRefused(thenExit: number): Program {
  return {
    python: `
import os, sys, time
print('before', flush=True)
refused = False
for _ in range(1000):
    try:
        if os.fork() == 0:
            time.sleep(60)
            os._exit(0)
    except BlockingIOError:
        refused = True
        break
print('refused', refused)
sys.exit(${thenExit})`,
    javascript: `
import { spawn } from 'node:child_process';
console.log('before');
let refused = false;
for (let i = 0; i < 1000 && !refused; i++) {
  try {
    const child = spawn('sleep', ['60']);
    child.on('error', () => {});
    if (child.pid === undefined) refused = true;
  } catch {
    refused = true;
  }
}
console.log('refused', refused ? 'True' : 'False');
process.exit(${thenExit});`,
  };
}

/** Writes into a directory until it is full, then fails or recovers. */
export function fillDisk(directory: string, thenExit: number): Program {
  return {
    python: `
import os
print('before', flush=True)
try:
    with open('${directory}/filler', 'wb', buffering=0) as f:
        while True: f.write(b'x' * (1 << 20))
except OSError as error:
    print('refused', error.errno, flush=True)
os._exit(${thenExit})`,
    javascript: `
import { openSync, writeSync } from 'node:fs';
console.log('before');
const file = openSync('${directory}/filler', 'w');
// One for all, or what is garbage would count beside the disk.
const block = new Uint8Array(1 << 20).fill(1);
try {
  for (;;) writeSync(file, block);
} catch (error) {
  console.log('refused', error.code === 'ENOSPC' ? 28 : error.code);
}
process.exit(${thenExit});`,
  };
}

/** Creates empty files until no inode is left, then fails. */
export const FILL_INODES: Program = {
  python: `
import os, sys
print('before', flush=True)
try:
    for i in range(200_000): os.close(os.open(f'/tmp/{i}', os.O_CREAT))
except OSError as error:
    print('refused', error.errno)
sys.exit(1)`,
  javascript: `
import { closeSync, openSync } from 'node:fs';
console.log('before');
try {
  for (let i = 0; i < 200_000; i++) closeSync(openSync('/tmp/' + i, 'w'));
} catch (error) {
  console.log('refused', error.code === 'ENOSPC' ? 28 : error.code);
}
process.exit(1);`,
};

/** Prints without end. */
export const FLOOD: Program = {
  python: `
import sys
while True: sys.stdout.write('x' * 65535 + '\\n')`,
  javascript: `
import { writeSync } from 'node:fs';
const line = new TextEncoder().encode('x'.repeat(65535) + '\\n');
for (;;) writeSync(1, line);`,
};

/** Prints the digits 0 to 9 over and over, so many bytes of them, on one stream. */
export function digits(bytes: number, stream: 'stdout' | 'stderr' = 'stdout'): Program {
  return {
    python: `import sys\nsys.${stream}.write(('0123456789' * ${Math.ceil(bytes / 10)})[:${bytes}])`,
    javascript: `process.${stream}.write('0123456789'.repeat(${Math.ceil(bytes / 10)}).slice(0, ${bytes}));`,
  };
}

export function digitsText(bytes: number): string {
  return '0123456789'.repeat(Math.ceil(bytes / 10)).slice(0, bytes);
}

/** A million bytes on stderr, and only then a million on stdout. */
export const ERR_THEN_OUT: Program = {
  python: `${digits(1_000_000, 'stderr').python}\n${digits(1_000_000).python}`,
  javascript: `
import { writeSync } from 'node:fs';
function all(fd, text) {
  const data = new TextEncoder().encode(text);
  for (let at = 0; at < data.length; ) at += writeSync(fd, data, at);
}
all(2, '0123456789'.repeat(100_000));
all(1, '0123456789'.repeat(100_000));`,
};

export const E_ACUTE: Program = {
  python: `print('é' * 100_000, end='')`,
  javascript: `process.stdout.write('é'.repeat(100_000));`,
};

/** All 256 bytes, on stdout and into a file. */
export const RAW_BYTES: Program = {
  python: `
import sys
data = bytes(range(256))
sys.stdout.buffer.write(data)
open('raw.bin', 'wb').write(data)`,
  javascript: `
import { writeFileSync } from 'node:fs';
const data = Uint8Array.from({ length: 256 }, (_, i) => i);
process.stdout.write(data);
writeFileSync('raw.bin', data);`,
};

/** Prints standard input as it came, between brackets. */
export const ECHO_INPUT: Program = {
  python: `
import sys
data = sys.stdin.buffer.read()
sys.stdout.buffer.write(b'[' + data + b']')`,
  javascript: `
import { readFileSync } from 'node:fs';
const data = readFileSync(0);
process.stdout.write('[');
process.stdout.write(data);
process.stdout.write(']');`,
};

/** Prints what it was given: its standard input, arguments and environment. */
export const SHOW_GIVEN: Program = {
  python: `
import json, os, sys
print(json.dumps({'input': sys.stdin.buffer.read().decode(), 'args': sys.argv[1:], 'environment': dict(os.environ)}))`,
  javascript: `
import { readFileSync } from 'node:fs';
const input = readFileSync(0).toString();
console.log(JSON.stringify({ input, args: process.argv.slice(2), environment: { ...process.env } }));`,
};

/** Stops itself and its whole process group. */
export const STOP_ITSELF: Program = {
  python: `import os, signal; print('before', flush=True); os.kill(0, signal.SIGSTOP); print('after')`,
  javascript: `
import { execSync } from 'node:child_process';
console.log('before');
execSync('kill -STOP 0');
console.log('after');`,
};

export const IGNORE_SIGNALS: Program = {
  python: `
import signal, time
for name in ('SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1'): signal.signal(getattr(signal, name), signal.SIG_IGN)
print('before', flush=True)
time.sleep(60)`,
  javascript: `
for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT']) process.on(name, () => {});
console.log('before');
setTimeout(() => {}, 60_000);`,
};

/** Leaves a daemon behind: forked twice, in a session of its own, deaf to signals; then ends or sleeps. */
export function daemon(then: 'end' | 'sleep'): Program {
  const shell = `(trap "" TERM INT HUP; setsid sh -c "trap \\"\\" TERM HUP; sleep 61; sleep 61" >/dev/null 2>&1 &)`;
  return {
    python: `
import subprocess, time
subprocess.run(['sh', '-c', ${JSON.stringify(shell)}])
print('before', flush=True)
${then === 'sleep' ? 'time.sleep(60)' : ''}`,
    javascript: `
import { spawnSync } from 'node:child_process';
spawnSync('sh', ['-c', ${JSON.stringify(shell)}]);
console.log('before');
${then === 'sleep' ? 'setTimeout(() => {}, 60_000);' : ''}`,
  };
}

/** Ends at once and leaves a child that holds its standard output open. */
export const HOLD_STDOUT: Program = {
  python: `
import subprocess
subprocess.Popen(['sleep', '60'])
print('done')`,
  javascript: `
import { spawn } from 'node:child_process';
spawn('sleep', ['60'], { stdio: 'inherit' }).unref();
console.log('done');
process.exit(0);`,
};

/** Prints a number every few milliseconds. */
export function count(to: number, everyMs: number): Program {
  return {
    python: `
import time
for i in range(1, ${to} + 1):
    print(i)
    time.sleep(${everyMs / 1000})`,
    javascript: `
for (let i = 1; i <= ${to}; i++) {
  console.log(i);
  await new Promise(resolve => setTimeout(resolve, ${everyMs}));
}`,
  };
}
