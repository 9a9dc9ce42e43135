import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Files } from '../../src/sandbox.ts';
import { AgentProcess, collect, until } from './agent-process.ts';

/** File operations through a real agent, on directories that a hostile program has prepared. */
let agent: AgentProcess;
let files: Files;
beforeEach(async () => {
  agent = await AgentProcess.start();
  files = agent.client.files;
});
afterEach(() => agent[Symbol.asyncDispose]());

const ALL = { recursive: true, includeHidden: true, maxDepth: 0 };
const at = (name = '') => agent.path(name);
const said = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    error => `${error.name}: ${error.message.replaceAll(agent.root, '')}`,
  );
const text = async (name: string) => Buffer.from((await files.read(at(name))).data).toString();
const names = async (name = '', options = {}) =>
  (await files.list(at(name), { ...ALL, ...options })).map(entry => entry.path);

test('a file is written, replaced, appended to, and read whole or in part', async () => {
  await files.write(at('a/b/c.txt'), Buffer.from('0123456789'));
  await files.write(at('a/b/c.txt'), Buffer.from('é'), { append: true });
  expect(await text('a/b/c.txt')).toBe('0123456789é');
  const part = await files.read(at('a/b/c.txt'), { offset: 3, length: 4 });
  expect([Buffer.from(part.data).toString(), part.size]).toEqual(['3456', 12]);
  expect((await files.read(at('a/b/c.txt'), { offset: 99 })).data.byteLength).toBe(0);
  chmodSync(at('a/b/c.txt'), 0o751);
  await files.write(at('a/b/c.txt'), Buffer.from('new'));
  expect(await text('a/b/c.txt')).toBe('new');
  expect(statSync(at('a/b/c.txt')).mode & 0o777).toBe(0o751);
});

test('large files go both ways at once, and the agent stays small', async () => {
  const large = Buffer.alloc(10 << 20, Buffer.from(Array.from({ length: 251 }, (_, i) => i)));
  const before = agent.residentBytes;
  const work = Array.from({ length: 4 }, async (_, i) => {
    await files.write(at(`large${i}`), large);
    const { data } = await files.read(at(`large${i}`));
    expect(Buffer.compare(Buffer.from(data), large)).toBe(0);
  });
  const program = agent.run(['cat'], large);
  await Promise.all(work);
  expect((await program).stdout.equals(large)).toBe(true);
  expect(agent.residentBytes - before).toBeLessThan(64 << 20);
});

test('what cannot be done is said in a sentence', async () => {
  await agent.shell('mkdir -p full/x; echo 1 > one; echo 2 > two; mkfifo pipe; mkdir empty');
  expect(await said(files.read(at('missing.py')))).toBe('FileRefused: File not found: /missing.py');
  expect(await said(files.read(at('full')))).toBe('FileRefused: Is a directory: /full');
  expect(await said(files.read(at()))).toBe('FileRefused: Is a directory: ');
  expect(await said(files.write(at('full'), Buffer.from('x')))).toBe('FileRefused: Is a directory: /full');
  expect(await said(files.read(at('one/x')))).toBe('FileRefused: Not a directory: /one/x');
  expect(await said(files.read(at('pipe')))).toBe('FileRefused: Not a regular file: /pipe');
  expect(await said(files.write(at('pipe'), Buffer.from('x')))).toMatch(/Not a regular file/);
  expect(await said(files.list(at('one'), ALL))).toBe('FileRefused: Not a directory: /one');
  const not = { overwrite: false };
  expect(await said(files.copy(at('one'), at('two'), not))).toBe('FileRefused: File exists: /two');
  expect(await said(files.move(at('one'), at('two'), not))).toBe('FileRefused: File exists: /two');
  expect(await said(files.copy(at('full'), at('copy'), not))).toBe('FileRefused: Is a directory: /full');
  expect(await said(files.copy(at('pipe'), at('copy'), not))).toMatch(/Not a regular file/);
  expect(await said(files.move(at('no'), at('copy'), not))).toBe('FileRefused: File not found: /no');
  expect(await said(files.remove(at('full'), { recursive: false }))).toMatch(
    /^FileRefused: Directory not empty: \/full/,
  );
  expect(await said(files.remove(at(), { recursive: true }))).toMatch(/^FileRefused: Cannot be deleted/);
  expect(await names()).toContain('one');
  expect(await said(files.remove(at('empty'), { recursive: false }))).toBe('done');
  expect(await said(files.makeDirectory(at('one'), { recursive: true }))).toBe(
    'FileRefused: File exists: /one',
  );
  expect(await said(files.makeDirectory(at('a/b'), { recursive: false }))).toMatch(/File not found/);
  expect(await files.makeDirectory(at('a/b'), { recursive: true })).toBe(true);
  expect(await files.makeDirectory(at('a/b'), { recursive: true })).toBe(false);
  expect(await said(files.read(at('x'.repeat(256))))).toMatch(/Name too long/);
});

