import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { BASE_ENV } from '../../../src/runtimes/base-env.ts';
import type { Runtimes } from '../../../src/runtimes/index.ts';
import type { PooledRuntime } from '../../../src/runtimes/pool/pooled-runtime.ts';
import type { Sandbox } from '../../../src/sandbox.ts';
import { NO_PERMISSIONS } from '../../../src/toolchains/toolchain.ts';
import { LIMITS, specFor, startRuntimes } from './support.ts';

/** Programs of Bun that are forked, against those that it starts afresh in a sandbox that waits: a program can't tell them apart. */
const [FORKED, STARTED] = [1, 2].map(() => `bun${randomBytes(5).toString('hex')}`) as [string, string];
const POOLS = 3;

let forked: Runtimes;
let started: Runtimes;
beforeAll(async () => {
  forked = await startRuntimes({ instance: FORKED, runtimes: ['Bun'], poolSize: 1 });
  started = await startRuntimes({ instance: STARTED, runtimes: ['Bun'], poolSize: 0 });
});
afterAll(async () => {
  await forked?.[Symbol.asyncDispose]();
  await started?.[Symbol.asyncDispose]();
});

const bunOf = ({ all }: Runtimes) => all[0] as PooledRuntime;

async function open(runtimes: Runtimes): Promise<Sandbox> {
  const bun = bunOf(runtimes);
  if (runtimes === forked) await vi.waitFor(() => expect(bun.waiting).toBe(POOLS), 60_000);
  return bun.create(specFor(bun, 'typescript', 'program', LIMITS));
}

interface Said {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
  readonly signal: string | null;
}

async function program(runtimes: Runtimes, code: string, files: Record<string, string> = {}): Promise<Said> {
  await using sandbox = await open(runtimes);
  const all = { ...files, 'main.ts': code };
  for (const [name, text] of Object.entries(all))
    await sandbox.files.write(`/workspace/${name}`, Buffer.from(text));
  const { toolchain } = specFor(bunOf(runtimes), 'typescript', 'program');
  const process = await sandbox.spawn({
    argv: [...toolchain.run('/workspace/main.ts', NO_PERMISSIONS), 'one', '--two'],
    cwd: '/workspace',
    env: { ...BASE_ENV, ...sandbox.environment },
    stdin: Buffer.from('typed'),
  });
  const said = { stdout: '', stderr: '' };
  for await (const event of process.events) {
    if (event.type === 'output') said[event.stream] += Buffer.from(event.data).toString();
    if (event.type === 'exit') return { ...said, code: event.code, signal: event.signal };
  }
  throw new Error('no exit');
}

async function both(code: string, files?: Record<string, string>): Promise<[Said, Said]> {
  return [await program(forked, code, files), await program(started, code, files)];
}

/** What a process can find out about itself and its place; numbers that differ from run to run are left out. */
const REPORT = `
import { readFileSync, readdirSync, readlinkSync, existsSync } from 'node:fs';
import os from 'node:os';
import { text as other } from './folder/other.ts';
import data from './data.json';
const text = (path: string) => readFileSync(path, 'utf8');
const answer = (work: () => unknown) => { try { return work(); } catch (problem) { return (problem as NodeJS.ErrnoException).code; } };
const status = Object.fromEntries(text('/proc/self/status').trim().split('\\n').map(line => line.split(':\\t')));
const names = 'Name Umask Groups Uid Gid SigBlk SigIgn SigCgt CapInh CapPrm CapEff CapBnd CapAmb NoNewPrivs Seccomp'.split(' ');
const descriptors = ['0', '1', '2'].map(fd => readlinkSync('/proc/self/fd/' + fd).replace(/\\d+/g, ''));
console.log(JSON.stringify({
  status: names.map(name => [name, status[name]]),
  mounts: text('/proc/self/mountinfo').trim().split('\\n').map(line => line.split(' ').slice(4).join(' ')).sort(),
  descriptors,
  maps: [...['uid_map', 'gid_map'].map(name => text('/proc/self/' + name).trim().split(/ +/).with(1, '')), text('/proc/self/setgroups')],
  limits: text('/proc/self/limits'),
  scores: [text('/proc/self/oom_score_adj'), os.getPriority(), process.ppid],
  session: text('/proc/self/stat').split(') ')[1].split(' ').slice(2, 6).map(number => Number(number) === process.pid),
  own: [text('/proc/self/environ').split('\\0').sort(), readlinkSync('/proc/self/exe'), text('/proc/self/cmdline').split('\\0').filter(word => !['--preload', '/usr/local/lib/codebeaker/prewarm/bun/hold.js', 'one', '--two'].includes(word))],
  agent: [answer(() => text('/proc/1/environ')), answer(() => readdirSync('/proc/1/fd')), answer(() => text('/proc/1/maps'))],
  cgroup: text('/proc/self/cgroup'),
  host: os.hostname(), processors: [os.cpus().length, os.availableParallelism(), navigator.hardwareConcurrency], memory: os.totalmem(),
  argv: process.argv, execArgv: process.execArgv, path: process.execPath, environment: Object.entries(process.env).sort(), title: process.title,
  main: [Bun.main, import.meta.main, import.meta.path, import.meta.dir, import.meta.url, process.cwd()], globals: Object.getOwnPropertyNames(globalThis).sort(),
  process: Object.getOwnPropertyNames(process).sort(), handlers: process.eventNames(), cache: Object.keys(require.cache),
  modules: [other, data, existsSync('/workspace/none'), answer(() => require('nothing-of-this-name'))],
  children: [Bun.spawnSync(['env']).stdout.toString().split('\\n').sort(), Bun.spawnSync(['sh', '-c', 'ulimit -n; kill -PIPE $$']).signalCode],
  input: await Bun.stdin.text(), fixed: new Date(0).toString(), locale: Intl.DateTimeFormat().resolvedOptions(),
  stack: new Error('here').stack, features: [typeof Bun.jest, Bun.version, Bun.isMainThread],
}, null, 1));
throw new TypeError('the end');
`;
const FILES = { 'folder/other.ts': 'export const text: string = "other";', 'data.json': '[1]' };

