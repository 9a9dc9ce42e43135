import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { freshBundle } from '../../src/bundle/fresh-bundle.mjs';
import { needs } from '../support/needs.ts';
import { failToStart, type RunningServer, startServer } from '../support/start-server.ts';
import { familyOf } from '../support/traces.ts';

/** What a newcomer reads in the terminal, from the first line on. */
const run = promisify(execFile);
const SERVER = join(import.meta.dirname, '../../src/server.mjs');
const COMPILED = join(import.meta.dirname, '../../node_modules/.cache/codebeaker');
const server = (args: string[], env: Record<string, string> = {}) =>
  run(process.execPath, [SERVER, ...args], { env });

test('a port that is taken is told before anything is made or tried', async () => {
  const port = new URL(inject('server').url).port;
  const directory = await mkdtemp(join(tmpdir(), 'codebeaker-test-'));
  const dataDir = join(directory, 'data');
  const { code, log } = await failToStart({ dataDir, env: { PORT: port } });
  expect(code).toBe(1);
  expect(log).toMatch(new RegExp(`^Port ${port} of 127\\.0\\.0\\.1 is in use: stop .* PORT=\\d+ npm start`));
  expect(log.trim().split('\n')).toHaveLength(1);
  expect(existsSync(dataDir)).toBe(false);
  await rm(directory, { recursive: true });
});

test('a HOST that is none of this machine’s is told by its name', async () => {
  const { code, log } = await failToStart({
    env: { PORT: '5039', HOST: '192.0.2.1', CODEBEAKER_API_KEYS: 'k' },
  });
  expect(code).toBe(1);
  expect(log).toMatch(/^HOST=192\.0\.2\.1 is no address of this machine/);
});

test('an option is refused with what is meant instead, and --settings lists the settings', async () => {
  const refused = await server(['--port', '80']).catch(error => error);
  expect(refused).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^--port is no option.*PORT=8080 npm start/),
  });
  const { stdout } = await server(['--settings'], { LOG_LEVEL: 'warn' });
  expect(stdout).toMatch(/^LOG_LEVEL=warn +# /m);
  expect(stdout).toMatch(/^CODEBEAKER_MAX_SESSIONS=1000 +# /m);
});

test('one that npm has started ends with npm', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'codebeaker-test-'));
  const env = { ...process.env, PORT: '0', CODEBEAKER_DATA_DIR: dataDir, CODEBEAKER_RUNTIMES: 'Python' };
  const npm = spawn('npm', ['start'], {
    cwd: join(SERVER, '../..'),
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let said = '';
  npm.stdout.on('data', text => {
    said += text;
  });
  await expect.poll(() => said).toContain('is ready');
  npm.kill('SIGTERM');
  // Not before the server is gone, which writes there.
  await once(npm, 'close');
  await rm(dataDir, { recursive: true });
});

/** Of the group that the scheduler weighs a process's session by, sched(7); null for none. */
const niceOf = (pid: number) => niceIn(readFileSync(`/proc/${pid}/autogroup`, 'utf8'));
function niceIn(autogroup: string): number | null {
  const [, nice] = /nice (-?\d+)/.exec(autogroup) ?? [];
  return nice === undefined ? null : Number(nice);
}

/** Where a source has changed since setup, a server runs from sources, and Node's own cache has what was compiled of those. */
async function keepsSources(): Promise<void> {
  // Without a data directory the start is over soon.
  const env = { NODE_DEBUG_NATIVE: 'COMPILE_CACHE', CODEBEAKER_DATA_DIR: '/dev/null/data' };
  await failToStart({ env });
  const { log } = await failToStart({ env });
  expect(log).toMatch(/V8 code cache for ESM \S+\/src\/start\.ts was accepted/);
}

describe('a server that is ready', () => {
  let started: RunningServer;
  beforeAll(async () => {
    started = await startServer({ leads: true });
  });
  afterAll(() => started.stop());

  test('keeps what was compiled for the next one', async () => {
    const bundle = freshBundle('src/server.ts');
    if (bundle === null) return keepsSources();
    const mark = crc32(readFileSync(new URL(bundle)));
    const kept = () =>
      readdirSync(COMPILED)
        .filter(name => /^server-\d+$/.test(name))
        .map(name => readFileSync(join(COMPILED, name)).readUInt32LE(0));
    await expect.poll(kept).toContain(mark);
  });

  test('has said where it starts, where it listens, what it runs with and how it is tried, and nothing else', () => {
    const lines = started.log().trim().split('\n');
    expect(lines[0]).toContain(`starts on ${started.url}`);
    expect(lines[1]).toMatch(/^CodeBeaker listens on \S+ and is ready after \d+\.\d s\.$/);
    expect(lines.filter(line => line.startsWith('{'))).toEqual([]);
    expect(lines.at(-2)).toContain(`${started.url}/`);
    expect(started.log()).toMatch(/^ *Python +3\.\d+\.\d+ +\d+ of 10 /m);
    expect(started.log()).toMatch(/^ *Bun +\d+\.\d+\.\d+ +\d+ of 10 /m);
  });

  test('has printed the settings that were made and no other', () => {
    const settings = [...started.log().matchAll(/^ {2}([A-Z_]+)=/gm)].map(([, name]) => name);
    expect(settings).toEqual([
      'HOST',
      'PORT',
      'CODEBEAKER_DATA_DIR',
      'CODEBEAKER_RUNTIMES',
      'CODEBEAKER_DRAIN_SECONDS',
    ]);
  });

  test('comes before what it has started where both want the CPU, as it leads its session', () => {
    // What this machine lets a process that leads its session say of itself. The one that tests run in may be in no group.
    const leader = (script: string) =>
      niceIn(execFileSync('setsid', ['--wait', 'sh', '-c', script], { encoding: 'utf8' }));
    const usual = leader('cat /proc/self/autogroup');
    const raised = leader('{ echo -10 > /proc/$$/autogroup; } 2> /dev/null; cat /proc/self/autogroup');
    expect(niceOf(started.pid)).toBe(raised);
    const others = familyOf(started.pid).processes.filter(({ pid }) => pid !== started.pid);
    expect(others.length).toBeGreaterThan(0);
    for (const { pid } of others) expect(niceOf(pid)).toBe(usual);
  });

  needs('curl')('answers the command that it printed, as printed', async () => {
    const [, command] = /(curl .*)$/.exec(started.log().trim())!;
    const { stdout } = await run('sh', ['-c', command!]);
    expect(JSON.parse(stdout)).toMatchObject({ status: 'completed', stdout: '42\n' });
  });
});