test('copies and moves give their bytes and keep the rest', async () => {
  await agent.shell('echo 12345 > one; ln one same; mkdir dir; echo x > dir/x');
  expect(await files.copy(at('one'), at('new/two'), { overwrite: true })).toBe(6);
  expect(await files.copy(at('one'), at('same'), { overwrite: true })).toBe(6);
  expect(await files.copy(at('one'), at('one'), { overwrite: true })).toBe(6);
  expect(await text('one')).toBe('12345\n');
  expect(await files.move(at('one'), at('new/three'), { overwrite: true })).toBe(6);
  expect(await files.move(at('dir'), at('new/dir'), { overwrite: false })).toBe(0);
  expect(await names()).toEqual(['new', 'new/dir', 'new/dir/x', 'new/three', 'new/two', 'same']);
});

test('a listing says what is there, relative to the root, and follows no link', async () => {
  await agent.shell('mkdir -p src/deep/er .hid; echo hi > src/main.py; ln -s / root; mkfifo p; touch .hid/x');
  const entries = await files.list(at('src'), { ...ALL, recursive: false });
  expect(entries.map(({ name, path, type }) => [name, path, type])).toEqual([
    ['deep', 'src/deep', 'directory'],
    ['main.py', 'src/main.py', 'file'],
  ]);
  expect(entries[1]!.size).toBe(3);
  expect(Math.abs(entries[1]!.modifiedAt - Date.now())).toBeLessThan(60_000);
  const shown = await files.list(at(), { ...ALL, includeHidden: false });
  expect(shown.map(({ path, type }) => `${path} ${type}`)).toEqual([
    'p other',
    'root symlink',
    'src directory',
    'src/deep directory',
    'src/deep/er directory',
    'src/main.py file',
  ]);
  expect(await names('', { maxDepth: 2 })).not.toContain('src/deep/er');
  expect(await names('')).toContain('.hid/x');
});

test('no link leads outside, inside they are followed', async () => {
  await agent.shell(`
    mkdir in; echo in > in/f; ln -s in inside; ln -s ${at('in')} absolute; ln -s f in/g; ln -s ../in/f in/up
    ln -s /etc/passwd pw; ln -s /etc etc; ln -s / root; ln -s .. up; ln -s ../../../../etc dots; ln -s ${at()}/../x sly
    ln -s loop loop; ln -s b a; ln -s a b; ln -s /proc/self/cwd magic; ln -s nowhere dangling; ln -s ${at()}x near
    i=0; ln -s in/f l0; while [ $i -lt 60 ]; do ln -s l$i l$((i+1)); i=$((i+1)); done`);
  for (const name of ['inside/f', 'absolute/f', 'in/g', 'in/up', 'l30'])
    expect(await text(name), name).toBe('in\n');
  const out = [
    'pw',
    'etc/passwd',
    'root/etc/passwd',
    'up/x',
    'dots/passwd',
    'sly',
    'magic',
    'near',
    'in/../../x',
  ];
  for (const name of out) {
    const answer = `FileRefused: Path leaves  through a symbolic link: /${name}`;
    expect(await said(files.read(at(name))), name).toBe(answer);
    expect(await said(files.write(at(name), Buffer.from('x'))), name).toBe(answer);
    expect(await said(files.copy(at('in/f'), at(name), { overwrite: true })), name).toBe(answer);
    expect(await said(files.list(at(name), ALL)), name).toBe(answer);
    expect(await said(agent.start(['pwd'], { cwd: at(name) })), name).toBe(answer);
  }
  for (const name of ['root/tmp/d', 'etc/d', 'up/d']) {
    expect(await said(files.makeDirectory(at(name), { recursive: true })), name).toMatch(/leaves/);
    expect(await said(files.remove(at(name), { recursive: true })), name).toMatch(/leaves/);
    expect(await said(files.move(at('in/f'), at(name), { overwrite: true })), name).toMatch(/leaves/);
  }
  for (const name of ['loop', 'a', 'l60'])
    expect(await said(files.read(at(name)))).toMatch(/Too many symbolic links/);
  expect(await said(files.read('/etc/passwd'))).toMatch(/leaves/);
  expect(await said(files.read(`${at()}\0/../etc`))).toMatch(/leaves/);
  await files.write(at('dangling'), Buffer.from('made'));
  expect(await text('nowhere')).toBe('made');
  // The links themselves can go and be moved.
  await files.remove(at('etc'), { recursive: true });
  await files.move(at('root'), at('in/root'), { overwrite: false });
  expect(existsSync('/etc/passwd')).toBe(true);
});

test('a link that is swapped in a race never leads outside', async () => {
  const script = `
import os
os.mkdir('dir'); open('dir/passwd', 'w').write('inside'); os.symlink('/etc', 'link')
while True:
    os.rename('dir', 'aside'); os.rename('link', 'dir'); os.rename('dir', 'link'); os.rename('aside', 'dir')`;
  const swapper = await agent.start(['python3', '-c', script]);
  await until('the race is on', () => existsSync(at('link')));
  const answers = new Set<string>();
  for (let i = 0; i < 3000; i++) {
    await files.read(at('dir/passwd')).then(
      ({ data }) => answers.add(Buffer.from(data).toString()),
      error => answers.add(error.message.split(':')[0]),
    );
    await files.makeDirectory(at('dir/made'), { recursive: false }).catch(() => {});
    for (const path of await names('dir').catch(() => [])) expect(['dir/made', 'dir/passwd']).toContain(path);
  }
  swapper.kill();
  expect(answers).toContain('inside');
  for (const answer of answers) expect(answer).not.toMatch(/root/);
  expect(existsSync('/etc/made')).toBe(false);
});

