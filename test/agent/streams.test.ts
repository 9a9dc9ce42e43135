import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { FileSource, Files } from '../../src/sandbox.ts';
import { STREAM_WINDOW_BYTES } from '../../src/wire/messages.ts';
import { AgentProcess } from './agent-process.ts';

/** Files of any size as streams, through a real agent. */
const MB = 1024 * 1024;
let agent: AgentProcess;
let files: Files;
beforeAll(async () => {
  agent = await AgentProcess.start();
  files = agent.client.files;
});
afterAll(() => agent[Symbol.asyncDispose]());
beforeEach(() => files.clear());

const at = (name = '') => agent.path(name);
const text = (name: string) => readFileSync(at(name), 'utf8');

async function write(name: string, data: Uint8Array | string, options = {}) {
  const sink = await files.openWrite(at(name), options);
  await sink.write(Buffer.from(data));
  return sink.commit();
}

async function read(source: FileSource, offset = 0, length = source.status.size - offset) {
  const pieces: Uint8Array[] = [];
  for await (const piece of source.read(offset, length)) pieces.push(piece.slice());
  return Buffer.concat(pieces);
}

test('what is written comes back, byte for byte and range by range', async () => {
  const data = randomBytes(5 * MB + 17);
  expect(await write('deep/er/f', data)).toMatchObject({ made: true, type: 'file', size: data.length });
  const source = await files.openRead(at('deep/er/f'));
  expect(source.status).toMatchObject({ type: 'file', size: data.length, mode: 0o644 });
  expect((await read(source)).equals(data)).toBe(true);
  for (const [offset, length] of [
    [0, 1],
    [data.length - 1, 1],
    [MB - 3, 2 * MB],
    [7, 0],
  ] as const)
    expect((await read(source, offset, length)).equals(data.subarray(offset, offset + length))).toBe(true);
  source.close();
  expect(await write('deep/er/f', 'new')).toMatchObject({ made: false, size: 3 });
});

test('many streams go on at once, and none holds up what is no stream', async () => {
  const data = randomBytes(3 * MB);
  const names = Array.from({ length: 12 }, (_, i) => `f${i}`);
  const writes = Promise.all(names.map(name => write(name, data)));
  for (let i = 0; i < 20; i++) await files.stat(at());
  await writes;
  const reads = await Promise.all(
    names.map(async name => {
      const source = await files.openRead(at(name));
      const whole = await read(source);
      source.close();
      return createHash('sha256').update(whole).digest('hex');
    }),
  );
  expect(new Set(reads)).toEqual(new Set([createHash('sha256').update(data).digest('hex')]));
});

test('nothing is to be seen of what is written until it is whole, and nothing when it is given up', async () => {
  await write('f', 'old');
  const sink = await files.openWrite(at('f'));
  await sink.write(new Uint8Array(2 * MB));
  expect([text('f'), readdirSync(at())]).toEqual(['old', ['f']]);
  sink.abort();
  const other = await files.openWrite(at('new/dir/f'));
  expect(readdirSync(at())).toEqual(['f', 'new']);
  other.abort();
  await files.stat(at());
  expect([text('f'), readdirSync(at())]).toEqual(['old', ['f']]);
  await expect(sink.write(new Uint8Array(1))).rejects.toThrow('given up');
});

test('the last of two that write one file at once has its place, whole', async () => {
  const [first, second] = [await files.openWrite(at('f')), await files.openWrite(at('f'))];
  await Promise.all([first.write(Buffer.alloc(MB, 'a')), second.write(Buffer.alloc(MB, 'b'))]);
  expect(await second.commit()).toMatchObject({ made: true });
  expect(await first.commit()).toMatchObject({ made: false });
  expect(text('f')).toBe('a'.repeat(MB));
  expect(readdirSync(at())).toEqual(['f']);
});

test('permissions are those asked for, or stay what they were', async () => {
  await write('f', 'x', { mode: 0o750 });
  expect(statSync(at('f')).mode & 0o7777).toBe(0o750);
  await write('f', 'y');
  expect(statSync(at('f')).mode & 0o7777).toBe(0o750);
  await write('f', 'z', { mode: 0o600 });
  expect(statSync(at('f')).mode & 0o7777).toBe(0o600);
});

test('another name of a replaced file keeps the old content', async () => {
  await write('f', 'old');
  linkSync(at('f'), at('g'));
  await write('f', 'new');
  expect([text('f'), text('g')]).toEqual(['new', 'old']);
});

test('what is appended comes behind what is there, and goes again when it is given up', async () => {
  expect(await write('f', 'one', { append: true })).toMatchObject({ made: true, size: 3 });
  expect(await write('f', ' two', { append: true })).toMatchObject({ made: false, size: 7 });
  const sink = await files.openWrite(at('f'), { append: true });
  await sink.write(new Uint8Array(MB));
  sink.abort();
  await files.stat(at());
  expect(text('f')).toBe('one two');
});

