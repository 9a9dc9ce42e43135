import {
  chmodSync,
  linkSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
  truncateSync,
} from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Files } from '../../src/sandbox.ts';
import { AgentProcess } from './agent-process.ts';

/** What a write or a copy leaves of the file that was there, through a real agent. */
let agent: AgentProcess;
let files: Files;
beforeEach(async () => {
  agent = await AgentProcess.start();
  files = agent.client.files;
});
afterEach(() => agent[Symbol.asyncDispose]());

const at = (name = '') => agent.path(name);
const write = (name: string, text: string, options = {}) => files.write(at(name), Buffer.from(text), options);
const text = (name: string) => readFileSync(at(name), 'utf8');
const blocks = (name: string) => statSync(at(name)).blocks;

test('a file is replaced as a whole: who has it open reads on in the old one', async () => {
  await write('f', 'old text');
  chmodSync(at('f'), 0o750);
  const held = openSync(at('f'), 'r');
  await write('f', 'new');
  const buffer = Buffer.alloc(8);
  readSync(held, buffer, 0, 8, 0);
  expect([buffer.toString(), text('f'), statSync(at('f')).mode & 0o777]).toEqual(['old text', 'new', 0o750]);
  expect(readdirSync(at())).toEqual(['f']);
});

test('a file of several names has one content under all of them', async () => {
  await write('f', 'old');
  linkSync(at('f'), at('g'));
  await write('f', 'longer than it was');
  expect([text('f'), text('g')]).toEqual(['longer than it was', 'longer than it was']);
  await write('f', 's');
  expect([text('g'), statSync(at('g')).nlink]).toEqual(['s', 2]);
  await write('source', 'copied');
  await files.copy(at('source'), at('g'), { overwrite: true });
  expect([text('f'), statSync(at('f')).nlink]).toEqual(['copied', 2]);
});

test('a link to a file stays a link', async () => {
  await agent.shell('mkdir d; echo old > d/f; ln -s d/f link');
  await write('link', 'new');
  await files.copy(at('link'), at('link2'), { overwrite: true });
  expect([text('d/f'), text('link2'), readdirSync(at('d'))]).toEqual(['new', 'new', ['f']]);
  expect((await agent.shell('readlink link')).stdout.toString()).toBe('d/f\n');
});

test('a program that runs can be replaced', async () => {
  await agent.shell('cp /bin/sleep nap');
  const running = await agent.start([at('nap'), '60']);
  await write('nap', '#!/bin/sh\necho new\n');
  expect((await agent.run([at('nap')])).stdout.toString()).toBe('new\n');
  running.kill();
});

test('what is appended goes to the file itself, also to one that is not there yet', async () => {
  await write('new/log', 'a', { append: true });
  const { ino } = statSync(at('new/log'));
  await write('new/log', 'b', { append: true });
  expect([text('new/log'), statSync(at('new/log')).ino]).toEqual(['ab', ino]);
});

test('holes are copied as holes, and a hole replaces what was there', async () => {
  await agent.shell(
    'truncate -s 1T hole; printf x | dd of=hole bs=1 seek=500000000000 conv=notrunc; truncate -s 1M empty',
  );
  expect(await files.copy(at('hole'), at('copy'), { overwrite: true })).toBe(2 ** 40);
  expect([statSync(at('copy')).size, blocks('copy')]).toEqual([2 ** 40, blocks('hole')]);
  const { data } = await files.read(at('copy'), { offset: 499_999_999_999, length: 3 });
  expect(Buffer.from(data).toString('latin1')).toBe('\0x\0');
  await agent.shell('yes | head -c 2M > full; ln full same');
  await files.copy(at('empty'), at('full'), { overwrite: true });
  expect(readFileSync(at('same'))).toEqual(Buffer.alloc(1 << 20));
  expect(blocks('same')).toBe(0);
  truncateSync(at('empty'), 0);
  expect(await files.copy(at('empty'), at('same'), { overwrite: true })).toBe(0);
});

test('what is refused leaves no directory behind that was made for it', async () => {
  await agent.shell('mkdir d; echo x > f');
  const refused = [
    write(`new/deep/${'x'.repeat(300)}`, 'x'),
    files.copy(at('f'), at(`new/deep/${'x'.repeat(300)}`), { overwrite: true }),
    files.move(at('d'), at('d/new/deep/e'), { overwrite: true }),
    files.makeDirectory(at(`new/deep/${'x'.repeat(300)}`), { recursive: true }),
  ];
  for (const each of refused) await expect(each).rejects.toThrow(/Name too long|Not possible/);
  expect(readdirSync(at('d'))).toEqual([]);
  expect(readdirSync(at()).sort()).toEqual(['d', 'f']);
});
