import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { DataDirLocked, openDataDir } from '../src/data-dir.ts';

const root = mkdtempSync(join(tmpdir(), 'codebeaker-data-dir-'));
afterAll(() => rmSync(root, { recursive: true }));

const HOLD = `
import { openDataDir } from './src/data-dir.ts';
console.log(openDataDir(process.argv[1]).instance);
setInterval(() => {}, 1000);`;

/** Another process that takes the directory and keeps it. */
async function holder(path: string) {
  const child = spawn(process.execPath, ['--input-type=module', '-e', HOLD, path], {
    cwd: join(import.meta.dirname, '..'),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(child.stdout, 'data');
  return { child, instance: String(line).trim() };
}

test('a data directory belongs to one server, and is free again when that one was killed', async () => {
  const path = join(root, 'nested', 'data');
  const { child, instance } = await holder(path);
  expect(() => openDataDir(path)).toThrow(DataDirLocked);
  expect(() => openDataDir(path)).toThrow(/in use by another server/);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const again = openDataDir(path);
  expect(again.instance).toBe(instance);
  again.close();
});

test('it is for its owner’s eyes only, and its name differs from another’s', () => {
  const one = openDataDir(join(root, 'one'));
  const two = openDataDir(join(root, 'two'));
  expect(one.instance).toMatch(/^[0-9a-f]{12}$/);
  expect(one.instance).not.toBe(two.instance);
  expect(statSync(join(root, 'one')).mode & 0o777).toBe(0o700);
  one.close();
  two.close();
});
