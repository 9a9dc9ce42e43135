import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { extract } from '../../src/cli/extract.ts';
import { TarError } from '../../src/cli/tar-reader.ts';

/** Archives of sandboxes, which may be anything, unpacked on a user's machine. */
let directory: string;
let target: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'extract-'));
  target = join(directory, 'target');
});
afterEach(() => rmSync(directory, { recursive: true }));

/** An entry of a ustar archive, as anybody can write one. */
function entry(
  name: string,
  {
    type = '0',
    content = '',
    mode = 0o644,
    link = '',
    size,
    digits = (size ?? content.length).toString(8).padStart(11, '0'),
  }: { type?: string; content?: string; mode?: number; link?: string; size?: number; digits?: string } = {},
) {
  const header = Buffer.alloc(512);
  const put = (text: string, at: number) => header.write(text, at, 'latin1');
  put(name, 0);
  put(mode.toString(8).padStart(7, '0'), 100);
  put(digits, 124);
  put(' '.repeat(8), 148);
  put(type, 156);
  put(link, 157);
  put('ustar\0' + '00', 257);
  const sum = header.reduce((all, byte) => all + byte, 0);
  put(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  const body = Buffer.alloc(Math.ceil(content.length / 512) * 512);
  body.write(content, 'latin1');
  return Buffer.concat([header, body]);
}
const END = Buffer.alloc(1024);
const record = (name: string, value: string) => {
  const rest = ` ${name}=${value}\n`;
  const digits = String(rest.length + 2).length;
  return `${rest.length + digits}${rest}`;
};

/** In pieces of a size that nothing of it has. */
async function* pieces(...parts: readonly Buffer[]) {
  const all = Buffer.concat(parts);
  for (let at = 0; at < all.length; at += 700) yield all.subarray(at, at + 700);
}
const unpack = (...parts: readonly Buffer[]) => extract(pieces(...parts, END), target);

describe.each(['pax', 'gnu', 'ustar'])('what GNU tar packs as %s', format => {
  test('is unpacked as it was: names of any length, contents, permissions, empty directories', async () => {
    const source = join(directory, 'source');
    const long = format === 'ustar' ? 'short' : 'l'.repeat(200);
    mkdirSync(join(source, long, 'empty'), { recursive: true });
    writeFileSync(join(source, long, 'é\n.txt'), 'x'.repeat(1025), { mode: 0o755 });
    writeFileSync(join(source, 'nothing'), '');
    const archive = execFileSync('tar', [`--format=${format}`, '-c', '-C', source, '.']);
    expect(await extract(pieces(archive), target)).toEqual({ files: 2, leftOut: { count: 0, names: [] } });
    const read = join(target, long, 'é\n.txt');
    expect(readFileSync(read, 'utf8')).toBe('x'.repeat(1025));
    expect(statSync(read).mode & 0o100).toBe(0o100);
    expect(readdirSync(join(target, long)).sort()).toEqual(['empty', 'é\n.txt'].sort());
    expect(readdirSync(target).sort()).toEqual([long, 'nothing'].sort());
  });
});

describe('what leads out is refused, and nothing is written there', () => {
  test.each(['../out', 'a/../../out', '/out', '..', 'a/..'])('%s', async name => {
    for (const type of ['0', '5', '2'])
      await expect(unpack(entry(name, { type, content: type === '0' ? 'x' : '' }))).rejects.toThrow(TarError);
    expect(readdirSync(directory)).toEqual(['target']);
    expect(readdirSync(target)).toEqual([]);
  });

  test('by the name of an extended header as well', async () => {
    const content = record('path', '../out');
    await expect(unpack(entry('x', { type: 'x', content }), entry('fine'))).rejects.toThrow(/leads out/);
    await expect(unpack(entry('x', { type: 'L', content: '/out\0' }), entry('fine'))).rejects.toThrow(
      /leads out/,
    );
    expect(readdirSync(target)).toEqual([]);
  });
});

test.each(['3', '4', '6', 'S', 'V'])(
  'a device, a pipe, or what nobody knows, is refused: type %s',
  async type => {
    await expect(unpack(entry('device', { type }))).rejects.toThrow(
      'device is neither a file nor a directory',
    );
    expect(readdirSync(target)).toEqual([]);
  },
);

test('links are left out and named, and what is put below their names is put there', async () => {
  const outside = join(directory, 'outside');
  mkdirSync(outside);
  const all = await unpack(
    entry('door', { type: '2', link: outside }),
    entry('door/file', { content: 'x' }),
    entry('hard', { type: '1', link: '/etc/passwd' }),
  );
  expect(all).toEqual({ files: 1, leftOut: { count: 2, names: ['door', 'hard'] } });
  expect(readdirSync(outside)).toEqual([]);
  expect(readFileSync(join(target, 'door/file'), 'utf8')).toBe('x');
  expect(existsSync(join(target, 'hard'))).toBe(false);
});

test('a link that lies there already is not followed: a file takes its place, a directory is refused', async () => {
  const outside = join(directory, 'outside');
  mkdirSync(outside);
  mkdirSync(target);
  writeFileSync(join(outside, 'kept'), 'kept');
  symlinkSync(outside, join(target, 'door'));
  symlinkSync(join(outside, 'kept'), join(target, 'file'));
  await expect(unpack(entry('door/kept', { content: 'changed' }))).rejects.toThrow(/no directory/);
  await expect(unpack(entry('door', { type: '5' }))).rejects.toThrow(/no directory/);
  await unpack(entry('file', { content: 'changed' }));
  expect(readFileSync(join(outside, 'kept'), 'utf8')).toBe('kept');
  expect(lstatSync(join(target, 'file')).isFile()).toBe(true);
  expect(readFileSync(join(target, 'file'), 'utf8')).toBe('changed');
});

test('what is told of a name moves nobody’s cursor', async () => {
  const { leftOut } = await unpack(entry('a\x1b[2J\nb', { type: '2' }));
  expect(leftOut.names).toEqual(['a\\u{1b}[2J\\u{a}b']);
  await expect(unpack(entry('\x1b[2J\n', { type: '3' }))).rejects.toThrow(/^\\u\{1b\}\[2J\\u\{a\} is/);
});

test('bits that lend a user’s or a group’s rights are not taken', async () => {
  await unpack(entry('run', { content: 'x', mode: 0o6755 }), entry('dir', { type: '5', mode: 0o7777 }));
  expect(statSync(join(target, 'run')).mode & 0o7000).toBe(0);
  expect(statSync(join(target, 'dir')).mode & 0o7000).toBe(0);
});

test('a file is replaced whole or not at all, and what is cut off leaves nothing', async () => {
  mkdirSync(target);
  writeFileSync(join(target, 'file'), 'before');
  const cut = extract(pieces(entry('file', { content: 'x'.repeat(512), size: 2000 })), target);
  await expect(cut).rejects.toThrow('The archive is cut off');
  expect(readdirSync(target)).toEqual(['file']);
  expect(readFileSync(join(target, 'file'), 'utf8')).toBe('before');
});

test.each([
  ['no archive', Buffer.alloc(512, 'x')],
  ['a size that is none', entry('x', { type: 'x', content: record('size', '-1') })],
  ['a size below nothing', entry('x', { type: 'x', digits: '-1' })],
  ['a record that is none', entry('x', { type: 'x', content: '99 a=b\n' })],
  ['a record without a length', entry('x', { type: 'x', content: 'abcdefghijk' })],
  ['headers without end', entry('x', { type: 'x', size: 0o77777777777 })],
])('%s is refused', async (_, archive) => {
  await expect(unpack(archive, entry('a', { content: 'a' }))).rejects.toThrow(TarError);
  expect(readdirSync(target)).toEqual([]);
});
