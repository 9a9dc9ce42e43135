import { type FilesystemEvent, Sandbox } from 'e2b';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { e2bAt, failure } from '../support/e2b.ts';

/** Files of sandboxes, as E2B's own client sees them. */
const { url } = inject('server');
const at = e2bAt(url);

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await Sandbox.create(at);
});
afterAll(() => sandbox.kill());

const text = async (path: string) => (await sandbox.commands.run(`cat ${path}`)).stdout;

describe('content', () => {
  test('comes by form, as it is and compressed, and is where programs find it', async () => {
    const written = await sandbox.files.write([
      { path: 'one "quoted".txt', data: '1' },
      { path: 'deep/er/two.txt', data: '2' },
      { path: '/tmp/three.txt', data: '3' },
    ]);
    expect(written.map(({ path }) => path)).toEqual([
      '/home/user/one "quoted".txt',
      '/home/user/deep/er/two.txt',
      '/tmp/three.txt',
    ]);
    await sandbox.files.write('four.txt', 'four '.repeat(10_000), { gzip: true });
    await sandbox.files.write('five.txt', new Blob(['5']).stream());
    expect(await text(`'one "quoted".txt' deep/er/two.txt /tmp/three.txt five.txt`)).toBe('1235');
    expect((await sandbox.commands.run('wc -c < four.txt')).stdout).toBe('50000\n');
  });

  test('is read in every form, wherever a program could read it', async () => {
    const bytes = Uint8Array.from({ length: 300_000 }, (_, i) => i % 251);
    await sandbox.files.write('bytes', bytes.buffer);
    expect(await sandbox.files.read('bytes', { format: 'bytes' })).toEqual(bytes);
    expect(await sandbox.files.read('four.txt', { gzip: true })).toHaveLength(50_000);
    expect(await sandbox.files.read('/tmp/three.txt')).toBe('3');
    expect(await sandbox.files.read('/etc/passwd')).toMatch(/^sandbox:/m);
    await sandbox.commands.run('touch empty');
    expect(await sandbox.files.read('empty')).toBe('');
  });

  test('that is not there, or is no file’s, is told apart', async () => {
    expect(await failure(sandbox.files.read('nowhere'))).toMatchObject({
      name: 'FileNotFoundError',
      message: 'File not found: /home/user/nowhere',
    });
    expect((await failure(sandbox.files.read('deep'))).name).toBe('InvalidArgumentError');
    expect((await failure(sandbox.files.write('/etc/passwd', 'x'))).message).toMatch(/Read-only: /);
    expect((await failure(sandbox.files.write('/usr/x', 'x'))).message).toMatch(/Read-only: /);
    await sandbox.commands.run('fallocate -l 255M /tmp/much');
    const more = new Uint8Array(4 * 1024 * 1024).buffer;
    for (const path of ['more', '/tmp/more'])
      expect((await failure(sandbox.files.write(path, more))).name).toBe('NotEnoughSpaceError');
    await sandbox.files.remove('/tmp/much');
  });

  test('of root there is none', async () => {
    expect((await failure(sandbox.files.write('x', 'y', { user: 'root' }))).name).toBe('AuthenticationError');
    expect((await failure(sandbox.commands.run('true', { user: 'root' }))).name).toBe('AuthenticationError');
  });
});

