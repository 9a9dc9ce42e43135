import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { DataDirDenied, DataDirLocked, DataDirShared, openDataDir } from '../src/data-dir.ts';
import { needs } from './support/needs.ts';

const root = mkdtempSync(join(tmpdir(), 'codebeaker-data-dir-'));
afterAll(() => rmSync(root, { recursive: true }));

/** With a user's number, it is that one once it has read the sources, which may lie where no other can. */
const HOLD = `
import { openDataDir } from './src/data-dir.ts';
const [, path, user] = process.argv;
if (user) {
  process.setgroups([]);
  process.setgid(Number(user));
  process.setuid(Number(user));
}
console.log(openDataDir(path).instance);
setInterval(() => {}, 1000);`;

const NODE = [process.execPath, ['--input-type=module', '-e', HOLD]] as const;
const CLONE = join(import.meta.dirname, '..');
const NOBODY = 65_534;

/** Another process that takes the directory and keeps it. */
async function holder(path: string) {
  const child = spawn(NODE[0], [...NODE[1], path], {
    cwd: CLONE,
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

// Where one can't be made, recursive mkdir of Node.js would go round for ever: in another process, which can be ended.
test('one that can not be made or written in is refused, by its setting', () => {
  writeFileSync(join(root, 'file'), '');
  symlinkSync(join(root, 'nothing'), join(root, 'dangling'));
  for (const path of [
    '/proc/nope',
    '/proc/nope/deeper',
    '/proc',
    join(root, 'file/data'),
    join(root, 'dangling'),
  ]) {
    const { signal, stderr } = spawnSync(NODE[0], [...NODE[1], path], {
      cwd: CLONE,
      timeout: 10_000,
      killSignal: 'SIGKILL',
    });
    expect(signal, path).toBeNull();
    expect(String(stderr)).toContain(`DataDirDenied: ${path} can't be the data directory`);
    expect(String(stderr)).toContain('set CODEBEAKER_DATA_DIR');
  }
  expect(() => openDataDir(join(root, 'file'))).toThrow(DataDirDenied);
});

const mode = (...path: string[]) => statSync(join(root, ...path)).mode & 0o777;

test('one that everybody could read is closed, with the databases in it; what sandboxes read is not', () => {
  mkdirSync(join(root, 'old/go-cache-1.2'), { recursive: true, mode: 0o755 });
  chmodSync(join(root, 'old'), 0o755);
  const databases = ['', '-wal', '-shm', '.corrupt-2026'].map(more => `executions.sqlite${more}`);
  for (const name of [...databases, 'go-cache-1.2/a']) {
    writeFileSync(join(root, 'old', name), '');
    chmodSync(join(root, 'old', name), 0o644);
  }
  openDataDir(join(root, 'old')).close();
  expect(mode('old')).toBe(0o700);
  for (const name of databases) expect(mode('old', name), name).toBe(0o600);
  expect([mode('old/go-cache-1.2'), mode('old/go-cache-1.2/a')]).toEqual([0o755, 0o644]);
});

test('in one that holds other things too, only the databases are closed', () => {
  mkdirSync(join(root, 'shared'));
  chmodSync(join(root, 'shared'), 0o755);
  for (const name of ['letter.txt', 'executions.sqlite']) writeFileSync(join(root, 'shared', name), '');
  for (const name of ['letter.txt', 'executions.sqlite']) chmodSync(join(root, 'shared', name), 0o644);
  openDataDir(join(root, 'shared')).close();
  expect(mode('shared')).toBe(0o755);
  expect([mode('shared/letter.txt'), mode('shared/executions.sqlite')]).toEqual([0o644, 0o600]);
});

test('one that everybody may write in, and others do, is refused; a new disk in memory is made ours', () => {
  for (const name of ['tmp', 'disk']) {
    mkdirSync(join(root, name));
    chmodSync(join(root, name), 0o1777);
  }
  writeFileSync(join(root, 'tmp/letter.txt'), '');
  expect(() => openDataDir(join(root, 'tmp'))).toThrow(DataDirShared);
  expect(() => openDataDir('/tmp/')).toThrow(DataDirShared);
  expect(mode('tmp')).toBe(0o777);
  openDataDir(join(root, 'disk')).close();
  expect(mode('disk')).toBe(0o700);
});

needs('root')('one that another user has written in is refused by what that was', () => {
  const path = join(root, 'theirs');
  const record = join(path, 'ended-sessions.json');
  mkdirSync(path);
  chmodSync(root, 0o711);
  chownSync(path, NOBODY, NOBODY);
  writeFileSync(record, '');
  const { stderr } = spawnSync(NODE[0], [...NODE[1], path, `${NOBODY}`], { cwd: CLONE, timeout: 10_000 });
  expect(String(stderr)).toContain(`${record} belongs to another user`);
});
