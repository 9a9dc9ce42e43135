import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { GroupDirectories } from '../../src/cgroup/cgroup.ts';
import { enterLeaf, findProcess, Leaves, leafOf, MAIN, makeLeaf } from '../../src/cgroup/leaves.ts';
import { Meter } from '../../src/cgroup/meter.ts';
import { CgroupsV1 } from '../../src/cgroup/v1.ts';
import { CgroupsV2 } from '../../src/cgroup/v2.ts';

/** Leaves of a group on plain files, which hold no process by themselves: `procs` plays the kernel. */
let top: string;
const limits = { memoryBytes: 64 << 20, cpus: 0.5, processes: 40 };
const procs = (directory: string, ...pids: number[]) =>
  writeFileSync(`${directory}/cgroup.procs`, pids.map(pid => `${pid}\n`).join(''));

beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'leaves-'));
});
afterEach(() => rmSync(top, { recursive: true }));

function versionOne(): CgroupsV1 {
  const at = (name: string) => {
    mkdirSync(join(top, name));
    return join(top, name, 'own');
  };
  return new CgroupsV1({ memory: at('memory'), pids: at('pids'), cpu: at('cpu'), cpuacct: at('cpuacct') });
}

function versionTwo(): CgroupsV2 {
  mkdirSync(join(top, 'own'));
  writeFileSync(join(top, 'own/cgroup.subtree_control'), 'memory pids cpu\n');
  return new CgroupsV2(join(top, 'own'));
}

test('under version 1 memory, processes and used CPU are counted by leaf, and the CPU is shared in the group', () => {
  const cgroups = versionOne();
  cgroups.create('a', limits, true);
  const group = cgroups.directories('a');
  for (const name of ['memory', 'pids', 'cpuacct'])
    expect(existsSync(join(top, name, 'own/a/main')), name).toBe(true);
  expect(existsSync(join(top, 'cpu/own/a/main'))).toBe(false);
  const { procs: entered, ...directories } = leafOf(group, MAIN);
  expect(directories).toEqual({
    version: 1,
    memory: `${group.memory}/main`,
    pids: `${group.pids}/main`,
    cpu: group.cpu,
    cpuacct: `${group.cpuacct}/main`,
  });
  expect(entered).toHaveLength(4);
  // A thread that moves itself waits for nobody.
  for (const file of [...entered, ...group.procs]) expect(file).toMatch(/\/tasks$/);
  expect(entered).toContain(`${group.cpu}/tasks`);
});

test('under version 2 a divided group passes on what its leaves count, and holds no process itself', () => {
  const cgroups = versionTwo();
  cgroups.create('a', limits, true);
  expect(readFileSync(join(top, 'own/a/cgroup.subtree_control'), 'utf8')).toBe('+memory +pids');
  expect(leafOf(cgroups.directories('a'), MAIN).procs).toEqual([join(top, 'own/a/main/cgroup.procs')]);
});

test.each([
  ['1', versionOne],
  ['2', versionTwo],
])('under version %s a group is empty when its leaves are, and goes with them', async (_, make) => {
  const cgroups = make();
  cgroups.create('a', limits, true);
  const group = cgroups.directories('a');
  await makeLeaf(group, 'run-1');
  cgroups.leafMade('a');
  const all = [group, leafOf(group, MAIN), leafOf(group, 'run-1')];
  for (const { memory, pids, cpu, cpuacct } of all)
    for (const directory of [memory, pids, cpu, cpuacct]) procs(directory);
  expect(cgroups.empty('a')).toBe(true);
  procs(leafOf(group, 'run-1').memory, 77);
  expect(cgroups.empty('a')).toBe(false);
  // A directory of the kernel's goes though there are files in it.
  for (const { memory, pids, cpu, cpuacct } of all)
    for (const directory of [memory, pids, cpu, cpuacct])
      for (const { name } of readdirSync(directory, { withFileTypes: true }).filter(entry => entry.isFile()))
        rmSync(join(directory, name));
  cgroups.remove('a');
  expect(cgroups.list()).toEqual([]);
});

