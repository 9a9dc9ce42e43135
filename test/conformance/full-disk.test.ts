import { describe, expect, inject, test } from 'vitest';
import { sandboxes } from '../support/matrix.ts';
import { TestSession } from '../support/session.ts';

/** A disk that is full takes nothing from the files that are there. */
const server = inject('server');
const NO_SPACE = /^No space left in the sandbox: \/workspace\//;

const cells = await sandboxes();

describe.for(cells)('a session of $name whose disk is full', ({ language, runtimeType }) => {
  /** With so many KiB left, a file `old` that is large, and `small`, `log`, `twin` and `other`, which is the same. */
  async function full(leftKiB: number): Promise<TestSession> {
    const session = await TestSession.open(server.wsUrl, { language, runtimeType, memoryLimitMB: 128 });
    const script = `
      head -c 3000000 /dev/zero > old; echo small > small; echo log > log; echo twin > twin; ln twin other
      head -c ${leftKiB}K /dev/zero > left; cat /dev/zero > filler 2> /dev/null; rm left; df . > /dev/null`;
    expect(await session.shell('sh', ['-c', script])).toMatchObject({ stderr: '' });
    return session;
  }
  const names = async (session: TestSession) => (await session.shell('ls', ['-A'])).stdout.trim().split('\n');
  const content = async (session: TestSession, path: string) =>
    (await session.done('read_file', { path })).content;
  const BEFORE = ['filler', 'log', 'old', 'other', 'small', 'twin'];
  const TOO_MUCH = 'x'.repeat(6_000_000);

  test('keeps each file that a write, an append or a copy would not fit over', async () => {
    await using session = await full(64);
    const free = (await session.shell('df', ['--output=avail', '.'])).stdout;
    const refused = [
      ['write_file', { path: 'old', content: TOO_MUCH }],
      ['write_file', { path: 'small', content: TOO_MUCH }],
      ['write_file', { path: 'twin', content: TOO_MUCH }],
      ['write_file', { path: 'log', content: TOO_MUCH, mode: 'Append' }],
      ['write_file', { path: 'new/file', content: TOO_MUCH }],
      ['write_file', { path: 'new/log', content: TOO_MUCH, mode: 'Append' }],
      ['copy_file', { sourcePath: 'old', destinationPath: 'small' }],
      ['copy_file', { sourcePath: 'old', destinationPath: 'other' }],
      ['copy_file', { sourcePath: 'old', destinationPath: 'new/copy' }],
    ] as const;
    for (const [type, fields] of refused)
      expect(await session.command(type, fields), type).toMatchObject({
        success: false,
        error: expect.stringMatching(NO_SPACE),
      });
    expect(await names(session)).toEqual(BEFORE);
    expect((await session.shell('df', ['--output=avail', '.'])).stdout).toBe(free);
    const sizes = await session.shell('stat', ['-c', '%s', 'old', 'small', 'log', 'twin', 'other']);
    expect(sizes.stdout.split('\n').map(Number).slice(0, 5)).toEqual([3_000_000, 6, 4, 5, 5]);
    expect([await content(session, 'log'), await content(session, 'other')]).toEqual(['log\n', 'twin\n']);
  });

  test('replaces a file by one that fits only in its place', async () => {
    await using session = await full(0);
    await session.done('write_file', { path: 'old', content: 'y'.repeat(2_900_000) });
    expect((await content(session, 'old')) === 'y'.repeat(2_900_000)).toBe(true);
    await session.done('write_file', { path: 'old', content: 'short' });
    expect(await content(session, 'old')).toBe('short');
    await session.done('write_file', { path: 'small', content: 'SMALL\n' });
    expect([await content(session, 'small'), await names(session)]).toEqual(['SMALL\n', BEFORE]);
  });

  test('copies a file of holes that is larger than the disk', async () => {
    await using session = await full(256);
    await session.shell('sh', ['-c', 'truncate -s 8G holes; printf end >> holes']);
    const answer = await session.done('copy_file', { sourcePath: 'holes', destinationPath: 'copy' });
    expect(answer.bytes).toBe(2 ** 33 + 3);
    const { stdout } = await session.shell('sh', [
      '-c',
      'stat -c "%s %b" copy; tail -c 4 copy | od -An -tx1',
    ]);
    expect(stdout).toBe(`${2 ** 33 + 3} 8\n 00 65 6e 64\n`);
  });
});

test('where no file can be made any more, a write says so and changes nothing', async () => {
  const { language, runtimeType } = cells[0]!;
  await using session = await TestSession.open(server.wsUrl, { language, runtimeType, memoryLimitMB: 128 });
  await session.done('write_file', { path: 'small', content: 'small' });
  await session.shell('sh', ['-c', 'mkdir many; cd many; seq 70000 | xargs touch 2> /dev/null']);
  await session.done('write_file', { path: 'small', content: 'still' });
  const refused = await session.command('write_file', { path: 'new/file', content: 'x' });
  expect(refused).toMatchObject({ success: false, error: expect.stringMatching(NO_SPACE) });
  expect((await session.done('read_file', { path: 'small' })).content).toBe('still');
});
