import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Meter } from '../../src/cgroup/meter.ts';
import { CgroupsV2 } from '../../src/cgroup/v2.ts';

/** What is written where, on plain files: the machine of the tests may keep its control groups by version 1. */
let top: string;
let groups: CgroupsV2;
const text = (path: string) => readFileSync(join(top, path), 'utf8');

beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'cgroup-'));
  mkdirSync(join(top, 'own'));
  writeFileSync(join(top, 'own/cgroup.subtree_control'), 'pids\n');
  groups = new CgroupsV2(join(top, 'own'));
});
afterEach(() => rmSync(top, { recursive: true }));

const limits = { memoryBytes: 64 << 20, cpus: 0.5, processes: 40 };

test('the controllers that are missing are passed down', () => {
  expect(text('own/cgroup.subtree_control')).toBe('+memory +cpu');
});

test('a group is limited in memory, processes and CPU before anything is in it', () => {
  groups.create('a', limits);
  expect(text('own/a/memory.max')).toBe(String(64 << 20));
  expect(text('own/a/pids.max')).toBe('40');
  expect(text('own/a/cpu.max')).toBe('50000 100000');
  expect(groups.directories('a').procs).toEqual([join(top, 'own/a/cgroup.procs')]);
  expect(groups.list()).toEqual(['a']);
  expect(groups.roots()).toEqual([top]);
});

test('more memory than the limit is never in use when it is lowered', async () => {
  groups.create('a', limits);
  writeFileSync(join(top, 'own/a/memory.current'), String(32 << 20));
  expect(await groups.limitMemory('a', 16 << 20)).toBe(false);
  expect(text('own/a/memory.max')).toBe(String(64 << 20));
  expect(text('own/a/memory.reclaim')).toBe(String(16 << 20));
  expect(await groups.limitMemory('a', 32 << 20)).toBe(true);
  expect(text('own/a/memory.max')).toBe(String(32 << 20));
});

test('a killed group forks no more and is not held back on its way out', () => {
  groups.create('a', limits);
  writeFileSync(join(top, 'own/a/cgroup.kill'), '');
  groups.kill('a');
  expect(text('own/a/cgroup.kill')).toBe('1');
  expect(text('own/a/pids.max')).toBe('0');
  expect(text('own/a/cpu.max')).toBe('max');
});

test('a reading is taken from the files of version 2, and the last one stands', () => {
  groups.create('a', limits);
  const write = (name: string, value: string) => writeFileSync(join(top, 'own/a', name), value);
  write('cpu.stat', 'usage_usec 1500000\nuser_usec 1000000\n');
  write('memory.peak', '1048576\n');
  write('memory.events', 'low 0\noom 3\noom_kill 2\n');
  write('pids.peak', '9\n');
  write('pids.current', '4\n');
  write('pids.events', 'max 5\n');
  const meter = new Meter(groups.directories('a'));
  meter.discountRunning();
  const reading = {
    cpuMs: 1500,
    peakMemoryBytes: 1 << 20,
    peakProcesses: 5,
    oomKills: 2,
    forksRefused: 5,
  };
  expect(meter.read()).toEqual(reading);
  meter.close();
  write('memory.events', 'oom_kill 3\n');
  expect(meter.read()).toEqual(reading);
});

test('a peak of earlier programs is not told as that of a later one', () => {
  groups.create('a', limits);
  const write = (name: string, value: string) => writeFileSync(join(top, 'own/a', name), value);
  write('pids.peak', '20\n');
  write('pids.current', '4\n');
  const meter = new Meter(groups.directories('a'));
  meter.discountRunning();
  meter.resetPeaks();
  expect(meter.read().peakProcesses).toBe(16);
  meter.resetPeaks();
  expect(meter.read().peakProcesses).toBe(null);
  write('pids.peak', '23\n');
  expect(meter.read().peakProcesses).toBe(19);
  meter.close();
});

test('totals are what a reading tells, without the peaks', () => {
  groups.create('a', limits);
  const write = (name: string, value: string) => writeFileSync(join(top, 'own/a', name), value);
  write('cpu.stat', 'usage_usec 1500\n');
  write('memory.events', 'oom_kill 2\n');
  write('pids.events', 'max 3\n');
  write('pids.peak', '20\n');
  const meter = new Meter(groups.directories('a'));
  const totals = { cpuMs: 1.5, oomKills: 2, forksRefused: 3 };
  expect(meter.totals()).toEqual({ ...totals, peakMemoryBytes: null, peakProcesses: null });
  expect(meter.read()).toMatchObject({ ...totals, peakProcesses: 20 });
  meter.close();
  write('memory.events', 'oom_kill 3\n');
  expect(meter.totals().oomKills).toBe(2);
});

test('figures that a kernel does not have are null', () => {
  groups.create('a', limits);
  const meter = new Meter(groups.directories('a'));
  expect(meter.read()).toMatchObject({ cpuMs: null, peakMemoryBytes: null, peakProcesses: null });
  meter.close();
});

test('what a dead group would keep of files is asked back once many are dead', async () => {
  const write = (name: string, value: string) => writeFileSync(join(top, 'own', name), value);
  write('cgroup.stat', 'nr_descendants 1\nnr_dying_descendants 3\n');
  groups = new CgroupsV2(join(top, 'own'));
  groups.create('a', limits);
  write('a/memory.stat', 'anon 0\nfile 8192\n');
  await groups.reclaim('a');
  expect(groups.list()).toEqual(['a']);
  expect(() => text('own/a/memory.reclaim')).toThrow();
  write('cgroup.stat', 'nr_descendants 1\nnr_dying_descendants 40\n');
  // One of eight looks while there are few.
  for (let i = 0; i < 8; i++) await groups.reclaim('a');
  expect(text('own/a/memory.reclaim')).toBe(String(16 << 20));
  await groups.reclaim('gone');
});
