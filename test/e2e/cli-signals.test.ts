import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { CodeBeaker, type Session } from '../../src/client/index.ts';
import { CLI, CLI_ENV, cli, startCli } from '../support/cli.ts';

/** The command line, told to end, looked on by a person, and with a key that others may read. */
const { url } = inject('server');
const env = { CODEBEAKER_URL: url };
const client = new CodeBeaker({ url });
let session: Session;
let directory: string;
beforeAll(async () => {
  session = await client.session({ language: 'python' });
  directory = mkdtempSync(join(tmpdir(), 'cli-signals-'));
});
afterAll(async () => {
  await session.close();
  client.close();
  rmSync(directory, { recursive: true });
});

/** Starts the command line, and gathers what it prints. */
function started(...args: string[]) {
  const child = startCli(args, env);
  let stdout = '';
  child.stdout.on('data', data => {
    stdout += String(data);
  });
  return {
    child,
    ended: once(child, 'close'),
    printed: (text: string) => expect.poll(() => stdout).toContain(text),
  };
}

test.each([
  ['SIGTERM', 143],
  ['SIGHUP', 129],
  ['SIGINT', 130],
] as const)('%s ends the program of a session, and the command as that does', async (signal, code) => {
  const run = started('exec', session.id, '--', 'sh', '-c', `echo began; exec sleep 6${code}`);
  await run.printed('began');
  run.child.kill(signal);
  expect(await run.ended).toEqual([code, null]);
  const left = () => session.shell('pgrep', ['-f', `sleep 6${code}`]);
  await expect.poll(async () => (await left()).stdout).toBe('');
});

test('logs go on with what comes, until they are left or the session has ended', async () => {
  await using own = await client.session({ language: 'python' });
  const [left, whole] = [started('logs', own.id, '-f'), started('logs', own.id, '-f')];
  for (const word of ['first', 'second']) {
    expect((await own.run(`print('${word}')`)).status).toBe('completed');
    await left.printed(word);
    await whole.printed(word);
  }
  left.child.kill('SIGTERM');
  expect(await left.ended).toEqual([143, null]);
  await own.close();
  expect(await whole.ended).toEqual([0, null]);
});

/** Runs a command in a terminal, and hands on what that shows. */
const IN_TERMINAL = 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))';

test('a terminal is shown how far a copy has come, until it has', async () => {
  const file = join(directory, 'file');
  writeFileSync(file, Buffer.alloc(5_000_000, 'x'), { mode: 0o640 });
  const onward = [process.execPath, CLI, 'cp', file, `${session.id}:file`];
  const { stdout } = await promisify(execFile)('/usr/bin/python3', ['-c', IN_TERMINAL, ...onward], {
    env: { ...CLI_ENV, ...env },
  });
  expect(stdout).toContain(' MB of 5.0 MB (');
  expect(stdout.endsWith('\r\x1b[K')).toBe(true);
  const back = join(directory, 'back');
  expect(await cli(['cp', `${session.id}:file`, back], { env })).toMatchObject({ code: 0, stderr: '' });
  expect(readFileSync(back).equals(readFileSync(file))).toBe(true);
  expect(statSync(back).mode & 0o777).toBe(0o640);
});

test('a file of a key that others may read is told', async () => {
  const file = join(directory, 'key');
  writeFileSync(file, 'key-of-ann-0001', { mode: 0o600 });
  const list = () => cli(['session', 'list', '--json', '--key-file', file], { env });
  expect((await list()).stderr).toBe('');
  chmodSync(file, 0o644);
  expect(await list()).toMatchObject({ code: 0, stderr: expect.stringContaining('chmod 600') });
});
