import { lstatSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { expect, test } from 'vitest';
import { AgentProcess, collect, ENV } from './agent-process.ts';
import { agentFile, SANITIZER_ENV } from './builds.ts';

/** Archives are made and read by hand here, or by GNU tar: the one that is tried is `agent tar`. */
const BLOCK = 512;
/** Leaks can't be looked for: that takes ptrace(2), which the agent lets none of its programs have. */
const CHECKED = { ...ENV, ...SANITIZER_ENV };

interface Member {
  readonly name: string;
  readonly type?: string;
  readonly link?: string;
  readonly content?: Buffer | string;
  readonly mode?: number;
  /** What its size field says, where that is not the content's. */
  readonly size?: number;
}

function member({ name, type = '0', link = '', content = '', mode = 0o644, size }: Member): Buffer {
  const body = Buffer.from(content);
  const header = Buffer.alloc(BLOCK);
  const field = (text: string, at: number) => header.write(text, at, 'latin1');
  const octal = (value: number, at: number, digits: number) =>
    field(value.toString(8).padStart(digits, '0'), at);
  field(name, 0);
  octal(mode, 100, 7);
  octal(size ?? body.byteLength, 124, 11);
  octal(1_000_000_000, 136, 11);
  field('        ', 148);
  field(type, 156);
  field(link, 157);
  field('ustar\0'.concat('00'), 257);
  octal(
    header.reduce((sum, byte) => sum + byte, 0),
    148,
    6,
  );
  header.write('\0 ', 154, 'latin1');
  return Buffer.concat([header, body, Buffer.alloc((BLOCK - (body.byteLength % BLOCK)) % BLOCK)]);
}

const archive = (...members: Member[]) =>
  Buffer.concat([...members.map(each => member(each)), Buffer.alloc(2 * BLOCK)]);

/** `ordinary`: by a user whom permissions hold up. */
async function open({ ordinary = false } = {}) {
  const agent = await AgentProcess.start({ uid: ordinary && process.getuid?.() === 0 ? 65_534 : null });
  const run = (operation: string, name: string, stdin?: Uint8Array) =>
    agent.run([agentFile('sanitized'), 'tar', operation, agent.path(name)], stdin, { env: CHECKED });
  const unpack = async (tar: Uint8Array, name = 'in') => {
    const { exit, stderr } = await run('unpack', name, tar);
    return { ok: exit.type === 'exit' && exit.code === 0, why: stderr.toString().trim() };
  };
  return { agent, run, unpack, [Symbol.asyncDispose]: () => agent[Symbol.asyncDispose]() };
}

test.each(['gnu', 'posix', 'ustar', 'v7'])(
  'trees come back from archives of GNU tar’s format %s, and go into ones that it reads',
  async format => {
    await using tried = await open();
    const { agent, run, unpack } = tried;
    const seen = (name: string) =>
      agent.shell(
        `cd ${name} && find . -printf '%p %y %m %T@ %l\\n' | grep -v '^[.] ' | sed 's/[.][0-9]* / /' | sort; find . -type f -exec sha256sum {} + | sort`,
      );
    const long = format === 'v7' ? 'deep' : 'n'.repeat(60);
    await agent.shell(`mkdir -p t/${long}/${long}/${long}/empty shut; echo x > t/${long}/${long}/f; head -c 100001 /dev/urandom > t/big; : > t/none
    ln -s /etc/passwd t/out; ln -s ${long} t/in; chmod 640 t/big; mkdir t/shut; echo s > t/shut/s; chmod 500 t/shut; touch -d @1000000000 t/${long}`);
    if (format !== 'v7') await agent.shell('mkfifo t/pipe; touch "t/name with spaces é"');
    const before = (await seen('t')).stdout.toString();
    expect(before.split('\n').length).toBeGreaterThan(10);
    const made = await agent.shell(`tar -C t --format=${format} -cf - .`);
    expect(await unpack(made.stdout, 'new/in')).toEqual({ ok: true, why: '' });
    expect((await seen('new/in')).stdout.toString()).toBe(before);
    // Once more over what is there.
    expect((await unpack(made.stdout, 'new/in')).ok).toBe(true);
    expect((await seen('new/in')).stdout.toString()).toBe(before);
    const packed = (await run('pack', 'new/in')).stdout;
    const read = await agent.run(['tar', '-C', agent.path('shut'), '-xf', '-'], packed);
    expect(read.stderr.toString()).toBe('');
    expect((await seen('shut')).stdout.toString()).toBe(before);
  },
);

test.each<[string, Member[], string]>([
  [
    'an absolute name',
    [{ name: '/proc/nowhere', content: 'x' }],
    'A name of the archive leads out of it: /proc/nowhere',
  ],
  [
    'a name with ..',
    [{ name: 'a/../../x', content: 'x' }],
    'A name of the archive leads out of it: a/../../x',
  ],
  ['..', [{ name: '..', type: '5' }], 'A name of the archive leads out of it: ..'],
  [
    'a file behind a link that it has brought',
    [
      { name: 'l', type: '2', link: '..' },
      { name: 'l/x', content: 'x' },
    ],
    'Not a directory: l',
  ],
  [
    'a directory in the place of a link',
    [
      { name: 'l', type: '2', link: '..' },
      { name: 'l', type: '5' },
    ],
    'Not a directory: l',
  ],
  [
    'a hard link to a file outside',
    [{ name: 'l', type: '1', link: '../kept' }],
    'A link of the archive leads out of it: ../kept',
  ],
  [
    'a hard link behind a link',
    [
      { name: 'd', type: '2', link: '..' },
      { name: 'l', type: '1', link: 'd/kept' },
    ],
    'Not a directory: d',
  ],
  [
    'a hard link to a link',
    [
      { name: 'd', type: '2', link: '../kept' },
      { name: 'l', type: '1', link: 'd' },
    ],
    'A link of the archive leads to no file: l',
  ],
  ['a device', [{ name: 'null', type: '3' }], 'Devices of an archive are not made: null'],
  ['another type', [{ name: 's', type: 'S' }], 'An entry of the archive is of no type that is read: s'],
  ['an empty name', [{ name: '' }], 'A name of the archive leads out of it: '],
  [
    'a file of no end',
    [{ name: 'f', content: 'x', size: 10_000 }],
    'The archive ends in the middle of an entry',
  ],
  [
    'an extended header of no end',
    [{ name: 'x', type: 'x', size: 8_000_000_000 }],
    'An extended header of the archive is over 262144 bytes',
  ],
  [
    'an extended header that is broken',
    [{ name: 'x', type: 'x', content: '99999999999999999999 path=x\n' }],
    'An extended header of the archive is broken',
  ],
  [
    'an extended name that leads out',
    [{ name: 'x', type: 'x', content: '18 path=../../abc\n' }, { name: 'f' }],
    'A name of the archive leads out of it: ../../abc',
  ],
  [
    'a name of many parts',
    [{ name: 'L', type: 'L', content: 'd/'.repeat(3000) }, { name: 'f' }],
    'A name of the archive is too long',
  ],
])('an archive with %s is refused, and nothing outside is touched', async (_, members, why) => {
  await using tried = await open();
  const { agent, unpack } = tried;
  await agent.shell('echo kept > kept; mkdir in');
  const { ok, why: sentence } = await unpack(archive({ name: 'first', content: '1' }, ...members));
  expect([ok, sentence.replace(/^\d /, '')]).toEqual([false, why.trimEnd()]);
  expect(readdirSync(agent.root).sort()).toEqual(['in', 'kept']);
  expect([readFileSync(agent.path('kept'), 'utf8'), statSync(agent.path('kept')).nlink]).toEqual([
    'kept\n',
    1,
  ]);
  expect(readFileSync(agent.path('in/first'), 'utf8')).toBe('1');
});

test('a link is replaced and not followed, and no file keeps the right to be another user', async () => {
  await using tried = await open();
  const { agent, unpack } = tried;
  await agent.shell('echo kept > kept; mkdir in; ln -s ../kept in/f; ln -s ../kept in/g');
  const tar = archive({ name: 'f', content: 'new', mode: 0o6755 }, { name: 'g', type: '6' });
  expect(await unpack(tar)).toEqual({ ok: true, why: '' });
  expect(readFileSync(agent.path('kept'), 'utf8')).toBe('kept\n');
  const { mode } = lstatSync(agent.path('in/f'));
  expect([mode.toString(8), lstatSync(agent.path('in/g')).isFIFO()]).toEqual(['100755', true]);
});

test('a file takes another’s place whole or not at all', async () => {
  await using tried = await open();
  const { agent, unpack } = tried;
  await agent.shell('mkdir in; echo old > in/f');
  const cut = archive({ name: 'f', content: 'new' }, { name: 'f', content: 'x', size: 10_000 });
  expect((await unpack(cut)).why).toMatch(/ends in the middle/);
  expect([readdirSync(agent.path('in')), readFileSync(agent.path('in/f'), 'utf8')]).toEqual([['f'], 'new']);
  // Whoever sends it leaves, and its program is ended.
  const unpacking = await agent.start([agentFile('sanitized'), 'tar', 'unpack', agent.path('in')], {
    stdin: 'pipe',
    env: CHECKED,
  });
  await unpacking.write(cut.subarray(2 * BLOCK, 3 * BLOCK));
  await expect.poll(() => readdirSync(agent.path('in')).length, { timeout: 60_000 }).toBe(2);
  unpacking.signal('SIGTERM');
  await collect(unpacking);
  expect([readdirSync(agent.path('in')), readFileSync(agent.path('in/f'), 'utf8')]).toEqual([['f'], 'new']);
});

test('a hard link to what is that file already changes nothing, and one to nothing makes nothing', async () => {
  await using tried = await open();
  const { agent, unpack } = tried;
  const link = { name: 'f', type: '1', link: './f' };
  expect(await unpack(archive({ name: 'f', content: 'x' }, link, { ...link, name: 'g' }, link))).toEqual({
    ok: true,
    why: '',
  });
  expect([readFileSync(agent.path('in/f'), 'utf8'), statSync(agent.path('in/g')).nlink]).toEqual(['x', 2]);
  expect((await unpack(archive({ ...link, link: 'no/f' }))).why).toMatch(
    /^\d A link of the archive leads to no file: f$/,
  );
  expect(readdirSync(agent.path('in')).sort()).toEqual(['f', 'g']);
});

test('directories get their permissions whatever order they come in, and however often', async () => {
  await using tried = await open({ ordinary: true });
  const { agent, unpack } = tried;
  const directory = (name: string, mode: number) => ({ name, mode, type: '5' });
  const many = Array.from({ length: 200 }, (_, i) => directory(i % 2 ? 'a/./' : `a/c${i % 7}`, 0o700));
  const tar = archive(directory('a/b//d/', 0o500), directory('a/b/', 0), ...many, directory('./a', 0o100));
  expect(await unpack(tar)).toEqual({ ok: true, why: '' });
  const modes = ['a', 'a/b', 'a/c0'].map(name => statSync(agent.path(`in/${name}`)).mode & 0o777);
  expect(modes).toEqual([0o100, 0, 0o700]);
  await agent.shell('chmod -R 700 in');
});

test('what its owner has shut is packed, and shut as before', async () => {
  await using tried = await open({ ordinary: true });
  const { agent, run } = tried;
  const shut = 'chmod 600 in/a/b; chmod 0 in/a/f in/a in/g';
  await agent.shell(`mkdir -p in/a/b/c; echo f | tee in/a/f in/a/b/c/f in/g; ln -s f in/a/b/l; ${shut}`);
  const before = (await agent.shell('stat -c %a in/a in/g')).stdout.toString();
  const { stdout, stderr } = await run('pack', 'in');
  expect(stderr.toString()).toBe('');
  const listed = await agent.run(['tar', '-tvf', '-'], stdout);
  const names = listed.stdout
    .toString()
    .trim()
    .split('\n')
    .map(line => [line.slice(0, 10), line.replace(/^.* \d\d:\d\d /, '')]);
  expect(names).toEqual([
    ['d---------', 'a/'],
    ['drw-------', 'a/b/'],
    ['drwxr-xr-x', 'a/b/c/'],
    ['-rw-r--r--', 'a/b/c/f'],
    ['lrwxrwxrwx', 'a/b/l -> f'],
    ['----------', 'a/f'],
    ['----------', 'g'],
  ]);
  expect([before, (await agent.shell('stat -c %a in/a in/g')).stdout.toString()]).toEqual([
    '0\n0\n',
    '0\n0\n',
  ]);
  await agent.shell('chmod 700 in/a; chmod -R u+rwx in');
});

test('whatever is not an archive is refused, and never more than that', async () => {
  await using tried = await open();
  const { unpack } = tried;
  const good = archive({ name: 'a', content: 'x'.repeat(700) }, { name: 'l', type: '2', link: 'a' });
  let state = 1;
  for (let round = 0; round < 20; round++) {
    const bad = Buffer.from(good);
    for (let i = 0; i < 3; i++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      bad[state % bad.byteLength] = (state >>> 8) & 0xff;
    }
    const { ok, why } = await unpack(bad.subarray(0, 1 + (state % bad.byteLength)));
    // A sanitizer would say more.
    if (!ok) expect(why).toMatch(/^\d [^\n]+$/);
  }
});
