import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BASE_ENV } from '../../../src/runtimes/base-env.ts';
import { fillExecution } from '../../../src/schemas/defaults.ts';
import { readRequest, runOneShot } from '../../../src/service/executions/one-shot.ts';
import { vanishes } from '../../support/traces.ts';
import {
  groupsOf,
  LIMITS,
  type Local,
  openLocal,
  processesOf,
  python,
  run,
  SPREADS,
  specFor,
  threadsOf,
} from './support.ts';

/** One local sandbox: what it can see, what it may use, and that closing it leaves nothing. */
let local: Local;
beforeAll(async () => {
  local = await openLocal();
});
afterAll(() => local[Symbol.asyncDispose]());

test('the probe ran an interpreter in a real sandbox', () => {
  const state = local.runtimes.all[0]!.state;
  expect(state).toMatchObject({ available: true, version: expect.stringMatching(/^3\.\d+/) });
  expect(state).toMatchObject({ startupMs: expect.any(Number), memoryMB: expect.any(Number) });
});

test('every interpreter is on its PATH', async () => {
  await using sandbox = await local.open({ memoryBytes: 512 << 20 });
  for (const name of ['bun', 'deno', 'node', 'python3']) {
    expect(await run(sandbox, name, '--version'), name).toMatchObject({ code: 0 });
  }
});

test('its mounts name no place of the host', async () => {
  await using sandbox = await local.open();
  const { stdout } = await run(sandbox, 'cat', '/proc/self/mountinfo');
  const shown = stdout
    .trim()
    .split('\n')
    .map(line => line.split(' '));
  expect(stdout).not.toContain(import.meta.dirname.split('/test/')[0]);
  expect(stdout).not.toMatch(/node_modules|cgroup|\/old/);
  const writable = shown.filter(fields => fields[5]!.startsWith('rw')).map(fields => fields[4]!);
  const devices = writable.filter(path => path.startsWith('/dev/') && path !== '/dev/shm');
  expect(writable.filter(path => !devices.includes(path)).sort()).toEqual([
    '/dev/shm',
    '/home/sandbox',
    '/proc',
    '/tmp',
    '/workspace',
  ]);
});

test('/workspace, /tmp, home and /dev/shm share one disk of half its memory', async () => {
  await using sandbox = await local.open({ memoryBytes: 192 << 20 });
  const { stdout } = await python(
    sandbox,
    `
import os
total = 0
for directory in ('/workspace', '/tmp', '/home/sandbox', '/dev/shm'):
    with open(directory + '/filler', 'wb', buffering=0) as f:
        try:
            for _ in range(30 if directory != '/dev/shm' else 999): total += f.write(b'x' * (1 << 20))
        except OSError as error: print(error.errno, directory)
print(total >> 20)`,
  );
  expect(stdout).toBe('28 /dev/shm\n96\n');
  expect(sandbox.diskFull()).toBe(true);
});

test('it holds no more than its inodes', async () => {
  await using sandbox = await local.open({ inodes: 1000 });
  const { stdout } = await python(
    sandbox,
    `
import os
made = 0
try:
    for made in range(2000): os.mkdir(f'/tmp/{made}')
except OSError as error: print(error.errno, 900 < made < 1000)`,
  );
  expect(stdout).toBe('28 True\n');
  expect(sandbox.diskFull()).toBe(true);
});

test('its programs may be 128 processes, whatever runs beside them', async () => {
  await using sandbox = await local.open();
  await sandbox.begin();
  const { stdout } = await python(
    sandbox,
    `
import os, time
made = 1
try:
    while True:
        if os.fork() == 0: time.sleep(60)
        made += 1
except BlockingIOError: print(made, flush=True)
os.kill(0, 9)`,
  );
  expect(Number(stdout)).toBe(128);
  expect((await sandbox.measure()).forksRefused).toBeGreaterThan(0);
});

test.for(['program', 'session'] as const)(
  'what programs of a %s start is in its control groups, each thread of it',
  async purpose => {
    const runtime = local.runtimes.all[0]!;
    await using sandbox = await runtime.create(specFor(runtime, 'python', purpose));
    const spec = {
      argv: ['python3', '-c', SPREADS],
      cwd: '/workspace',
      env: BASE_ENV,
      stdin: 'none',
    } as const;
    // In a session the second is one that is told from the first.
    for (const { events } of [await sandbox.spawn(spec), await sandbox.spawn(spec)])
      expect((await events[Symbol.asyncIterator]().next()).value).toMatchObject({ type: 'output' });
    const { all, outside } = threadsOf(local.instance);
    expect(all).toBeGreaterThanOrEqual(9);
    expect(outside).toEqual([]);
  },
);

test('it may have a terminal, and few of them', async () => {
  await using sandbox = await local.open();
  const { stdout } = await python(
    sandbox,
    `
import os, pty
pid, main = pty.fork()
if pid == 0: os.write(1, str(os.isatty(0)).encode()); os._exit(0)
print(os.read(main, 100).strip().decode())
held = []
try:
    while len(held) < 100: held.append(os.openpty())
except OSError as error: print(error.errno, len(held) < 20)`,
  );
  expect(stdout).toBe('True\n28 True\n');
});

