import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import type { Cgroups } from '../../src/cgroup/cgroup.ts';
import { CgroupsV2 } from '../../src/cgroup/v2.ts';
import { Sandboxes } from '../../src/launcher/sandboxes.ts';
import { Templates } from '../../src/launcher/templates.ts';
import { Zygote } from '../../src/launcher/zygote.ts';
import { LauncherSandboxes } from '../../src/runtimes/local/launcher-sandboxes.ts';
import { FieldWriter } from '../../src/wire/fields.ts';
import { encodeFrame } from '../../src/wire/frames.ts';

/** What is asked of children that end meanwhile is answered all the same. What a zygote says is written here, as src/agent/zygote.h has it. */
const SAID = { started: 65, said: 66, ended: 67, removed: 69 } as const;
const LIMITS = { diskBytes: 1, memoryBytes: 1, cpus: 1, processes: 1, openFiles: 1, inodes: 1 };
const OPTIONS = { divided: false, home: false, network: null };

let directory: string;
let cgroups: Cgroups;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'codebeaker-children-'));
  writeFileSync(join(directory, 'cgroup.subtree_control'), 'memory pids cpu');
  cgroups = new CgroupsV2(directory);
});
afterEach(() => rmSync(directory, { recursive: true }));

const u32 = (value: number) => new FieldWriter(4).u32(value).bytes;

/** Its first child is channel 1. */
function zygote() {
  const told = new PassThrough();
  const zygote = new Zygote(told);
  const says = (kind: keyof typeof SAID, payload: Uint8Array) =>
    zygote.push(encodeFrame(SAID[kind], 1, payload));
  return { zygote, says, told };
}

/** What a promise resolves to, within a second. */
const soon = <T>(promise: Promise<T>) => Promise.race([promise, sleep(1000, 'nothing', { ref: false })]);

async function waitingTemplate() {
  const { zygote: made, says, told } = zygote();
  const templates = new Templates(made, cgroups);
  const ends = { stdin: 1, stdout: 1, stderr: 1, control: -1, file: -1, users: -1 };
  const fork = (id: string) =>
    templates.fork(
      { argv: ['x'], env: {}, cwd: '/', ends },
      { id, procs: [], members: '', uid: 1, agent: 1 },
    );
  expect(await fork('a')).toBe(null);
  says('started', u32(7));
  says('said', Buffer.from('{"ready":true}\n'));
  await sleep(0);
  return { fork, says, told };
}

test('a template that has ended forks nothing, also while its group is being taken away', async () => {
  const { fork, says } = await waitingTemplate();
  const forked = fork('b');
  says('said', Buffer.from('{"forked":"b","pid":8}\n'));
  expect(await forked).toBe(8);
  const late = fork('c');
  says('ended', Buffer.from(''));
  expect(await soon(late)).toBe(null);
  expect(await soon(fork('d'))).toBe(null);
});

test('a template that does not answer an order is ended, and one that does is not', async () => {
  const { fork, says, told } = await waitingTemplate();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const answered = fork('b');
    says('said', Buffer.from('{"forked":"b","pid":8}\n'));
    expect(await answered).toBe(8);
    const asked = told.readableLength;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(told.readableLength).toBe(asked);
    const hung = fork('c');
    const before = told.readableLength;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(told.readableLength).toBeGreaterThan(before);
    says('ended', Buffer.from(''));
    expect(await hung).toBe(null);
  } finally {
    vi.useRealTimers();
  }
});

test('a sandbox that is being removed takes no other size, and whatever was asked before is answered', async () => {
  const { zygote: made, says } = zygote();
  const request = {
    uid: 1,
    openFiles: 1,
    home: false,
    procs: [],
    born: null,
    socket: 's',
    greeting: '\n',
    network: null,
  };
  const sandbox = made.start('a', { directories: [], settings: [] }, request, LIMITS);
  says('ended', Buffer.from(''));
  const removed = sandbox.remove(false);
  const resized = sandbox.resize(1);
  says('removed', u32(1));
  await removed;
  expect(await soon(resized)).toBe(false);
  expect(await soon(sandbox.resize(1))).toBe(false);
});

/** One sandbox that is running, and whose removal ends as `removal` does. */
function running(removal: Promise<void>): Sandboxes {
  const made = {
    pid: null,
    ended: new Promise<string>(() => {}),
    resize: async () => true,
    settled() {},
    remove: () => removal,
  };
  const sandboxes = new Sandboxes(
    { instance: 'a', root: false, socket: 's' },
    {
      cgroups: Object.assign(cgroups, { limitMemory: async () => true, resize: async () => true }),
      maker: { templates: null, make: () => made },
      listener: { refused() {}, ended() {} },
    },
  );
  sandboxes.start({ id: 'a', key: 'k', limits: LIMITS, ...OPTIONS });
  return sandboxes;
}

test('changes of a sandbox that is being removed are refused', async () => {
  const removal = Promise.withResolvers<void>();
  const sandboxes = running(removal.promise);
  expect(await sandboxes.limitMemory('a', 1)).toBe(true);
  const stopped = sandboxes.stop('a');
  expect(await sandboxes.limitMemory('a', 1)).toBe(false);
  expect(await sandboxes.resize('a', LIMITS)).toBe(false);
  removal.resolve();
  await stopped;
});

test('a sandbox of which something can not be removed keeps nobody waiting, and is told', async () => {
  const removal = Promise.withResolvers<void>();
  const sandboxes = running(removal.promise);
  const told = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  onTestFinished(() => told.mockRestore());
  const stopped = sandboxes.stop('a');
  removal.reject(new Error('its disk is busy'));
  await stopped;
  expect(told).toHaveBeenCalledWith('Something of a sandbox is left: its disk is busy\n');
  await sandboxes.stop('a');
  expect(told).toHaveBeenCalledTimes(1);
});

test('what a launcher has not answered when a sandbox is gone is answered', async () => {
  const sandboxes = new LauncherSandboxes(() => {}, { refused() {}, ended() {} });
  sandboxes.start({ id: 'a', key: 'k', limits: LIMITS, ...OPTIONS });
  const asked = [sandboxes.limitMemory('a', 1), sandboxes.place('a', 1)] as const;
  const stopped = sandboxes.stop('a');
  sandboxes.onReply({ event: 'stopped', id: 'a' });
  await stopped;
  expect(await soon(Promise.all(asked))).toEqual([false, null]);
  expect(await soon(sandboxes.limitMemory('a', 1))).toBe(false);
});
