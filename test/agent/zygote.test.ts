import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
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
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { zygoteArguments } from '../../src/agent/artifact.ts';
import { unthrottled } from '../../src/cgroup/cgroup.ts';
import { reclaimed } from '../../src/cgroup/dead-groups.ts';
import { encodeSteps } from '../../src/launcher/steps.ts';
import { Zygote } from '../../src/launcher/zygote.ts';
import { FieldWriter } from '../../src/wire/fields.ts';
import { encodeFrame } from '../../src/wire/frames.ts';
import { agentFile, SANITIZER_ENV } from './builds.ts';

/** After how long a kept group that is charged for something is never used again, and some more, milliseconds. */
const CHARGED_MS = 600;

/**
 * A zygote whose children fail at the first thing that they are to see, with plain directories for control groups: what it does with
 * groups by itself, sanitized. What it makes of its children is tried in test/runtimes/local and test/security.
 */
let top: string;
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'zygote-'));
  for (const parent of ['memory', 'cpu', 'outside']) mkdirSync(join(top, parent));
  writeFileSync(join(top, 'plan'), encodeSteps([{ action: 'mount', source: '/none', target: '/none' }]));
});
afterEach(() => rmSync(top, { recursive: true }));

function start() {
  const [memory, cpu] = [join(top, 'memory'), join(top, 'cpu')];
  const plan = join(top, 'plan');
  const words = zygoteArguments(
    { sandbox: plan, template: plan, filter: plan },
    { cpu: [cpu, ...unthrottled(1)], memory: [memory, ...reclaimed(1)], parents: [memory, cpu] },
  );
  const namespaces = process.getuid?.() === 0 ? ['--mount'] : ['--user', '--map-root-user', '--mount'];
  const child = spawn('unshare', [...namespaces, agentFile('sanitized'), ...words], {
    env: { ...process.env, ...SANITIZER_ENV },
  });
  let stderr = '';
  child.stderr.on('data', text => {
    stderr += text;
  });
  child.stdin.on('error', () => {});
  const zygote = new Zygote(child.stdin);
  child.stdout.on('data', bytes => zygote.push(bytes));
  const ended = once(child, 'close').then(([status]) => ({ status, stderr }));
  return { zygote, input: child.stdin, ended, pid: child.pid! };
}

const groups = () => ({
  directories: ['memory/a', 'cpu/a', 'memory/a/main'].map(name => join(top, name)),
  settings: [] as [string, string][],
});
const TEMPLATE = { argv: ['true'], env: {}, procs: [], openFiles: 64 };
const there = (...names: string[]) => names.filter(name => existsSync(join(top, name)));

test('a child’s groups are made with it, and go with it and their leaves', async () => {
  const { zygote, input, ended } = start();
  writeFileSync(join(top, 'setting'), 'before');
  const plan = { ...groups(), settings: [[join(top, 'setting'), 'after!'] as const] };
  const child = zygote.template('a', plan, TEMPLATE, () => {});
  expect(await child.ended).toContain('failed (errno');
  expect(readFileSync(join(top, 'setting'), 'utf8')).toBe('after!');
  expect(there('memory/a', 'cpu/a', 'memory/a/main')).toHaveLength(3);
  await child.remove(false);
  expect(there('memory/a', 'cpu/a')).toEqual([]);
  input.end();
  expect(await ended).toEqual({ status: 0, stderr: '' });
});

test('groups that can’t be made start no child, and what was made of them goes', async () => {
  const { zygote, input, ended } = start();
  mkdirSync(join(top, 'cpu/a'));
  const child = zygote.template('a', groups(), TEMPLATE, () => {});
  expect(await child.ended).toContain('making the control groups failed');
  await child.remove(false);
  expect(there('memory/a', 'cpu/a')).toEqual([]);
  input.end();
  expect(await ended).toEqual({ status: 0, stderr: '' });
});

test('a group gives back what it has of files first, unless it has much, and is waited for', async () => {
  const { zygote, input, ended } = start();
  for (const [name, bytes, given] of [
    ['a', 4096, '0'],
    ['b', 1 << 30, ''],
  ] as const) {
    const at = (file: string) => join(top, 'memory', name, file);
    mkdirSync(join(top, 'memory', name));
    writeFileSync(at('memory.stat'), `cache 1\ntotal_cache_not 1\ntotal_cache ${bytes}\n`);
    writeFileSync(at('memory.force_empty'), '');
    // Fails, for its group is there; another has made it.
    const child = zygote.template(
      name,
      { directories: [join(top, 'cpu/none/x')], settings: [] },
      TEMPLATE,
      () => {},
    );
    const removed = child.remove(true);
    // A directory of the kernel's goes though there are files in it.
    await child.ended;
    await vi.waitFor(() => expect(readFileSync(at('memory.force_empty'), 'utf8')).toBe(given));
    rmSync(at('memory.stat'));
    rmSync(at('memory.force_empty'));
    await removed;
    expect(there(`memory/${name}`)).toEqual([]);
  }
  input.end();
  expect(await ended).toEqual({ status: 0, stderr: '' });
});