test('devices and sockets are not files', async () => {
  await agent.shell(
    'python3 -c "import socket; socket.socket(socket.AF_UNIX).bind(\'sock\')"; mknod null c 1 3',
  );
  expect(await said(files.read(at('sock')))).toMatch(/Not a regular file/);
  if (existsSync(at('null'))) {
    // The second where /dev/shm is mounted without devices, as systemd does it.
    const refused = /Not a regular file|Permission denied/;
    expect(await said(files.read(at('null')))).toMatch(refused);
    expect(await said(files.copy(at('null'), at('x'), { overwrite: true }))).toMatch(refused);
  }
  expect(await said(files.write(at('ok'), Buffer.from('x')))).toBe('done');
});

test('a tree ten thousand levels deep is listed as far as it can be named, and removed whole', async () => {
  await agent.run(['python3', '-c', `import os\nfor _ in range(10_000): os.mkdir('d'); os.chdir('d')`]);
  const listed = await names();
  expect(listed.length).toBeGreaterThan(100);
  expect(listed.at(-1)!.length).toBeLessThan(4200);
  await files.remove(at('d'), { recursive: true });
  expect(await names()).toEqual([]);
});

test('long names in deep directories do not make a listing without bound', async () => {
  const script = `
import os
for _ in range(14): os.mkdir('\\x01' * 250); os.chdir('\\x01' * 250)
for i in range(8000): os.close(os.open('\\x02' * 200 + str(i), os.O_CREAT))`;
  await agent.run(['python3', '-c', script]);
  expect(await said(files.list(at(), ALL))).toMatch(/^FileRefused: Too much to list at once/);
  expect(await names('', { maxDepth: 3 })).toHaveLength(3);
});

test('as many files as there are inodes are listed and removed', async () => {
  await agent.run([
    'python3',
    '-c',
    `import os\nfor i in range(65_000): os.close(os.open(f'file-{i}', os.O_CREAT))`,
  ]);
  expect(await names()).toHaveLength(65_000);
  await files.clear();
  expect(await names()).toEqual([]);
}, 60_000);

test('names that are no text neither crash nor vanish', async () => {
  const script = `import os\nfor n in (b'\\xff\\xfe', b'a\\nb', b' ', b'-rf', '漢'.encode()): os.close(os.open(n, os.O_CREAT))`;
  await agent.run(['python3', '-c', script]);
  expect((await names()).sort()).toEqual([' ', '-rf', 'a\nb', '漢', '\\xff\\xfe'].sort());
  await files.clear();
  expect(await names()).toEqual([]);
});

test('a directory that a program has shut is emptied all the same', async () => {
  mkdirSync(at('shut/inner'), { recursive: true });
  writeFileSync(at('shut/inner/f'), 'x');
  symlinkSync('/etc', at('shut/link'));
  chmodSync(at('shut/inner'), 0);
  chmodSync(at('shut'), 0);
  await files.clear();
  expect(await names()).toEqual([]);
  expect(readFileSync('/etc/passwd', 'utf8')).toContain('root');
});

test('removing goes on while a program adds, and ends', async () => {
  const script = `
import os
while True:
    try:
        os.makedirs('d/e', exist_ok=True); open('d/e/f', 'w').close(); os.unlink('d/e/f')
    except OSError: pass`;
  const adder = await agent.start(['python3', '-c', script]);
  for (let i = 0; i < 300; i++) expect(await said(files.clear())).toMatch(/^done$|Directory not empty/);
  adder.kill();
  await collect(adder);
  await files.clear();
  expect(await names()).toEqual([]);
});

test('a terabyte of nothing is refused whole and read in part', async () => {
  await agent.shell('truncate -s 1T huge');
  expect(await said(files.read(at('huge')))).toMatch(/too large/);
  const { data, size } = await files.read(at('huge'), { offset: 5e11, length: 3 });
  expect([Buffer.from(data), size]).toEqual([Buffer.alloc(3), 2 ** 40]);
});

test('a link of the service’s points elsewhere at once, and is not made where a program leads it', async () => {
  const link = at('shown/here');
  await files.link(link, '/packages/one');
  await agent.shell('ln -s planted shown/.new');
  await files.link(link, '/packages/two');
  expect([readlinkSync(link), await names('shown')]).toEqual(['/packages/two', ['shown/here']]);
  await agent.shell('rm -r shown; mkdir other; ln -s other shown');
  expect(await said(files.link(link, '/packages/three'))).toMatch(/^FileRefused: /);
  expect(await names('other')).toEqual([]);
});
