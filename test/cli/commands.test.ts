import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.ts';
import { helpOf } from '../../src/cli/help.ts';
import { CLI, cli } from '../support/cli.ts';
import { openHttp } from '../unit/support/open-http.ts';

/** What the command line says of servers, keys and itself. */
const KEY = 'key-of-ann-0001';
let door: Awaited<ReturnType<typeof openHttp>>;
let directory: string;
beforeAll(async () => {
  door = await openHttp({ CODEBEAKER_API_KEYS: KEY });
  directory = mkdtempSync(join(tmpdir(), 'cli-'));
  writeFileSync(join(directory, 'key'), `${KEY}\n`);
  writeFileSync(join(directory, 'main.py'), 'print(1)');
});
afterAll(async () => {
  await door.app.close();
  rmSync(directory, { recursive: true });
});

test('sessions are made, listed and closed with the key of a file, which is no argument', async () => {
  const server = ['--url', door.url, '--key-file', join(directory, 'key')];
  const made = await cli(['session', 'create', '-l', 'python', '--idle', '5', '-e', 'A=1', ...server]);
  expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/^[\da-f-]{36}\n$/) });
  const id = made.stdout.trim();
  const [listed, shown] = await Promise.all([
    cli(['session', 'list', ...server]),
    cli(['session', 'show', id, '--json', ...server]),
  ]);
  expect(listed.stdout).toMatch(new RegExp(`^session .*\\n${id}  python  .*\\n$`));
  expect(JSON.parse(shown.stdout)).toMatchObject({
    config: { idleTimeoutMinutes: 5, environment: { A: '1' } },
  });
  expect(await cli(['session', 'close', id, ...server])).toMatchObject({ code: 0 });
  const headers = { authorization: `Bearer ${KEY}` };
  expect((await fetch(`${door.url}/api/session/${id}`, { headers })).status).toBe(404);
});

test('a key that is missing is asked for, also where a WebSocket would not say so', async () => {
  const env = { CODEBEAKER_URL: door.url };
  const [missing, taken] = await Promise.all([
    cli(['run', join(directory, 'main.py')], { env }),
    cli(['keys', 'check', '--json'], { env: { ...env, CODEBEAKER_API_KEY: KEY } }),
  ]);
  expect(missing).toMatchObject({
    code: 77,
    stderr: expect.stringContaining('Set CODEBEAKER_API_KEY to one of the keys'),
  });
  expect(JSON.parse(taken.stdout)).toMatchObject({ asksForKey: true, taken: true });
});

test('where no server answers, and for a command that there is not, the cure is said', async () => {
  const [alone, misspelled] = await Promise.all([
    cli(['session', 'list', '--url', 'http://127.0.0.1:9']),
    cli(['rnu']),
  ]);
  expect(alone.code).toBe(69);
  expect(alone.stderr).toMatch(
    /^codebeaker: No answer from http:\/\/127\.0\.0\.1:9: .*\nStart a server with codebeaker serve/,
  );
  expect(misspelled).toMatchObject({ code: 64, stderr: expect.stringContaining('did you mean run?') });
});

test('doctor says of each thing whether it is there, and changes nothing', async () => {
  const place = join(directory, 'data');
  const { code, stdout } = await cli(['doctor', '--json'], { env: { CODEBEAKER_DATA_DIR: place } });
  const { ok, findings } = JSON.parse(stdout);
  expect(code).toBe(ok ? 0 : 1);
  expect(findings).toContainEqual(
    expect.objectContaining({ name: 'data directory', ok: true, detail: `${place}, which will be made` }),
  );
  expect(findings).toContainEqual(expect.objectContaining({ name: 'agent', ok: true }));
  expect(existsSync(place)).toBe(false);
});

test('serve lists its settings, with those that options give; a new key is one that a server takes', async () => {
  const env = { CODEBEAKER_URL: door.url, CODEBEAKER_API_KEY: KEY };
  const [settings, { stdout }] = await Promise.all([
    cli(['serve', '--settings', '--port', '8123'], { env }),
    cli(['keys', 'generate']),
  ]);
  expect(settings).toMatchObject({ code: 0, stdout: expect.stringMatching(/^PORT=8123 /m) });
  const other = await openHttp({ CODEBEAKER_API_KEYS: stdout.trim() });
  const headers = { authorization: `Bearer ${stdout.trim()}` };
  expect((await fetch(`${other.url}/api/language`, { headers })).status).toBe(200);
  await other.app.close();
});

test('that what is printed can’t be written is told', async () => {
  const full = openSync('/dev/full', 'w');
  const refused = spawn(process.execPath, [CLI, 'keys', 'generate'], { stdio: ['ignore', full, 'pipe'] });
  closeSync(full);
  const [words, [end]] = await Promise.all([buffer(refused.stderr!), once(refused, 'exit')]);
  expect([end, String(words)]).toEqual([
    70,
    "codebeaker: what is printed can't be written: the disk is full\n",
  ]);
});

test('every command has a help, and a line in the README', async () => {
  const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');
  for (const [name, { load }] of Object.entries(COMMANDS)) {
    const help = helpOf(await load());
    expect(help.startsWith(`codebeaker ${name} `)).toBe(true);
    expect(help.split('\n').filter(line => line.length > 145)).toEqual([]);
    expect(readme).toContain(`codebeaker ${name}`);
  }
});