test('a group that is kept gives back what it has of files only when it goes after all', async () => {
  const at = (...names: string[]) => join(top, 'memory', ...names);
  // As under version 1, where memory is counted by itself.
  writeFileSync(at('memory.max_usage_in_bytes'), '0');
  const { zygote, input, ended } = start();
  const plan = (name: string) => ({ directories: [at(name), join(top, 'cpu', name)], settings: [] });
  const make = async (name: string) => {
    const child = zygote.template(name, plan(name), TEMPLATE, () => {});
    expect(await child.ended).toContain('failed (errno');
    return child;
  };
  for (const [name, charged] of [
    ['a', 1 << 20],
    ['b', 4096],
  ] as const) {
    const child = await make(name);
    const files = {
      'cgroup.procs': '',
      'memory.oom_control': 'oom_kill 0\n',
      'memory.usage_in_bytes': String(charged),
      'memory.kmem.tcp.usage_in_bytes': '0',
      'memory.max_usage_in_bytes': '',
      'memory.stat': 'total_cache 8192\n',
      'memory.force_empty': '',
    };
    for (const [file, text] of Object.entries(files)) writeFileSync(at(name, file), text);
    await child.remove(true);
  }
  const given = (name: string) => readFileSync(at(name, 'memory.force_empty'), 'utf8');
  expect(['spare-0', 'spare-1'].map(given)).toEqual(['', '']);
  await new Promise(resolve => setTimeout(resolve, CHARGED_MS));
  const next = await make('c');
  expect(there('memory/spare-1')).toEqual([]);
  expect(given('c')).toBe('');
  await vi.waitFor(() => expect(given('spare-0')).toBe('0'));
  rmSync(at('spare-0'), { recursive: true });
  rmSync(at('c'), { recursive: true });
  await next.remove(false);
  input.end();
  expect(await ended).toEqual({ status: 0, stderr: '' });
});

test('a group whose processes it can’t look at for want of descriptors costs no other', async () => {
  const { zygote, input, ended, pid } = start();
  const leaf = join(top, 'memory/a/main');
  mkdirSync(leaf, { recursive: true });
  writeFileSync(join(leaf, 'cgroup.procs'), '');
  const hurried = join(top, 'cpu/a/cpu.cfs_quota_us');
  mkdirSync(join(top, 'cpu/a'));
  writeFileSync(hurried, '');
  // Fails, for its group is there; another has made it.
  const child = zygote.template('a', groups(), TEMPLATE, () => {});
  await child.ended;
  const open = new Set(readdirSync(`/proc/${pid}/fd`).map(Number));
  const free = Array.from({ length: open.size + 2 }, (_, fd) => fd).filter(fd => !open.has(fd));
  // One more, for the directory.
  execFileSync('prlimit', [`--pid=${pid}`, `--nofile=${free[1]}:${free[1]}`]);
  const removed = child.remove(false);
  for (const _ of ['before it looks', 'after that']) {
    writeFileSync(hurried, '');
    await vi.waitFor(() => expect(readFileSync(hurried, 'utf8')).toBe('-1'));
  }
  rmSync(join(leaf, 'cgroup.procs'));
  rmSync(hurried);
  await removed;
  expect(there('memory/a', 'cpu/a')).toEqual([]);
  input.end();
  expect(await ended).toEqual({ status: 0, stderr: '' });
});

test('at the end of its input all groups go, with the parents', async () => {
  for (const name of ['memory/a/main', 'memory/a/run-1', 'cpu/a', 'cpu/b'])
    mkdirSync(join(top, name), { recursive: true });
  const { zygote, input, ended } = start();
  await zygote.ready;
  zygote.template('c', { directories: [join(top, 'memory/c')], settings: [] }, TEMPLATE, () => {});
  input.end();
  expect(await ended).toEqual({ status: 0, stderr: '' });
  expect(there('memory', 'cpu', 'outside')).toEqual(['outside']);
});

test.for(['../outside', '..', '.', '', 'a/../../outside', 'a\0b'])(
  'a group of the name %j ends it',
  async name => {
    const { zygote, input, ended } = start();
    await zygote.ready;
    input.write(encodeFrame(4, 1, new FieldWriter().text(name).u8(1).bytes));
    expect(await ended).toMatchObject({ status: 1, stderr: expect.stringContaining('a malformed payload') });
    expect(there('outside')).toEqual(['outside']);
  },
);
