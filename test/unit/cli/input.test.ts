import { expect, test } from 'vitest';
import { feed } from '../../../src/cli/input.ts';
import { CodeBeakerError } from '../../../src/client/codebeaker-error.ts';

/** Standard input that a program is given, and what comes of it. */
function taker(refuses = false) {
  const taken: (string | 'end')[] = [];
  const input = async (data: string | Uint8Array, { eof = false } = {}) => {
    if (refuses) throw new CodeBeakerError('COMMAND_FAILED', 'It has ended');
    taken.push(eof ? 'end' : String(data));
  };
  return { taken, input };
}

async function* pieces(error?: Error) {
  yield Buffer.from('one');
  yield Buffer.from('two');
  if (error) throw error;
}

test('is ended where no more of it can be read, for its program would wait', async () => {
  const program = taker();
  await feed(pieces(Object.assign(new Error('EISDIR: read'), { code: 'EISDIR' })), program);
  expect(program.taken).toEqual(['one', 'two', 'end']);
});

test('comes whole, and nobody minds a program that has ended', async () => {
  const program = taker();
  await feed(pieces(), program);
  expect(program.taken).toEqual(['one', 'two', 'end']);
  await expect(feed(pieces(), taker(true))).resolves.toBeUndefined();
});