test('they are children of one interpreter, whose layout of addresses they share', async () => {
  const stack = async (runtimes: Runtimes) => {
    const { stdout } = await program(runtimes, 'console.log(await Bun.file("/proc/self/maps").text())');
    return /^.*\[stack\]$/m.exec(stdout)![0];
  };
  // The first ones may be made before there is an interpreter to fork.
  await vi.waitFor(async () => expect(await stack(forked)).toBe(await stack(forked)), 60_000);
  expect(await stack(started)).not.toBe(await stack(started));
});

test('a program sees in one what it sees in the other', async () => {
  const [seen, usual] = await both(REPORT, FILES);
  expect(JSON.parse(seen.stdout)).toEqual(JSON.parse(usual.stdout));
  expect({ ...seen, stdout: '' }).toEqual({ ...usual, stdout: '' });
  expect(usual).toMatchObject({ code: 1, stderr: expect.stringContaining('TypeError: the end') });
});

test('threads, timers, connections, children and stopped scripts work in one as in the other', async () => {
  const [seen, usual] = await both(`
import vm from 'node:vm';
import { Worker } from 'node:worker_threads';
import { gzipSync, gunzip } from 'node:zlib';
import { lookup } from 'node:dns/promises';
const server = Bun.serve({ port: 0, fetch: request => new Response('to ' + new URL(request.url).pathname) });
console.log(await (await fetch('http://localhost:' + server.port + '/x')).text());
await server.stop(true);
const child = Bun.spawn(['sh', '-c', 'cat; exit 3'], { stdin: 'pipe' });
child.stdin.write('to a child\\n');
child.stdin.end();
console.log(await new Response(child.stdout).text(), await child.exited);
const worker = new Worker('require("node:worker_threads").parentPort.postMessage(1); while (true);', { eval: true });
await new Promise(resolve => worker.once('message', resolve));
await worker.terminate();
try { vm.runInNewContext('while (true);', {}, { timeout: 20 }); } catch (error) { console.log(error.code); }
gunzip(gzipSync('x'.repeat(9)), (_, text) => console.log(String(text)));
let kept = [];
for (let i = 0; i < 1e6; i++) kept = i % 1e5 === 0 ? [] : [...kept.slice(-3), { i }];
Bun.gc(true);
function fibonacci(n: number): number { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }
console.log(kept.length, fibonacci(27), (await lookup('localhost')).address);
await new Promise(resolve => setTimeout(resolve, 5));
process.on('SIGUSR2', () => { console.log('a signal'); process.exit(4); });
setInterval(() => {}, 1000);
process.kill(process.pid, 'SIGUSR2');`);
  expect(seen).toEqual(usual);
  expect(usual).toMatchObject({
    code: 4,
    stderr: '',
    stdout: expect.stringContaining('ERR_SCRIPT_EXECUTION_TIMEOUT'),
  });
});

test('one is told by its C library which processor it runs on', async () => {
  const code = `
import { dlopen } from 'bun:ffi';
import { readFileSync } from 'node:fs';
const { symbols } = dlopen('libc.so.6', { sched_getcpu: { args: [], returns: 'int' } });
const own = () => Number(readFileSync('/proc/self/stat', 'utf8').split(') ')[1].split(' ')[36]);
console.log(Array.from({ length: 20 }).some(() => symbols.sched_getcpu() === own()));
`;
  // Each begins with the number of a processor that its parent was on, and so may be right by chance.
  for (let i = 0; i < 4; i++)
    expect(await program(forked, code)).toMatchObject({ stdout: 'true\n', code: 0 });
});

test('random numbers of two children differ, however they are drawn', async () => {
  const code = `
import { generateKeyPairSync, randomBytes, randomInt, randomUUID } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import vm from 'node:vm';
import { Worker } from 'node:worker_threads';
const form = new FormData();
form.append('a', 'b');
const worker = new Worker('require("node:worker_threads").parentPort.postMessage([Math.random(), crypto.randomUUID()]);', { eval: true });
const drawn = await new Promise(resolve => worker.once('message', resolve));
const server = Bun.serve({ port: 0, fetch: (request, server) => { asked.resolve(request.headers.get('sec-websocket-key')); server.upgrade(request); }, websocket: { message() {} } });
const asked = Promise.withResolvers();
new WebSocket('ws://localhost:' + server.port);
console.log(JSON.stringify([Math.random(), vm.runInNewContext('Math.random()'), crypto.randomUUID(), randomBytes(8), randomInt(2 ** 40), Bun.randomUUIDv7().slice(20),
  crypto.getRandomValues(new Uint32Array(2)), ...drawn, randomUUID(), mkdtempSync('/tmp/of'), new Response(form).headers.get('content-type'), await asked.promise,
  Bun.password.hashSync('a', { algorithm: 'bcrypt', cost: 4 }), generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }).x, new ShadowRealm().evaluate('Math.random()'),
  URL.createObjectURL(new Blob(['a'])), Bun.CSRF?.generate()]));
process.exit();`;
  const [one, other] = [await program(forked, code), await program(forked, code)].map(({ stdout }) =>
    JSON.parse(stdout),
  );
  for (const [i, drawn] of one.entries()) expect(drawn, `${i}`).not.toEqual(other[i]);
});
