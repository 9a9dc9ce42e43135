import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test, vi } from 'vitest';
import { HOLD_FILE } from '../../../src/agent/artifact.ts';
import { findInterpreters } from '../../../src/runtimes/interpreters.ts';
import { SandboxLibrary } from '../../../src/runtimes/library.ts';
import type { PooledRuntime } from '../../../src/runtimes/pool/pooled-runtime.ts';
import { NO_PERMISSIONS } from '../../../src/toolchains/toolchain.ts';
import { LIMITS, run, specFor, startRuntimes } from './support.ts';

/** Bun where it can't be held before its program, or not be forked: another one than that which the addon was made for. */
const HOLD = 'prewarm/bun';
const FIRST_PID = 2;

/** Runtimes whose library has something done to it, and what they tell operators. */
async function startWith(change: (directory: string) => void) {
  const dataDir = mkdtempSync(join(tmpdir(), 'codebeaker-test-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true }));
  change((await new SandboxLibrary(dataDir).get()).directory);
  const told: string[] = [];
  const spy = vi.spyOn(process.stderr, 'write').mockImplementation(text => told.push(String(text)) > 0);
  onTestFinished(() => spy.mockRestore());
  const instance = `bun${randomBytes(5).toString('hex')}`;
  const runtimes = await startRuntimes({ instance, dataDir, runtimes: ['Bun'], poolSize: 1 });
  onTestFinished(() => runtimes[Symbol.asyncDispose]());
  return { told, bun: runtimes.all[0] as PooledRuntime };
}

async function program(bun: PooledRuntime, code: string): Promise<string> {
  const spec = specFor(bun, 'typescript', 'program', LIMITS);
  await using sandbox = await bun.create(spec);
  await sandbox.files.write('/workspace/main.ts', Buffer.from(code));
  const { stdout } = await run(sandbox, ...spec.toolchain.run('/workspace/main.ts', NO_PERMISSIONS));
  return stdout;
}

test('a Bun that can not load the addon is started for its program, and soon for nothing else', async () => {
  const { told, bun } = await startWith(library => writeFileSync(join(library, HOLD, 'hold.node'), 'none'));
  expect(await program(bun, 'console.log("here")')).toBe('here\n');
  // Nothing has run in a sandbox before.
  const pid = async () => Number(await program(bun, 'console.log(process.pid)'));
  // Some of those sandboxes may have been made before, and one more is tried now and then.
  await vi.waitFor(async () => expect([await pid(), await pid()]).toEqual([FIRST_PID, FIRST_PID]), 60_000);
  expect(told.filter(line => line.includes('none can be forked'))).toEqual([
    expect.stringMatching(/^bun is started in each sandbox: .*hold\.node/),
  ]);
  expect(told.filter(line => line.includes('is started afresh for each run'))).toHaveLength(1);
});

test('one of an ordinary user refuses before its first child: it could not come back from that sandbox', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'codebeaker-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  copyFileSync(HOLD_FILE, join(folder, 'hold.node'));
  writeFileSync(join(folder, 'package.json'), '{"name":"reflect-metadata"}');
  writeFileSync(join(folder, 'hold.js'), 'process.dlopen({ exports: {} }, __dirname + "/hold.node");');
  writeFileSync(join(folder, 'main.js'), '');
  // Every right there and none on the machine, as an ordinary user's; who it is matters to files alone, which it must reach.
  const words = ['unshare', '--user', '--map-user=65534', '--map-group=65534', '--keep-caps'];
  const argv = [
    ...words,
    findInterpreters()!.bun,
    '--preload',
    join(folder, 'hold.js'),
    join(folder, 'main.js'),
  ];
  const fork = {
    sandbox: 'x',
    procs: [],
    members: '/dev/null',
    agent: 1,
    ends: [0, 1, 2, 3, -1],
    users: 5,
    uid: null,
  };
  const bun = spawn(argv[0]!, argv.slice(1), { stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'ignore'] });
  const control = bun.stdio[3] as Duplex;
  // It ends without having read all.
  control.on('error', () => {});
  control.write(`${JSON.stringify({ fork: { ...fork, cwd: '/' } })}\n`);
  expect(await text(bun.stderr!)).toBe('coming back from a sandbox (errno 1)\n');
});

test('a Bun that can not be forked waits in sandboxes, and it is told once', async () => {
  // By which it is loaded in the main thread.
  const { told, bun } = await startWith(library => rmSync(join(library, HOLD, 'package.json')));
  await vi.waitFor(async () => {
    expect(await program(bun, 'console.log("here")')).toBe('here\n');
    expect(told).not.toEqual([]);
  }, 60_000);
  expect(told).toEqual([
    expect.stringMatching(/^bun is started in each sandbox: .*without the other threads/),
  ]);
});
