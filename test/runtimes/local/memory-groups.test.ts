import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { SandboxLimits } from '../../../src/sandbox.ts';
import { groupsOf, type Local, openLocal, python, subdirectories, zygoteOf } from './support.ts';

/** Under version 1 a memory group may have been another sandbox's: limits and figures are as those of a new one. */
const version1 = existsSync('/sys/fs/cgroup/memory');
const MB = 1024 * 1024;
/** How many the zygote keeps at most, how long, and after how long it takes them, milliseconds. */
const MOST_SPARE = 32;
const SPARE_MS = 5000;
const REST_MS = 100;
const MOST_TRIES = 50;
const AT_ONCE = 3;

type Purpose = 'program' | 'session';

let local: Local;
beforeAll(async () => {
  local = await openLocal();
});
afterAll(async () => {
  await local[Symbol.asyncDispose]();
});

const top = () => `/sys/fs/cgroup/memory/codebeaker-${local.instance}`;
const spares = () => (version1 ? readdirSync(top()).filter(name => name.startsWith('spare-')) : []);
const read = (path: string) => readFileSync(path, 'utf8');

const rest = () => new Promise(resolve => setTimeout(resolve, 2 * REST_MS));

/** A sandbox, and its group of memory. A session's has a leaf. */
async function open(limits: Partial<SandboxLimits> = {}, purpose: Purpose = 'program') {
  const others = groupsOf(local.instance);
  const sandbox = await local.open(limits, purpose);
  const group = groupsOf(local.instance).find(path => path.startsWith(top()) && !others.includes(path));
  return { sandbox, group, inode: group && statSync(group).ino };
}

/** Runs a program in a sandbox; tells what was seen of it and of its group. */
async function run(code: string, { sandbox, group, inode }: Awaited<ReturnType<typeof open>>) {
  const { code: status } = await python(sandbox, code);
  const figures = await sandbox.measure();
  const limitFiles = ['memory.limit_in_bytes', 'memory.memsw.limit_in_bytes'].map(name => `${group}/${name}`);
  return { status, inode, limits: limitFiles.filter(existsSync).map(path => Number(read(path))), figures };
}

/** Runs a program in a sandbox of its own, once what others have left has rested. */
async function once(code: string, limits: Partial<SandboxLimits> = {}) {
  await rest();
  const opened = await open(limits);
  try {
    return await run(code, opened);
  } finally {
    await opened.sandbox.close();
  }
}

const HOLDS = `held = b'x' * (100 << 20)`;

test.each<Purpose>(['program', 'session'])(
  'figures and limits of a %s tell nothing of who had a group before',
  async purpose => {
    for (const memoryBytes of [64 * MB, 512 * MB]) {
      const large = new Set<unknown>();
      let used = false;
      // The kernel frees what a group was charged for when others are charged, and the service waits half a second for that: so of
      // several, one after the other, all but the last are soon free.
      for (let i = 0; i < MOST_TRIES && !used; i++) {
        for (let j = 0; j < AT_ONCE; j++) {
          const first = await open({ memoryBytes: 256 * MB }, purpose);
          expect((await run(HOLDS, first)).figures.peakMemoryBytes).toBeGreaterThan(100 * MB);
          large.add(first.inode);
          await first.sandbox.close();
        }
        await rest();
        const next: Awaited<ReturnType<typeof open>>[] = [];
        try {
          for (let j = 0; j < AT_ONCE; j++) next.push(await open({ memoryBytes }, purpose));
          for (const opened of next) {
            const { inode, limits, figures } = await run('', opened);
            if (version1) expect([...new Set(limits)]).toEqual([memoryBytes]);
            expect(figures.peakMemoryBytes).toBeGreaterThan(0);
            expect(figures.peakMemoryBytes).toBeLessThan(32 * MB);
            expect(figures.cpuMs).toBeLessThan(2000);
            expect(figures.oomKills).toBe(0);
            used ||= large.has(inode) || !version1;
          }
        } finally {
          for (const { sandbox } of next) await sandbox.close();
        }
      }
      expect(used).toBe(true);
    }
  },
);

test.runIf(version1)('of its leaves it keeps the one that it began with', async () => {
  const sandbox = await local.open({}, 'session');
  const group = groupsOf(local.instance).find(path => path.startsWith(top()))!;
  for (const seconds of ['60', '61'])
    await sandbox.spawn({ argv: ['/usr/bin/sleep', seconds], cwd: '/workspace', env: {}, stdin: 'none' });
  expect(subdirectories(group)).toHaveLength(2);
  const { ino } = statSync(group);
  await sandbox.close();
  const spare = spares().find(name => statSync(`${top()}/${name}`).ino === ino);
  expect(subdirectories(`${top()}/${spare}`)).toEqual(['main']);
});

test('one in which something was killed for want of memory is nobody’s any more', async () => {
  const killed = await once(HOLDS, { memoryBytes: 64 * MB });
  expect(killed.figures.oomKills).toBeGreaterThan(0);
  const next = await once('');
  expect(next.figures.oomKills).toBe(0);
  if (version1) expect(next.inode).not.toBe(killed.inode);
});

test('few are kept, and not for long', async () => {
  const sandboxes = await Promise.all(Array.from({ length: MOST_SPARE + 2 }, () => local.open()));
  await Promise.all(sandboxes.map(sandbox => sandbox.close()));
  expect(spares()).toHaveLength(version1 ? MOST_SPARE : 0);
  await vi.waitFor(() => expect(spares()).toEqual([]), { timeout: 2 * SPARE_MS, interval: 250 });
});

test.runIf(version1)(
  'those of a zygote that was killed go, too, and so do all when a server ends',
  async () => {
    const other = await openLocal();
    const parent = `/sys/fs/cgroup/memory/codebeaker-${other.instance}`;
    // The next zygote counts from the beginning.
    const left = () =>
      readdirSync(parent)
        .filter(name => name.startsWith('spare-'))
        .flatMap(name => statSync(`${parent}/${name}`, { throwIfNoEntry: false })?.ino ?? []);
    const sandbox = await other.open();
    const zygote = zygoteOf(other.instance);
    await sandbox.close();
    expect(left()).not.toEqual([]);
    // One that lived for less than a second is not followed by itself; see SHORT_LIFE_MS in launchers.ts.
    await new Promise(resolve => setTimeout(resolve, 1100));
    const before = left();
    process.kill(zygote, 'SIGKILL');
    await vi.waitFor(() => expect(left().filter(inode => before.includes(inode))).toEqual([]), {
      timeout: 60_000,
    });
    await (await other.open()).close();
    await other[Symbol.asyncDispose]();
    expect(existsSync(parent)).toBe(false);
  },
);
