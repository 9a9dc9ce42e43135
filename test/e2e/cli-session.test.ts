import { execFile } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { CodeBeaker, type Session } from '../../src/client/index.ts';
import { CLI, CLI_ENV, cli } from '../support/cli.ts';

/** What the command line does with a session, as its users have it. */
const { url } = inject('server');
const env = { CODEBEAKER_URL: url };
const client = new CodeBeaker({ url });
let session: Session;
let directory: string;
beforeAll(async () => {
  session = await client.session({ language: 'python' });
  directory = mkdtempSync(join(tmpdir(), 'cli-session-'));
});
afterAll(async () => {
  await session.close();
  client.close();
  rmSync(directory, { recursive: true });
});

test('cells keep variables, their values are printed, and an exception is told', async () => {
  await session.run('x = 20');
  const value = await cli(['exec', session.id, '--code', '-'], { env, input: 'print("a")\nx * 2 + 2' });
  expect(value).toMatchObject({ code: 0, stdout: 'a\n42\n' });
  const failed = await cli(['exec', session.id, '--code', '1 / 0'], { env });
  expect(failed).toMatchObject({ code: 1, stderr: expect.stringMatching(/ZeroDivisionError: .*\n$/) });
});

test('programs read standard input and end as they end; what can’t be started is told', async () => {
  const args = ['exec', session.id, '-i', '-e', 'A=1', '--', 'sh', '-c', 'cat; echo $A; kill -TERM $$'];
  expect(await cli(args, { env, input: 'typed\n' })).toMatchObject({ code: 143, stdout: 'typed\n1\n' });
  const none = await cli(['exec', session.id, '--', 'no-such-program'], { env });
  expect(none).toMatchObject({ code: 69, stderr: 'codebeaker: Program not found: no-such-program\n' });
});

test('what it told is printed again, and each event by its number', async () => {
  await session.run('print("for the log")');
  const { stdout } = await cli(['logs', session.id, '--json'], { env });
  const events = stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line));
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, at) => at + 1));
  expect(events).toContainEqual(expect.objectContaining({ type: 'output', text: 'for the log\n' }));
  // What is no program has no exit code.
  await session.list();
  const { stderr } = await cli(['logs', session.id, '--after', String(events.length)], { env });
  expect(stderr).toMatch(/^codebeaker: \d+ \S+ began\ncodebeaker: \d+ \S+ completed\n$/);
});

test('files and directories go there and back, links only there', async () => {
  const source = join(directory, 'source');
  mkdirSync(join(source, 'sub'), { recursive: true });
  writeFileSync(join(source, 'sub/run'), 'é', { mode: 0o755 });
  symlinkSync('sub/run', join(source, 'link'));
  expect(await cli(['cp', source, `${session.id}:`], { env })).toMatchObject({ code: 0, stderr: '' });
  const listed = await session.shell('stat', ['-c', '%A', 'source/sub/run', 'source/link']);
  expect(listed.stdout).toBe('-rwxr-xr-x\nlrwxrwxrwx\n');
  const back = join(directory, 'back');
  const copied = await cli(['cp', `${session.id}:/workspace/source`, back], { env });
  expect(copied).toMatchObject({
    code: 65,
    stderr: expect.stringMatching(/links are left out, .*: link\n$/),
  });
  expect(readdirSync(back)).toEqual(['sub']);
  expect(readFileSync(join(back, 'sub/run'), 'utf8')).toBe('é');
  await cli(['cp', '-', `${session.id}:from/stdin`], { env, input: Buffer.from([0xff, 0x00]) });
  const [{ bytes }, missing] = await Promise.all([
    cli(['cp', `${session.id}:from/stdin`, '-'], { env }),
    cli(['cp', `${session.id}:missing`, directory], { env }),
  ]);
  expect([...bytes]).toEqual([0xff, 0x00]);
  expect(missing).toMatchObject({ code: 69, stderr: 'codebeaker: File not found: /workspace/missing\n' });
});