test('the memory of all its programs can be lowered and restored, by several at once', async () => {
  await using sandbox = await local.open({ memoryBytes: 192 << 20 });
  const wanted = [64, 192, 64, 96].map(megabytes => sandbox.limitMemory(megabytes << 20));
  expect(await Promise.all(wanted)).toEqual([true, true, true, true]);
  const hungry = `held = b'x' * (120 << 20); print('held')`;
  expect(await python(sandbox, hungry)).toMatchObject({ stdout: '', signal: 'SIGKILL' });
  expect(await sandbox.limitMemory(192 << 20)).toBe(true);
  expect(await python(sandbox, hungry)).toMatchObject({ stdout: 'held\n' });
});

test('no two sandboxes are the same user of the machine, of two instances neither', async () => {
  await using other = await openLocal();
  const sandboxes = [await local.open(), await local.open(), await other.open()];
  const users = [local, other].flatMap(({ instance }) => processesOf(instance).map(({ uid }) => uid));
  if (process.getuid?.() === 0) {
    expect(new Set(users).size).toBe(3);
    expect(Math.min(...users)).toBeGreaterThanOrEqual(1_879_048_192);
  }
  await Promise.all(sandboxes.map(sandbox => sandbox.close()));
});

test.for([
  ['fork without end', `import os\nwhile True:\n    try: os.fork()\n    except OSError: pass`],
  [
    'have stopped themselves',
    `import os, signal\nfor _ in range(30): os.fork()if _ < 6 else 0\nos.kill(0, signal.SIGSTOP)`,
  ],
  ['got little of the CPU', `import os\nfor _ in range(6): os.fork()\nwhile True: pass`],
] as const)('closing it takes away programs that %s', async ([name, code]) => {
  const sandbox = await local.open(name.includes('CPU') ? { cpus: 0.05 } : {});
  await sandbox.spawn({
    argv: ['python3', '-c', code],
    cwd: '/workspace',
    env: { PATH: '/usr/bin' },
    stdin: 'none',
  });
  await new Promise(resolve => setTimeout(resolve, 300));
  await sandbox.close();
  expect(processesOf(local.instance)).toEqual([]);
  expect(groupsOf(local.instance)).toEqual([]);
});

test('closing it leaves no descriptor open', async () => {
  const count = () => readdirSync('/proc/self/fd').length;
  await (await local.open()).close();
  const before = count();
  for (let i = 0; i < 5; i++) await (await local.open()).close();
  expect(await vanishes(() => Array.from({ length: Math.max(0, count() - before) }))).toEqual([]);
});

test('its disk is as large as was asked, whatever its memory, and takes another size before its first use', async () => {
  const limits = { ...LIMITS, diskBytes: 24 << 20 };
  await using sandbox = await local.open(limits);
  const disk = "import os; disk = os.statvfs('/workspace'); print(disk.f_blocks * disk.f_frsize >> 20)";
  expect(await python(sandbox, disk)).toMatchObject({ stdout: '24\n' });
  expect(await sandbox.resize({ ...limits, diskBytes: 40 << 20 })).toBe(true);
  expect(await python(sandbox, disk)).toMatchObject({ stdout: '40\n' });
});

test('twenty are made at once', async () => {
  const sandboxes = await Promise.all(Array.from({ length: 20 }, () => local.open()));
  const said = await Promise.all(sandboxes.map((sandbox, i) => run(sandbox, 'echo', String(i))));
  expect(said.map(({ stdout }) => stdout)).toEqual(sandboxes.map((_, i) => `${i}\n`));
  await Promise.all(sandboxes.map(sandbox => sandbox.close()));
  expect(groupsOf(local.instance)).toEqual([]);
});

test('of a program behind a code file that has no room nothing is shown, whatever ran', async () => {
  const spec = specFor(local.runtimes.all[0]!, 'python', 'program');
  await using sandbox = await local.open({ diskBytes: 4 << 20 });
  const fill = `
with open('/workspace/sitecustomize.py', 'w') as f: f.write('open("/workspace/made", "w"); print("ran", flush=True)')
with open('/workspace/filler', 'wb', buffering=0) as f:
    try:
        while True: f.write(b'x' * 4096)
    except OSError as error: print(error.errno)`;
  expect(await python(sandbox, fill)).toMatchObject({ stdout: '28\n' });
  const request = { language: 'python', code: 'print("ran")', outputFiles: ['made'] };
  const filled = fillExecution(request, { maxTimeoutSeconds: 300, maxMemoryMB: 64 });
  const shot = readRequest(filled, { fileName: 'main.py', interactive: false, live: true });
  const shown: unknown[] = [];
  const environment = { PYTHONPATH: '/workspace' };
  const lease = {
    ...spec,
    runtime: local.runtimes.all[0]!,
    sandbox,
    environment,
    env: { ...BASE_ENV, ...environment },
  };
  const result = await runOneShot(
    { ...lease, permissions: { asked: undefined, variables: [], network: false } },
    shot,
    { maxOutputBytes: 1024, maxStreamBytes: 1024 },
    new AbortController().signal,
    {
      sink: (_, data) => void shown.push(data),
      around: work => work(),
      onStart: handle => void shown.push(handle),
      beforeFiles: async () => {},
      keepLarge: async () => new Map(),
    },
  );
  expect(result).toMatchObject({
    runResult: { outcome: 'disk_limit', stdout: '', exitCode: null },
    files: [],
    missingFiles: ['made'],
  });
  expect(shown).toEqual([]);
  // It was asked for all the same.
  await expect.poll(() => sandbox.files.stat('/workspace/made')).toMatchObject({ type: 'file' });
});
