// biome-ignore-all lint/suspicious/noExplicitAny: tests look into what a program saw
import { expect, inject } from 'vitest';
import type { Cell } from '../support/matrix.ts';
import { http, runOnce } from '../support/rest-client.ts';
import { mark, vanishes } from '../support/traces.ts';

/**
 * Runs a hostile Python program as a one-shot inside a runtime's sandbox, whatever language the runtime is for (every
 * sandbox has python3), and gives back what it printed as JSON. Afterwards the server must answer and nothing remain.
 */
export async function probe(cell: Cell, program: string, more: Record<string, unknown> = {}): Promise<any> {
  const end = await attack(cell, program, more);
  expect(end, end.stderr).toMatchObject({ outcome: 'ok' });
  return JSON.parse(end.stdout);
}

/** As {@link probe}, for programs that may come to any end; gives the execution. */
export async function attack(cell: Cell, program: string, more: Record<string, unknown> = {}): Promise<any> {
  const { url } = inject('server');
  const trace = mark();
  const end = await runOnce(url, {
    language: cell.language,
    runtimeType: cell.runtimeType,
    code: LOADER[cell.dialect],
    files: [{ path: 'probe.py', content: PRELUDE + program }],
    config: { timeout: 20, environment: trace.environment },
    ...more,
  });
  await serverIsWell();
  expect(await vanishes(trace.processes)).toEqual([]);
  return end;
}

/** The server answers, runs code and has no errors of its own to show for what happened. */
export async function serverIsWell(): Promise<void> {
  const { url } = inject('server');
  expect((await http(`${url}/health/ready`)).status).toBe(200);
  expect(await runOnce(url, { language: 'python', code: 'print(1)' })).toMatchObject({ stdout: '1\n' });
}

/** JavaScript's hands its place to Python, so that both dialects run the very same program. */
const LOADER = {
  python: `exec(compile(open('probe.py').read(), 'probe.py', 'exec'))`,
  javascript: `
import { spawnSync } from 'node:child_process';
const { status } = spawnSync('python3', ['probe.py'], { stdio: 'inherit' });
process.exit(status ?? 1);`,
};

const PRELUDE = `
import ctypes, errno, glob, json, os, platform, signal, socket, struct, subprocess, sys, time

def attempt(work):
    """What work() gives, or the name of the error it met."""
    try: return work()
    except OSError as error: return errno.errorcode.get(error.errno, str(error))
    except Exception as error: return type(error).__name__

def text(path, size=100_000):
    with open(path, 'rb') as file: return file.read(size).decode('latin1')

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long

def syscall(number, *args):
    """0 or more as 'done', otherwise the name of the error."""
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *[ctypes.c_void_p(a) if isinstance(a, int) else a for a in args])
    return 'done' if result >= 0 else errno.errorcode.get(ctypes.get_errno())
`;

/** Python that finds its kernel's socket as `F`, and speaks there. */
export const FIND_SOCKET = `
import os, stat
for fd in range(3, 1024):
    try:
        if stat.S_ISSOCK(os.fstat(fd).st_mode): F = fd
    except OSError: pass
def say(data):
    while data: data = data[os.write(F, data):]
`;
