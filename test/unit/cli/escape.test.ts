import { expect, test } from 'vitest';
import { Escape } from '../../../src/cli/escape.ts';

/** What is sent of keys that are typed, a piece each, and whether they leave. */
function typed(...pieces: string[]) {
  const keys = new Escape();
  let sent = '';
  for (const piece of pieces) {
    const { send, leaves } = keys.take(Buffer.from(piece));
    sent += Buffer.from(send).toString();
    if (leaves) return [sent, 'left'];
  }
  return [sent];
}

test.each([
  [['~.'], ['', 'left']],
  [
    ['ls\r', '~', '.'],
    ['ls\r', 'left'],
  ],
  [['ls\r~.rest'], ['ls\r', 'left']],
  [['ls ~.'], ['ls ~.']],
  [['~~.'], ['~.']],
  [['~a'], ['~a']],
  [['\r~\r~.'], ['\r~\r', 'left']],
  [['é~.'], ['é~.']],
])('%j', (pieces, outcome) => {
  expect(typed(...pieces)).toEqual(outcome);
});
