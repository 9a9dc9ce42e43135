import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { BASE_ENV } from '../../../src/runtimes/base-env.ts';
import type { Runtimes } from '../../../src/runtimes/index.ts';
import type { PooledRuntime } from '../../../src/runtimes/pool/pooled-runtime.ts';
import type { Sandbox } from '../../../src/sandbox.ts';
import { LIMITS, processesOf, SPREADS, specFor, startRuntimes, threadsOf } from './support.ts';

/**
 * Sandboxes that are forked, and the Python in them, against those that bubblewrap and the interpreter's own start make: a
 * program can't tell them apart. The walls themselves are tried in test/security, which runs on forked ones.
 */
interface Way {
  readonly instance: string;
  readonly runtimes: Runtimes;
}

/** Sandboxes with next to nothing of the CPU, always on their way, and those that are made among them. */
const OTHERS = 16;
const TRIES = 6;

async function openWay(fork: boolean): Promise<Way> {
  const instance = `fork${randomBytes(5).toString('hex')}`;
  return { instance, runtimes: await startRuntimes({ instance, runtimes: ['Python'], poolSize: 1, fork }) };
}

let forked: Way;
let started: Way;
beforeAll(async () => {
  [forked, started] = [await openWay(true), await openWay(false)];
});
afterAll(async () => {
  await forked?.runtimes[Symbol.asyncDispose]();
  await started?.runtimes[Symbol.asyncDispose]();
});

/** Takes one with a Python that waits, and gives what the program says. */
async function program({ runtimes }: Way, code: string): Promise<string> {
  const python = runtimes.all[0] as PooledRuntime;
  await vi.waitFor(() => expect(python.waiting).toBe(2), 60_000);
  const sandbox = await python.create(specFor(python, 'python', 'program', LIMITS));
  try {
    await sandbox.files.write('/workspace/main.py', Buffer.from(code));
    return await run(sandbox, ['python3', '-B', '/workspace/main.py']);
  } finally {
    await sandbox.close();
  }
}

async function run(sandbox: Sandbox, argv: string[]): Promise<string> {
  const env = { ...BASE_ENV, ...sandbox.environment };
  const process = await sandbox.spawn({ argv, cwd: '/workspace', env, stdin: 'pipe' });
  process.endInput();
  let said = '';
  for await (const event of process.events)
    if (event.type === 'output') said += Buffer.from(event.data).toString();
  return said;
}

/** What a process can find out about itself and its place; numbers that differ from run to run are left out. */
const REPORT = `
import gc, json, os, re, resource, signal, socket, sys, threading
text = lambda path: open(path).read()
def answer(work):
    try: return work()
    except Exception as problem: return repr(problem)
status = {line.split(':')[0]: line.split()[1:] for line in text('/proc/self/status').splitlines() if line}
mounts = sorted(line.split(' ', 3)[3] for line in text('/proc/self/mountinfo').splitlines())
loopback = socket.create_server(('127.0.0.1', 0))
socket.create_connection(loopback.getsockname()).close()
loopback.close()
print(json.dumps({
  'status': {name: status[name] for name in 'Name Umask Groups Uid Gid SigQ SigBlk SigIgn SigCgt CapInh CapPrm CapEff CapBnd CapAmb NoNewPrivs Seccomp Seccomp_filters Threads'.split()
             if name not in ('SigQ',)},
  'mounts': mounts,
  'descriptors': {fd: re.sub(r'\\d+', '', answer(lambda: os.readlink('/proc/self/fd/' + fd))) for fd in sorted(os.listdir('/proc/self/fd'))},
  'maps': [text('/proc/self/' + name).split()[0::2] for name in ('uid_map', 'gid_map')] + [text('/proc/self/setgroups')],
  'limits': text('/proc/self/limits'),
  'scores': [text('/proc/self/oom_score_adj'), os.getpriority(os.PRIO_PROCESS, 0), os.getppid()],
  'session': [os.getsid(0) == os.getpid(), os.getpgrp() == os.getpid()],
  'own': [answer(lambda: len(text('/proc/self/environ')) > 0), answer(lambda: len(text('/proc/self/maps')) > 0), os.readlink('/proc/self/exe')],
  'agent': [answer(lambda: text('/proc/1/environ')), answer(lambda: os.listdir('/proc/1/fd')), answer(lambda: text('/proc/1/maps'))],
  'cgroup': text('/proc/self/cgroup'), 'host': os.uname().nodename, 'links': sorted(os.listdir('/sys/class/net')) if os.path.exists('/sys') else None,
  'network': [answer(lambda: text('/proc/sys/net/' + name)) for name in ('core/somaxconn', 'ipv4/tcp_rmem', 'ipv4/tcp_max_tw_buckets')],
  'command': text('/proc/self/cmdline'), 'argv': sys.argv, 'orig': sys.orig_argv, 'flags': str(sys.flags), 'path': sys.path,
  'modules': sorted(sys.modules), 'main': sorted(vars(sys.modules['__main__'])), 'environment': dict(os.environ),
  'streams': [[stream.fileno(), stream.line_buffering, stream.encoding, stream.errors, stream.isatty()] for stream in (sys.stdin, sys.stdout, sys.stderr)],
  'handlers': [str(signal.getsignal(n)) for n in range(1, 32)], 'thread': threading.main_thread().name, 'collecting': [gc.isenabled(), gc.get_threshold()],
}, indent=1))`;