describe('entries', () => {
  test('are listed to a depth, with all that is known of them', async () => {
    await sandbox.commands.run(
      'mkdir -p list/a/b && echo 1 > list/z && chmod 640 list/z && ln -s z list/link',
    );
    const paths = async (depth: number) =>
      (await sandbox.files.list('list', { depth })).map(({ path }) => path);
    expect(await paths(1)).toEqual(['a', 'link', 'z'].map(name => `/home/user/list/${name}`));
    expect(await paths(3)).toContain('/home/user/list/a/b');
    const [directory, link, file] = await sandbox.files.list('list');
    expect(directory).toMatchObject({ name: 'a', type: 'dir', permissions: 'drwxr-xr-x' });
    expect(link).toMatchObject({ type: 'symlink', symlinkTarget: '/home/user/list/z' });
    // By itself a link is told as what it leads to.
    expect(await sandbox.files.getInfo('list/link')).toMatchObject({ type: 'file', size: 1 });
    expect(file).toMatchObject({
      type: 'file',
      size: 2,
      mode: 0o640,
      permissions: '-rw-r-----',
      owner: 'user',
      group: 'user',
    });
    expect(Date.now() - file!.modifiedTime!.getTime()).toBeLessThan(60_000);
    const root = (await sandbox.files.list('/')).map(({ path }) => path);
    expect(root).toContain('/home');
    expect(root).not.toContain('/workspace');
  });

  test('are made once, moved and removed', async () => {
    expect([await sandbox.files.makeDir('made/below'), await sandbox.files.makeDir('made/below')]).toEqual([
      true,
      false,
    ]);
    await sandbox.files.write('made/file', 'x');
    expect((await sandbox.files.rename('made/file', 'made/new/name')).path).toBe('/home/user/made/new/name');
    expect((await sandbox.files.rename('made/new/name', '/tmp/moved')).path).toBe('/tmp/moved');
    await sandbox.files.remove('made');
    await sandbox.files.remove('made');
    expect([await sandbox.files.exists('made'), await sandbox.files.exists('/tmp/moved')]).toEqual([
      false,
      true,
    ]);
    expect((await failure(sandbox.files.rename('made', 'x'))).name).toBe('FileNotFoundError');
  });

  test('have the metadata of their last upload, which programs see as attributes, where the kernel keeps them', async () => {
    const set = `touch probe && python3 -c 'import os; os.setxattr("probe", "user.e2b.x", b"1")'`;
    const kept = await sandbox.commands.run(set).catch(() => null);
    const upload = sandbox.files.write('marked', 'x', { metadata: { one: '1', two: 'a b' } });
    if (!kept) return expect((await failure(upload)).message).toMatch(/keeps no metadata of files/);
    expect((await upload).metadata).toEqual({ one: '1', two: 'a b' });
    const get = `python3 -c 'import os; print(os.getxattr("marked", "user.e2b.two"))'`;
    expect((await sandbox.commands.run(get)).stdout).toBe("b'a b'\n");
    const moved = await sandbox.files.rename('marked', 'made/marked');
    expect(moved.metadata).toEqual({ one: '1', two: 'a b' });
    await sandbox.files.write('made/marked', 'y');
    expect((await sandbox.files.getInfo('made/marked')).metadata).toBeUndefined();
  });
});

test('a directory that is watched tells what becomes of what is in it, also in directories made later', async () => {
  await sandbox.files.makeDir('watched');
  const events: FilesystemEvent[] = [];
  const seen = (name: string, type: string) =>
    events.some(event => event.name === name && event.type === type);
  const until = async (name: string, type: string) => {
    while (!seen(name, type)) await new Promise(resolve => setTimeout(resolve, 20));
  };
  const watch = await sandbox.files.watchDir('watched', event => void events.push(event), {
    recursive: true,
    includeEntry: true,
  });
  await sandbox.files.write('watched/file', '1');
  await until('file', 'write');
  expect(events[0]).toMatchObject({
    name: 'file',
    type: 'create',
    entry: { path: '/home/user/watched/file' },
  });
  await sandbox.files.makeDir('watched/later');
  await until('later', 'create');
  await sandbox.files.write('watched/later/two', '2');
  await until('later/two', 'write');
  await sandbox.commands.run('mv watched/file watched/renamed; rm watched/later/two');
  await until('file', 'rename');
  await until('renamed', 'create');
  await until('later/two', 'remove');
  await watch.stop();
  expect((await failure(sandbox.files.watchDir('nowhere', () => {}))).name).toBe('FileNotFoundError');
  expect((await failure(sandbox.files.watchDir('four.txt', () => {}))).name).toBe('InvalidArgumentError');
});

describe('a URL that is signed', () => {
  const get = async (of: string) => {
    const reply = await fetch(of);
    return [reply.status, await reply.text()];
  };

  test('reads or writes one file, for whoever has it and as long as it says', async () => {
    await sandbox.files.write('signed.txt', 'signed');
    expect(await get(await sandbox.downloadUrl('signed.txt', { useSignatureExpiration: 60 }))).toEqual([
      200,
      'signed',
    ]);
    const expired = await sandbox.downloadUrl('signed.txt', { useSignatureExpiration: -60 });
    expect(await get(expired)).toEqual([401, '{"code":401,"message":"signature is already expired"}']);
    const form = new FormData();
    form.append('file', 'uploaded');
    const to = await sandbox.uploadUrl('uploaded.txt');
    const reply = await fetch(to, { method: 'POST', body: form });
    expect(await reply.json()).toEqual([
      { name: 'uploaded.txt', path: '/home/user/uploaded.txt', type: 'file' },
    ]);
    expect(await text('uploaded.txt')).toBe('uploaded');
  });

  test('is good for nothing else', async () => {
    const good = new URL(await sandbox.downloadUrl('signed.txt'));
    const changed = (change: (query: URLSearchParams) => void) => {
      const other = new URL(good);
      change(other.searchParams);
      return get(other.href);
    };
    const refused = [401, '{"code":401,"message":"invalid signature"}'];
    expect(await changed(query => query.set('path', 'four.txt'))).toEqual(refused);
    expect(await changed(query => query.set('signature_expiration', '9999999999'))).toEqual(refused);
    expect(await changed(query => query.set('signature', 'v1_'))).toEqual(refused);
    expect((await changed(query => query.delete('signature')))[0]).toBe(401);
    expect((await fetch(good, { method: 'POST', body: 'x' })).status).toBe(401);
  });
});