/** The leaves of a group whose files are there. */
function leavesOf(group: GroupDirectories): { leaves: Leaves; made: string[] } {
  const made: string[] = [];
  const leaves = new Leaves(group, () => {
    const name = `run-${made.length + 1}`;
    made.push(name);
    const { memory, pids, cpuacct } = leafOf(group, name);
    for (const directory of [memory, pids, cpuacct]) procs(directory);
  });
  return { leaves, made };
}

test('a refused fork is counted in the leaf or, where the kernel counts it there, in the group', () => {
  const cgroups = versionTwo();
  cgroups.create('a', limits, true);
  const within = cgroups.directories('a');
  const write = (leaf: string, max: number) =>
    writeFileSync(join(top, 'own/a', leaf, 'pids.events'), `max ${max}\n`);
  write('.', 2);
  write('main', 3);
  const meter = new Meter(leafOf(within, MAIN), { within });
  expect(meter.read().forksRefused).toBe(5);
  meter.close();
});

test('a leaf serves again once nothing is left in it', async () => {
  const cgroups = versionOne();
  cgroups.create('a', limits, true);
  const group = cgroups.directories('a');
  const { leaves, made } = leavesOf(group);
  expect(await Promise.all([leaves.take(), leaves.take()])).toEqual(['run-1', 'run-2']);
  procs(leafOf(group, 'run-1').cpuacct, 77);
  leaves.give('run-1');
  expect(await leaves.take()).toBe('run-3');
  procs(leafOf(group, 'run-1').cpuacct);
  expect(await leaves.take()).toBe('run-1');
  expect(made).toEqual(['run-1', 'run-2', 'run-3']);
});

test('a process is found by its number inside, and enters each hierarchy once', async () => {
  const cgroups = versionTwo();
  cgroups.create('a', limits, true);
  const group = cgroups.directories('a');
  const main = leafOf(group, MAIN);
  procs(main.pids, process.ppid, process.pid, 2 ** 30);
  // Outside of every namespace both numbers are the same.
  const inside = Number(/^NSpid:.*\t(\d+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))![1]);
  expect(await findProcess(main, inside)).toBe(process.pid);
  expect(await findProcess(main, 2 ** 30)).toBeNull();
  const { leaves } = leavesOf(group);
  expect(await leaves.place(inside)).toBe('run-1');
  expect(readFileSync(join(top, 'own/a/run-1/cgroup.procs'), 'utf8')).toBe(String(process.pid));
  expect(await leaves.place(2 ** 30)).toBeNull();
});

test('a process that has ended on its way is not looked for under its number, which may be another’s', async () => {
  const cgroups = versionTwo();
  cgroups.create('a', limits, true);
  const group = cgroups.directories('a');
  const main = leafOf(group, MAIN);
  procs(main.pids, process.pid);
  const leaf = leafOf(group, 'run-1').pids;
  const leaves = new Leaves(group, () => {
    procs(leaf);
    procs(main.pids);
  });
  const inside = Number(/^NSpid:.*\t(\d+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))![1]);
  expect(await leaves.place(inside)).toBeNull();
  expect(readFileSync(join(leaf, 'cgroup.procs'), 'utf8')).toBe('');
});

test('where no leaf can be made or entered, nothing is placed', async () => {
  const cgroups = versionTwo();
  cgroups.create('a', limits, true);
  const group = cgroups.directories('a');
  procs(leafOf(group, MAIN).pids, process.pid);
  const inside = Number(/^NSpid:.*\t(\d+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))![1]);
  writeFileSync(join(top, 'own/a/run-1'), 'in the way');
  expect(await new Leaves(group).place(inside)).toBeNull();
  await expect(enterLeaf(leafOf(group, 'none'), process.pid)).rejects.toThrow('ENOENT');
});