test('links are followed inside, and never out', async () => {
  mkdirSync(at('d'));
  symlinkSync('d/f', at('in'));
  symlinkSync('/etc', at('out'));
  symlinkSync('/etc/passwd', at('file'));
  await write('in', 'through');
  expect(text('d/f')).toBe('through');
  for (const path of ['out/hosts', 'file', '../x']) {
    await expect(files.openRead(at(path))).rejects.toThrow('leaves');
    await expect(files.openWrite(at(path))).rejects.toThrow('leaves');
  }
});

test('what is no file is refused at once, with its reason', async () => {
  mkdirSync(at('d'));
  writeFileSync(at('f'), '');
  await agent.shell('mkfifo fifo');
  await expect(files.openRead(at('missing'))).rejects.toMatchObject({ reason: 'missing' });
  await expect(files.openRead(at('f/x'))).rejects.toMatchObject({ reason: 'other_type' });
  await expect(files.openRead(at('fifo'))).rejects.toMatchObject({ reason: 'other_type' });
  await expect(files.openWrite(at('fifo'))).rejects.toMatchObject({ reason: 'other_type' });
  await expect(files.openWrite(at('d'))).rejects.toMatchObject({ reason: 'other_type' });
  await expect(files.openWrite(at('f'), { size: 2 ** 50 })).rejects.toMatchObject({ reason: 'full' });
  const directory = await files.openRead(at('d'));
  expect(directory.status.type).toBe('directory');
  directory.close();
});

test('what takes the place of a file meanwhile is replaced, or refused, and harms nothing', async () => {
  const fifo = await files.openWrite(at('f'));
  await agent.shell('mkfifo f; ln -s /etc/passwd link');
  await fifo.write(Buffer.from('new'));
  await fifo.commit();
  expect(text('f')).toBe('new');
  const link = await files.openWrite(at('g'));
  renameSync(at('link'), at('g'));
  await link.commit();
  expect(statSync(at('g')).size).toBe(0);
  const directory = await files.openWrite(at('h'));
  mkdirSync(at('h'));
  await expect(directory.commit()).rejects.toMatchObject({ reason: 'other_type' });
  expect(readdirSync(at()).sort()).toEqual(['f', 'g', 'h']);
});

test('a file that becomes shorter while it is read ends the reading', async () => {
  await write('f', new Uint8Array(4 * MB));
  const source = await files.openRead(at('f'));
  const pieces = source.read(0, 4 * MB)[Symbol.asyncIterator]();
  await pieces.next();
  truncateSync(at('f'), 5);
  await expect(
    (async () => {
      while (!(await pieces.next()).done);
    })(),
  ).rejects.toThrow('Changed while it was used');
});

test('a file that is removed while it is read is read to its end', async () => {
  const data = randomBytes(2 * MB);
  await write('f', data);
  const source = await files.openRead(at('f'));
  unlinkSync(at('f'));
  expect((await read(source)).equals(data)).toBe(true);
  source.close();
});

test('a version is another one after every change', async () => {
  const { version } = await write('f', 'a');
  const of = async () => {
    const source = await files.openRead(at('f'));
    source.close();
    return source.status.version;
  };
  expect(await of()).toBe(version);
  chmodSync(at('f'), 0o600);
  const changed = await of();
  expect(changed).not.toBe(version);
  await write('f', 'b');
  expect(await of()).not.toBe(changed);
});

test('a reader that stops holds back one window, and the agent does not grow', async () => {
  await write('f', new Uint8Array(64 * MB));
  const before = agent.residentBytes;
  const sources = await Promise.all(Array.from({ length: 20 }, () => files.openRead(at('f'))));
  const readers = sources.map(source => source.read(0, 64 * MB)[Symbol.asyncIterator]());
  await Promise.all(readers.map(reader => reader.next()));
  for (let i = 0; i < 20; i++) await files.stat(at());
  expect(agent.residentBytes - before).toBeLessThan(4 * MB);
  for (const source of sources) source.close();
});

test('more streams than a sandbox may have open are refused, and given back when they end', async () => {
  await write('f', 'x');
  const opened = await Promise.allSettled(Array.from({ length: 140 }, () => files.openRead(at('f'))));
  const sources = opened.flatMap(each => (each.status === 'fulfilled' ? [each.value] : []));
  expect(sources.length).toBe(128);
  expect(opened.find(each => each.status === 'rejected')).toMatchObject({ reason: { name: 'FileRefused' } });
  const open = agent.openFiles;
  for (const source of sources) source.close();
  await files.stat(at());
  expect(open - agent.openFiles).toBe(128);
});

test('a window is no more than what may be on its way', () =>
  expect(STREAM_WINDOW_BYTES).toBeLessThanOrEqual(MB));
