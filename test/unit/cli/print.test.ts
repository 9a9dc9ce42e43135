import { PassThrough, Writable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { flushed, write } from '../../../src/cli/print.ts';

/** What is printed reaches who reads slowly, though the process ends by then. */
test('what is written, or was before, is waited for until the system has it', async () => {
  const taken: (() => void)[] = [];
  const stream = new Writable({ write: (_piece, _encoding, done) => void taken.push(done) });
  const ended: string[] = [];
  stream.write('before');
  void flushed(stream).then(() => ended.push('flushed'));
  void write(stream, 'one').then(() => ended.push('one'));
  for (const expected of [[], [], ['flushed'], ['flushed', 'one']]) {
    await setImmediate();
    expect(ended).toEqual(expected);
    taken.shift()?.();
  }
});

test('nothing is waited for where nothing is held', async () => {
  await expect(flushed(new PassThrough())).resolves.toBeUndefined();
});
