import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, describe, test as everywhere, expect, vi } from 'vitest';
import { FAKETIME, needs } from '../support/needs.ts';
import { executionPrints, executionUntil, http, runOnce } from '../support/rest-client.ts';
import { TestSession } from '../support/session.ts';
import { type RunningServer, type StartOptions, startServer } from '../support/start-server.ts';
import { familyOf, mark, remains, vanishes } from '../support/traces.ts';

/**
 * What the service stands on gives way: its zygote, an agent, its disk, its database, its descriptors, its clock. It
 * says so, loses nothing that it has told, and is well again by itself. Containers: see dead-engine.test.ts.
 */
/** At once, on a machine that is busy. */
const HEALTH_MS = 10_000;
const HELLO = { language: 'python', code: 'print(1)' };
const SLEEP = { language: 'python', code: 'import time; print("before", flush=True); time.sleep(60)' };

const ended: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

async function start(options: StartOptions = {}): Promise<RunningServer> {
  const env = { CODEBEAKER_RUNTIMES: 'Python', ...options.env };
  const server = await startServer({ ...options, env });
  ended.push(() => server.stop());
  return server;
}

/** One for what leaves a server as well as it was; its pools make nothing, so that what is killed or runs out is a test's own. */
let common: RunningServer | undefined;
const shared = async () =>
  (common ??= await startServer({ env: { CODEBEAKER_RUNTIMES: 'Python', CODEBEAKER_POOL_SIZE: '0' } }));
afterAll(() => common?.stop());

/** @throws when health does not answer at once */
async function health({ url }: RunningServer) {
  const answer = await fetch(`${url}/health`, { signal: AbortSignal.timeout(HEALTH_MS) });
  return (await answer.json()) as { status: string; store: string | null };
}

async function isWell(server: RunningServer): Promise<void> {
  await vi.waitFor(
    async () => {
      expect(await runOnce(server.url, HELLO)).toMatchObject({ outcome: 'ok', stdout: '1\n' });
      expect(await health(server)).toMatchObject({ status: 'healthy', store: null });
    },
    { timeout: 60_000, interval: 200 },
  );
}

async function begun(server: RunningServer): Promise<string> {
  const { body } = await http(`${server.url}/api/execution`, 'POST', SLEEP);
  await executionPrints(server.url, body.executionId, 'before');
  return body.executionId;
}

function processesNamed({ pid }: RunningServer, word: string): number[] {
  return familyOf(pid)
    .processes.map(process => process.pid)
    .filter(id => {
      try {
        return readFileSync(`/proc/${id}/cmdline`, 'utf8').includes(word);
      } catch {
        return false;
      }
    });
}

const agents = (server: RunningServer) => processesNamed(server, 'codebeaker/agent');

describe('a process', () => {
  everywhere('the zygote killed costs what ran, which is told, and nothing of it stays', async () => {
    const server = await shared();
    const id = await begun(server);
    const session = await TestSession.open(server.wsUrl, { language: 'python' });
    ended.push(() => session[Symbol.asyncDispose]());
    await session.prints('x = 1');
    const family = familyOf(server.pid);
    const [zygote] = processesNamed(server, '/agent\0zygote');
    process.kill(zygote!, 'SIGKILL');
    expect(await executionUntil(server.url, id, e => e.completedAt !== null)).toMatchObject({
      status: 'failed',
      outcome: 'sandbox_lost',
    });
    await health(server);
    await expect(session.cell('x')).rejects.toMatchObject({ data: { code: 'SESSION_NOT_FOUND' } });
    await isWell(server);
    const lost = { ...family, processes: family.processes.filter(({ pid }) => pid !== server.pid) };
    expect(await vanishes(() => remains(lost).filter(what => !what.includes('node')))).toEqual([]);
  });

  everywhere('an agent killed costs its own sandbox and no other', async () => {
    const server = await shared();
    await using other = await TestSession.open(server.wsUrl, { language: 'python' });
    await other.prints('x = 42');
    const before = new Set(agents(server));
    const id = await begun(server);
    for (const pid of agents(server)) if (!before.has(pid)) process.kill(pid, 'SIGKILL');
    const end = await executionUntil(server.url, id, e => e.completedAt !== null);
    expect(end).toMatchObject({ status: 'failed', outcome: 'sandbox_lost', stdout: 'before\n' });
    expect(await other.prints('print(x)')).toBe('42\n');
    await isWell(server);
  });
});

describe('a disk', () => {
  needs('root')('that is full keeps runs out with 503, and sessions go on', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'codebeaker-full-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', dataDir]);
    ended.push(() => {
      execFileSync('umount', ['--lazy', dataDir]);
      rmSync(dataDir, { recursive: true });
    });
    const server = await startServer({ dataDir, env: { CODEBEAKER_RUNTIMES: 'Python' } });
    ended.push(() => server.kill9());
    const kept = await runOnce(server.url, HELLO);
    const filler = join(dataDir, 'filler');
    try {
      writeFileSync(filler, Buffer.alloc(16 * 1024 * 1024));
    } catch {
      // It takes what there is room for.
    }
    await vi.waitFor(async () => {
      const { status, body, headers } = await http(`${server.url}/api/execution`, 'POST', {
        ...HELLO,
        code: `print(${JSON.stringify('x'.repeat(90_000))})`,
      });
      expect(status).toBe(503);
      expect(body).toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
      expect(body.message).not.toContain(dataDir);
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    }, 60_000);
    expect(await health(server)).toMatchObject({ status: 'degraded', store: expect.stringMatching(/full/) });
    await using session = await TestSession.open(server.wsUrl, { language: 'python' });
    expect(await session.prints('print(2)')).toBe('2\n');
    unlinkSync(filler);
    await isWell(server);
    expect((await http(`${server.url}/api/execution/${kept.executionId}`)).body).toEqual(kept);
  });
});

