import { expect, it } from 'vitest';
import { RunningCalls } from '../../../routes/mcp/running-calls.ts';

const ANN = { owner: 'ann' };
const BOB = { owner: 'bob' };

it('cancels the call of that id, connection and key, and no other', () => {
  const calls = new RunningCalls();
  const call = new AbortController();
  calls.begin('one', ANN, 1, call);
  calls.cancel('one', BOB, 1);
  calls.cancel('two', ANN, 1);
  calls.cancel('one', ANN, '1');
  calls.cancel('one', ANN, undefined);
  expect(call.signal.aborted).toBe(false);
  calls.cancel('one', ANN, 1);
  expect(call.signal.aborted).toBe(true);
});

it('knows nothing of calls that have ended, and of two with one id the later', () => {
  const calls = new RunningCalls();
  const [first, second] = [new AbortController(), new AbortController()];
  const endFirst = calls.begin('one', ANN, 1, first);
  const endSecond = calls.begin('one', ANN, 1, second);
  endFirst();
  calls.cancel('one', ANN, 1);
  expect([first.signal.aborted, second.signal.aborted]).toEqual([false, true]);
  endSecond();
  calls.cancel('one', ANN, 1);
});
