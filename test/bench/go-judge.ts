import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { http } from '../support/rest-client.ts';
import { BUN_DIRECTORY } from './bare.ts';

/** Bytes of output and of memory, nanoseconds and processes that a run of the rival's may have: what ours have by default. */
const LIMITS = { cpuLimit: 30e9, clockLimit: 30e9, memoryLimit: 512 * 2 ** 20, procLimit: 128 };
const MAX_OUTPUT = 2 ** 20;
const STARTS_MS = 10_000;

/**
 * The judge that others are measured by (https://github.com/criyle/go-judge), started from the binary that
 * CODEBEAKER_BENCH_GO_JUDGE names; null when it names none. It needs root, as its documentation says.
 */
export async function startGoJudge(parallelism: number): Promise<GoJudge | null> {
  const binary = process.env.CODEBEAKER_BENCH_GO_JUDGE;
  if (!binary) return null;
  const directory = mkdtempSync(join(tmpdir(), 'bench-go-judge-'));
  writeFileSync(join(directory, 'mount.yaml'), MOUNTS);
  const port = await freePort();
  const flags = ['-http-addr', `127.0.0.1:${port}`, '-mount-conf', 'mount.yaml', '-silent'];
  const counts = ['-parallelism', String(parallelism), '-pre-fork', String(parallelism)];
  const child = spawn(binary, [...flags, ...counts], {
    cwd: directory,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const close = async () => {
    const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : null;
    child.kill();
    await ended;
    rmSync(directory, { recursive: true });
  };
  const url = `http://127.0.0.1:${port}`;
  for (let waited = 0; ; waited += 50) {
    const version = await http(`${url}/version`).catch(() => null);
    if (version) return { url, version: String(version.body.buildVersion), close };
    if (waited > STARTS_MS || child.exitCode !== null) {
      await close();
      throw new Error(`${binary} did not start`);
    }
    await sleep(50);
  }
}

export interface GoJudge {
  readonly url: string;
  readonly version: string;
  close(): Promise<void>;
}

/** A run in a container of the rival's, of a program that is sent along. @throws when it did not end well */
export async function judge(
  { url }: GoJudge,
  args: readonly string[],
  file?: string,
  text?: string,
): Promise<void> {
  const command = {
    args,
    env: ['PATH=/usr/bin:/bin'],
    files: [{ content: '' }, { name: 'stdout', max: MAX_OUTPUT }, { name: 'stderr', max: MAX_OUTPUT }],
    copyIn: file ? { [file]: { content: text } } : {},
    ...LIMITS,
  };
  const { body } = await http(`${url}/run`, 'POST', { cmd: [command] });
  if (body[0]?.status !== 'Accepted') throw new Error(JSON.stringify(body));
}

/** What its containers show: the system's directories, Bun's, and two of their own. */
const bound = (path: string, target = path) =>
  `  - {type: bind, source: ${path}, target: ${target}, readonly: true}`;
const MOUNTS = `mount:
${['/bin', '/lib', '/lib64', '/usr'].map(path => bound(path)).join('\n')}
${bound(BUN_DIRECTORY, '/bun')}
  - {type: bind, source: /dev/null, target: /dev/null}
  - {type: bind, source: /dev/urandom, target: /dev/urandom}
  - {type: tmpfs, target: /w, data: "size=128m,nr_inodes=4k"}
  - {type: tmpfs, target: /tmp, data: "size=128m,nr_inodes=4k"}
proc: true
workDir: /w
hostName: judge
uid: 1536
gid: 1536
`;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}