test('a program sees in one what it sees in the other', async () => {
  const seen = JSON.parse(await program(forked, REPORT));
  expect(seen.status).toMatchObject({ CapBnd: ['0000000000000000'], Seccomp: ['2'] });
  // Only a forked one is shown its limits there, by files that its disk has room of their own for.
  const figures = (mount: string) => /^\S+ \/proc\/(meminfo|stat|cpuinfo) ro,/.test(mount);
  expect(seen.mounts.filter(figures)).toHaveLength(3);
  const mounts = seen.mounts
    .filter((mount: string) => !figures(mount))
    .map((mount: string) => mount.replace('size=98496k,nr_inodes=65540', 'size=98304k,nr_inodes=65536'));
  expect({ ...seen, mounts }).toEqual(JSON.parse(await program(started, REPORT)));
});

test('a forked program is in the control groups of its sandbox, with all that it starts', async () => {
  const python = forked.runtimes.all[0] as PooledRuntime;
  await vi.waitFor(() => expect(python.waiting).toBe(2), 60_000);
  await using sandbox = await python.create(specFor(python, 'python', 'program', LIMITS));
  await sandbox.files.write('/workspace/main.py', Buffer.from(SPREADS));
  const env = { ...BASE_ENV, ...sandbox.environment };
  const argv = ['python3', '-B', '/workspace/main.py'];
  const { events } = await sandbox.spawn({ argv, cwd: '/workspace', env, stdin: 'none' });
  expect((await events[Symbol.asyncIterator]().next()).value).toMatchObject({ type: 'output' });
  const { all, outside } = threadsOf(forked.instance);
  expect(all).toBeGreaterThanOrEqual(5);
  expect(outside).toEqual([]);
});

test('children of one interpreter share its hash seed, and none do without forking', async () => {
  const seeds = async (way: Way) =>
    new Set([await program(way, 'print(hash("x"))'), await program(way, 'print(hash("x"))')]);
  // The first ones may be made before there is an interpreter to fork.
  await vi.waitFor(async () => expect((await seeds(forked)).size).toBe(1), 60_000);
  expect((await seeds(started)).size).toBe(2);
});

test('what the interpreter loaded to fork itself a program loads for itself', async () => {
  const code = `
import ctypes, subprocess, threading, multiprocessing, random, gc
print(ctypes.CDLL(None).getpid() > 1, ctypes.sizeof(ctypes.c_long), ctypes.string_at(b'text'))
print(subprocess.run(['sh', '-c', 'ulimit -n; kill -PIPE $$'], capture_output=True))
threads = [threading.Thread(target=print, args=('thread',)) for _ in range(2)]
for thread in threads: thread.start(); thread.join()
with multiprocessing.Pool(2) as pool: print(pool.map(abs, [-1, -2]))
print(gc.collect() >= 0)`;
  const said = await program(forked, code);
  expect(said).toBe(await program(started, code));
  expect(said).toContain('[1, 2]');
});