test('a link in the directory that is copied to is not followed, and one that is named is', async () => {
  await session.write('door/file', 'new');
  const [outside, into, content, named] = ['outside', 'into', 'content', 'named'].map(name =>
    join(directory, name),
  );
  for (const made of [outside!, into!, content!]) mkdirSync(made);
  writeFileSync(join(outside!, 'file'), 'kept');
  symlinkSync(outside!, named!);
  symlinkSync(outside!, join(into!, 'door'));
  symlinkSync(join(outside!, 'file'), join(into!, 'file'));
  const copies = await Promise.all(
    [
      [`${session.id}:door`, into!],
      [`${session.id}:door/file`, into!],
      [`${session.id}:door/.`, content!],
      [named!, `${session.id}:`],
    ].map(paths => cli(['cp', ...paths], { env })),
  );
  expect(copies.map(({ code }) => code)).toEqual([64, 0, 0, 0]);
  expect(copies[0]!.stderr).toContain('is a link, which is not followed');
  expect(readFileSync(join(outside!, 'file'), 'utf8')).toBe('kept');
  expect(readFileSync(join(into!, 'file'), 'utf8')).toBe('new');
  expect(readdirSync(content!)).toEqual(['file']);
  expect(await session.readText('named/file')).toBe('kept');
});

test('where a copy can not be written, that is told in words, and where no directory can be made it ends', async () => {
  await session.write('word/file', 'new');
  mkdirSync(join(directory, 'taken/file'), { recursive: true });
  writeFileSync(join(directory, 'whole'), '');
  const taken = join(directory, 'taken');
  const said = [
    [`${session.id}:word/file`, taken, `${taken}/file can't be written: it is a directory.`],
    [
      `${session.id}:word/file`,
      join(directory, 'none/file'),
      `none/file can't be written: there is no such directory.`,
    ],
    [
      `${session.id}:word/file`,
      join(directory, 'whole/file'),
      `whole/file can't be written: a part of its path is no directory.`,
    ],
    [
      `${session.id}:word`,
      join(directory, 'whole/word'),
      `whole/word can't be written: a part of its path is no directory.`,
    ],
    [`${session.id}:word`, '/proc/none', `/proc/none can't be written: there is no such directory.`],
  ] as const;
  const copies = await Promise.all(said.map(([from, to]) => cli(['cp', from, to], { env })));
  for (const [at, [, , words]] of said.entries())
    expect(copies[at]).toMatchObject({ code: 70, stderr: expect.stringContaining(words) });
});

test('a file that can not be read here is named', async () => {
  // Nobody may read that, not even root.
  const unread = '/proc/sys/net/ipv4/route/flush';
  expect(await cli(['cp', unread, `${session.id}:`], { env })).toMatchObject({
    code: 64,
    stderr: expect.stringContaining(`${unread} can't be read: it is not allowed.`),
  });
});

/** A terminal of its own for the command line, in which `seen` waits for what is shown. Prints what came of it as JSON. */
const TERMINAL = String.raw`
import fcntl, json, os, pty, select, signal, struct, subprocess, sys, termios
master, slave = pty.openpty()
size = lambda rows, cols: fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack('HHHH', rows, cols, 0, 0))
def own():
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
shown = b''
def seen(word):
    global shown
    while word not in shown:
        shown += os.read(master, 4096)
    shown = shown[shown.index(word) + len(word):]
size(33, 99)
# What is never shown would be waited for.
signal.alarm(100)
before = termios.tcgetattr(slave)
def start(*command):
    return subprocess.Popen([*sys.argv[1:], *command], stdin=slave, stdout=slave, stderr=slave, preexec_fn=own, close_fds=True)
shell = start('--', 'sh', '-c', r'''trap 'echo inter''rupted' INT
size() { until [ "$(stty size)" = "$1" ]; do sleep 0.1; done; echo "of $1"; }
size '33 99'; size '20 50'; until read line; do :; done; echo "line $line"; exit 7''')
seen(b'of 33 99')
size(20, 50)
seen(b'of 20 50')
os.write(master, b'\x03')
seen(b'interrupted')
os.write(master, b'typed\r')
seen(b'line typed')
code = shell.wait()
ended = termios.tcgetattr(slave) == before
waiting = start('--', 'sh', '-c', 'echo be''gan; sleep 600')
seen(b'began')
raw = termios.tcgetattr(slave) != before
waiting.send_signal(signal.SIGTERM)
killed = waiting.wait()
print(json.dumps([code, ended, raw, killed, termios.tcgetattr(slave) == before]))
`;

test('a shell has a terminal of this one’s size, gets every key, and leaves the terminal as it was, also when it is killed', async () => {
  const args = ['-c', TERMINAL, process.execPath, CLI, 'shell', session.id];
  const { stdout } = await promisify(execFile)('/usr/bin/python3', args, {
    env: { ...CLI_ENV, TERM: 'xterm', ...env },
  });
  expect(JSON.parse(stdout)).toEqual([7, true, true, 143, true]);
});

test('without a terminal a shell is refused', async () => {
  expect(await cli(['shell', session.id], { env })).toMatchObject({
    code: 64,
    stderr: expect.stringContaining('exec --interactive'),
  });
});
