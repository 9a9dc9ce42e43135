// biome-ignore-all lint/suspicious/noExplicitAny: whatever the service sends
import { http, runOnce } from '../support/rest-client.ts';
import { RpcClient } from '../support/rpc-client.ts';
import { TestSession } from '../support/session.ts';

/** Where deeds are done. */
export interface Place {
  readonly url: string;
  readonly wsUrl: string;
  readonly cells: readonly { language: string; runtimeType: string; name: string }[];
}

/** For what ends by itself, on a machine that is busy with it, seconds. */
const PATIENCE_S = 20;

export type Deed = (place: Place) => Promise<void>;

/** Throws when the service did not do what it should; a program may come to any of the ends that are named. */
export const DEEDS: readonly (readonly [name: string, deed: Deed])[] = [
  ['one-shot', one(['ok'], 'print("x" * 100)', 'console.log("x".repeat(100))')],
  ['uncaught error', one(['nonzero_exit'], 'raise ValueError', 'throw new Error()')],
  [
    'fork bomb',
    one(
      ['process_limit', 'wall_timeout', 'cpu_timeout', 'nonzero_exit', 'memory_limit'],
      'import os\nwhile True: os.fork()',
      'const { spawn } = require("child_process"); for (;;) spawn("sleep", ["9"]).on("error", () => {})',
    ),
  ],
  [
    'all the memory',
    one(
      ['memory_limit', 'nonzero_exit', 'signalled', 'wall_timeout', 'cpu_timeout'],
      'held = []\nwhile True: held.append(b"x" * (1 << 20))',
      'const held = []; for (;;) held.push(new Uint8Array(1 << 20).fill(1))',
    ),
  ],
  [
    'all the disk',
    one(
      ['disk_limit', 'nonzero_exit', 'wall_timeout', 'cpu_timeout'],
      'with open("f", "wb") as f:\n  while True: f.write(b"x" * (1 << 20))',
      'const fs = require("fs"); for (;;) fs.appendFileSync("f", "x".repeat(1 << 20))',
    ),
  ],
  [
    'output without end',
    one(
      // V8's heap may be full of what is to be printed before any limit of output is met.
      ['output_limit', 'wall_timeout', 'cpu_timeout', 'memory_limit'],
      'while True: print("x" * 65536)',
      'for (;;) console.log("x".repeat(65536))',
    ),
  ],
  ['endless loop', one(['wall_timeout', 'cpu_timeout'], 'while True: pass', 'for (;;);')],
  [
    'kill -9 -1',
    one(
      ['signalled', 'ok', 'nonzero_exit'],
      'import os; os.kill(-1, 9)',
      'require("child_process").execSync("kill -9 -1")',
    ),
  ],
  [
    'a daemon',
    one(
      ['ok'],
      'import subprocess; subprocess.Popen(["setsid", "sleep", "99"])',
      'require("child_process").spawn("setsid", ["sleep", "99"], { detached: true, stdio: "ignore" }).unref()',
    ),
  ],
  ['session', session],
  ['session left behind', abandoned],
  ['run left behind', leftRun],
  ['cancelled run', cancelled],
  ['nonsense', nonsense],
];

const pick = <T>(from: readonly T[]): T => from[Math.floor(Math.random() * from.length)]!;

function one(ends: readonly string[], python: string, javascript: string): Deed {
  return async ({ url, cells }) => {
    const { language, runtimeType, name } = pick(cells);
    const { outcome } = await runOnce(url, {
      language,
      runtimeType,
      code: language === 'python' ? python : javascript,
      config: { timeout: ends.includes('wall_timeout') ? 2 : PATIENCE_S, memoryLimit: 128 },
    });
    if (!ends.includes(outcome)) throw new Error(`${name}: ${outcome}`);
  };
}

async function session({ wsUrl, cells }: Place): Promise<void> {
  const { language, runtimeType } = pick(cells);
  await using opened = await TestSession.open(wsUrl, { language, runtimeType });
  await opened.done('write_file', { path: 'a/b', content: 'x'.repeat(10_000) });
  await opened.done('execute_code', { code: 'x = 20' });
  await opened.cell('throw_or_raise(');
  await opened.cell('x * x', { context: 'other' });
  const { results } = await opened.done('execute_code', { code: 'x + 22' });
  if (results[0]['text/plain'] !== '42') throw new Error(JSON.stringify(results));
  await opened.cell(language === 'python' ? 'while True: pass' : 'for (;;);', { timeout: 1 });
  await opened.done('execute_shell', { commandName: 'sleep', args: ['99'], background: true });
  const { content } = await opened.done('read_file', { path: 'a/b' });
  if (content.length !== 10_000) throw new Error(`${content.length} characters`);
}

/** Its session ends by itself, since nobody comes for it. */
async function abandoned({ wsUrl, cells }: Place): Promise<void> {
  const { language, runtimeType } = pick(cells);
  const config = { language, runtimeType, idleTimeoutMinutes: 0.1 };
  const client = await RpcClient.connect(wsUrl);
  await client.call('session.create', config).catch(notTooMany);
  client.socket.terminate();
}

async function leftRun({ wsUrl }: Place): Promise<void> {
  const client = await RpcClient.connect(wsUrl);
  client.request('execution.run', { language: 'python', code: 'import time; time.sleep(99)', stream: true });
  await client.notified(({ method }) => method === 'execution.started');
  client.socket.terminate();
}

async function cancelled({ url }: Place): Promise<void> {
  const request = { language: 'python', code: 'import time; time.sleep(99)' };
  const { body } = await http(`${url}/api/execution`, 'POST', request);
  const client = await RpcClient.connect(`${url.replace('http', 'ws')}/ws/jsonrpc`);
  const { status } = await client.call('execution.cancel', { executionId: body.executionId });
  await client.close();
  if (status !== 'cancelled') throw new Error(status);
}

async function nonsense({ url, wsUrl }: Place): Promise<void> {
  const { status } = await http(`${url}/api/execution`, 'POST', '{"language":');
  if (status !== 400) throw new Error(`${status}`);
  const client = await RpcClient.connect(wsUrl);
  client.send('[[[');
  await client.until(() => client.strays.length > 0);
  client.socket.terminate();
}

function notTooMany(error: any): void {
  if (error?.data?.code !== 'TOO_MANY_SESSIONS') throw error;
}
