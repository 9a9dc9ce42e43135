import { chmodSync, mkdirSync, mkdtempSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { http } from '../support/rest-client.ts';
import { type RunningServer, startServer } from '../support/start-server.ts';

/** A server in whose process something goes wrong that nobody thought of, and whose data directory others could read. */
const STRAY = `
process.on('SIGWINCH', () => void Promise.reject(new Error('a stray rejection')));
process.on('SIGURG', () => { throw new Error('a stray exception'); });`;

let server: RunningServer;
let dataDir: string;
beforeAll(async () => {
  const directory = mkdtempSync(join(tmpdir(), 'codebeaker-stray-'));
  dataDir = join(directory, 'data');
  mkdirSync(dataDir);
  chmodSync(dataDir, 0o755);
  for (const name of ['executions.sqlite', 'server.sqlite']) {
    writeFileSync(join(dataDir, name), '');
    chmodSync(join(dataDir, name), 0o644);
  }
  writeFileSync(join(directory, 'stray.mjs'), STRAY);
  const env = { CODEBEAKER_RUNTIMES: 'Python', NODE_OPTIONS: `--import=${join(directory, 'stray.mjs')}` };
  server = await startServer({ dataDir, env });
});
afterAll(() => server?.stop());

const run = (language: string) =>
  http(`${server.url}/api/execution?wait=true`, 'POST', { language, code: 'print(1)' });

test('what it keeps is for its own user, and sandboxes read what is for them', async () => {
  const { body } = await run('python');
  expect(body).toMatchObject({ outcome: 'ok', stdout: '1\n' });
  const mode = (name: string) => statSync(join(dataDir, name)).mode & 0o777;
  expect(mode('.')).toBe(0o700);
  for (const name of ['server.sqlite', 'executions.sqlite', 'executions.sqlite-wal', 'executions.sqlite-shm'])
    expect(mode(name), name).toBe(0o600);
});

test('a program’s own files have the modes that they have everywhere', async () => {
  const code =
    'import os; open("a", "w"); os.mkdir("b"); print(*(oct(os.stat(f).st_mode)[-3:] for f in "ab"))';
  const { body } = await http(`${server.url}/api/execution?wait=true`, 'POST', { language: 'python', code });
  expect(body).toMatchObject({ outcome: 'ok', stdout: '644 755\n' });
});

test('a rejection that nobody awaited is told, and ends nothing', async () => {
  process.kill(server.pid, 'SIGWINCH');
  await vi.waitUntil(() => server.log().includes('a stray rejection'), { timeout: 60_000 });
  const line = server
    .log()
    .split('\n')
    .find(each => each.includes('a stray rejection'));
  expect(JSON.parse(line!)).toMatchObject({ level: 50, msg: 'a rejection that nobody awaited' });
  expect((await run('python')).body).toMatchObject({ outcome: 'ok', stdout: '1\n' });
});

test('an exception that nobody caught is told, and ends the server in order', async () => {
  process.kill(server.pid, 'SIGURG');
  await vi.waitUntil(() => server.log().includes('the server ends'), { timeout: 60_000 });
  const line = server
    .log()
    .split('\n')
    .find(each => each.includes('the server ends'));
  expect(JSON.parse(line!)).toMatchObject({ level: 60, err: { message: 'a stray exception' } });
  expect(await server.stop()).toBe(1);
});