test('a child that waits has its own copies of nearly all that it will write', async () => {
  const shared = async () => {
    const rollup = await program(forked, "print(open('/proc/self/smaps_rollup').read())");
    return Number(/^Shared_Dirty: +(\d+) kB$/m.exec(rollup)![1]);
  };
  // Of some six megabytes; one by one a short program has copied half of them.
  expect(await shared()).toBeLessThan(512);
});

test('random numbers of two children differ', async () => {
  const code = 'import os, random, uuid; print(random.random(), os.urandom(8), uuid.uuid4())';
  expect(await program(forked, code)).not.toBe(await program(forked, code));
});

test('sandboxes with next to nothing of the CPU keep no other one waiting', async () => {
  const python = forked.runtimes.all[0] as PooledRuntime;
  const create = async (cpus: number) => {
    const limits = { ...LIMITS, cpus };
    const sandbox = await python.create(specFor(python, 'python', 'program', limits));
    try {
      return await run(sandbox, ['echo', 'here']);
    } finally {
      await sandbox.close();
    }
  };
  const pending = new Set<object>();
  let enough = false;
  let made = 0;
  const slowly = async () => {
    while (!enough) {
      const mark = {};
      pending.add(mark);
      await create(0.01).catch(() => {});
      pending.delete(mark);
      made++;
    }
  };
  const others = Array.from({ length: OTHERS }, slowly);
  await vi.waitFor(() => expect(made).toBeGreaterThan(0), 60_000);
  // How often all that had begun before it end before it: always where each waits for those before it, and seldom by themselves.
  let waitedForAll = 0;
  for (let i = 0; i < TRIES; i++) {
    const before = [...pending];
    expect(await create(1)).toBe('here\n');
    if (before.every(mark => !pending.has(mark))) waitedForAll++;
  }
  enough = true;
  expect(waitedForAll).toBeLessThan((TRIES * 2) / 3);
  await Promise.all(others);
});

describe('a dead', () => {
  const waiting = (argument: string) =>
    processesOf(forked.instance).filter(({ uid, command }) => uid === 0 && command.includes(argument));

  test('interpreter is done without, and its children live on', async () => {
    expect(await program(forked, 'print("here")')).toBe('here\n');
    // While a child is on its way into a sandbox, it looks the same.
    const interpreter = await vi.waitFor(() => {
      const found = waiting('main.py');
      expect(found).toHaveLength(1);
      return found[0]!;
    }, 60_000);
    const python = forked.runtimes.all[0] as PooledRuntime;
    const sandbox = await python.create(specFor(python, 'python', 'session', LIMITS));
    process.kill(interpreter.pid, 'SIGKILL');
    expect(await run(sandbox, ['echo', 'alive'])).toBe('alive\n');
    await sandbox.close();
    expect(await program(forked, 'print("still")')).toBe('still\n');
    expect(await program(forked, 'print("here")')).toBe('here\n');
  });

  test('zygote ends its sandboxes, and the next launcher has another', async () => {
    const python = forked.runtimes.all[0] as PooledRuntime;
    const sandbox = await python.create(specFor(python, 'python', 'program', LIMITS));
    const [agent] = processesOf(forked.instance).filter(({ command }) =>
      command.includes('codebeaker/agent'),
    );
    const zygote = /^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${agent!.pid}/status`, 'utf8'))![1];
    process.kill(Number(zygote), 'SIGKILL');
    expect(await sandbox.lost).toMatchObject({ name: 'SandboxLost', outOfMemory: false });
    await vi.waitFor(async () => expect(await program(forked, 'print("again")')).toBe('again\n'), 60_000);
    await sandbox.close();
  });
});