describe('a database', () => {
  everywhere('that another process holds for a while holds up no health and loses nothing', async () => {
    const server = await shared();
    const other = new DatabaseSync(join(server.dataDir, 'executions.sqlite'));
    other.exec('BEGIN IMMEDIATE');
    const answer = runOnce(server.url, HELLO);
    for (let i = 0; i < 5; i++) {
      await health(server);
      await new Promise(resolve => setTimeout(resolve, 200));
    }
    other.exec('ROLLBACK');
    other.close();
    const end = await answer;
    expect(end).toMatchObject({ outcome: 'ok' });
    expect((await http(`${server.url}/api/execution/${end.executionId}`)).body).toEqual(end);
  });

  everywhere(
    'that is no database any more is set aside at the start, and one that was deleted is begun anew',
    async () => {
      const dataDir = mkdtempSync(join(tmpdir(), 'codebeaker-corrupt-'));
      mkdirSync(dataDir, { recursive: true });
      for (const name of ['executions.sqlite', 'server.sqlite'])
        writeFileSync(join(dataDir, name), 'nonsense '.repeat(1000));
      const server = await start({ dataDir });
      await isWell(server);
      const aside = readdirSync(dataDir).filter(name => name.includes('.corrupt-'));
      expect(aside).toHaveLength(2);
      expect(readFileSync(join(dataDir, aside[0]!), 'utf8')).toContain('nonsense');
      for (const suffix of ['', '-wal', '-shm'])
        rmSync(join(dataDir, `executions.sqlite${suffix}`), { force: true });
      const end = await runOnce(server.url, HELLO);
      await server.kill9();
      const again = await start({ dataDir });
      expect((await http(`${again.url}/api/execution/${end.executionId}`)).body).toEqual(end);
    },
  );
});

describe('descriptors', () => {
  everywhere('that run out end no server, and what was taken goes on', async () => {
    // The last of it: the limit stays. Pools that still fill would take, for a minute, each descriptor that clients have given back.
    const server = await shared();
    const trace = mark();
    await using session = await TestSession.open(server.wsUrl, {
      language: 'python',
      environment: trace.environment,
    });
    await session.prints('x = 1');
    const open = readdirSync(`/proc/${server.pid}/fd`).length;
    execFileSync('prlimit', ['--pid', String(server.pid), `--nofile=${open + 20}:${open + 20}`]);
    const { hostname, port } = new URL(server.url);
    const sockets: Socket[] = [];
    // One that can't be taken is closed by the server; and what it had open for a moment may make room for another.
    const connectMore = () => {
      for (let i = 0; i < 30; i++) sockets.push(connect(Number(port), hostname).on('error', () => {}));
    };
    // The server has taken what it can.
    await vi.waitFor(() => {
      connectMore();
      expect(readdirSync(`/proc/${server.pid}/fd`).length).toBeGreaterThanOrEqual(open + 20);
    }, 60_000);
    expect(await session.prints('print(x)')).toBe('1\n');
    // No descriptor is left for a new sandbox: an error in words, at once.
    const refused = await session.client
      .call('session.create', { language: 'python', environment: { A: '1' } })
      .catch((error: Error) => error);
    expect(JSON.stringify(refused)).not.toContain('-32603');
    for (const socket of sockets) socket.destroy();
    await isWell(server);
  });
});

describe('a clock', () => {
  needs('faketime')('set back an hour, or on by two, ends nothing early and nothing late', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'codebeaker-clock-'));
    ended.push(() => rmSync(directory, { recursive: true }));
    const clock = join(directory, 'clock');
    writeFileSync(clock, '+0');
    const server = await start({
      env: {
        LD_PRELOAD: FAKETIME,
        FAKETIME_TIMESTAMP_FILE: clock,
        FAKETIME_NO_CACHE: '1',
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
      },
    });
    await using session = await TestSession.open(server.wsUrl, { language: 'python' });
    await session.prints('x = 1');
    for (const shift of ['-3600', '+7200']) {
      const running = session.cell('import time; time.sleep(60)', { timeout: 2 });
      await new Promise(resolve => setTimeout(resolve, 500));
      writeFileSync(clock, shift);
      const { result } = await running;
      expect(result).toMatchObject({ outcome: 'wall_timeout' });
      expect(result.durationMs).toBeGreaterThan(1500);
      expect(result.durationMs).toBeLessThan(60_000);
      const now = Date.parse((await http(`${server.url}/api/session/${session.id}`)).body.lastActivity);
      expect(Math.abs(now - Date.now() - Number(shift) * 1000)).toBeLessThan(20_000);
    }
    // Long past its half hour without activity, by the clock.
    expect(await session.prints('print(x)')).toBe('1\n');
    await isWell(server);
  });
});
