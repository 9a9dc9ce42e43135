import { expect, it } from 'vitest';
import { type RunningCall, RunningCalls } from '../../../routes/mcp/running-calls.ts';

const ANN = { owner: 'ann' };
const BOB = { owner: 'bob' };

/** A call that keeps what happens to it. */
function aCall() {
  const seen: unknown[] = [];
  const call: RunningCall = { cancel: () => seen.push('cancelled'), take: answer => seen.push(answer) };
  return { seen, call };
}

it('cancels the call of that id, connection and key, and no other', () => {
  const calls = new RunningCalls();
  const { seen, call } = aCall();
  calls.begin('one', ANN, 1, call);
  calls.cancel('one', BOB, 1);
  calls.cancel('two', ANN, 1);
  calls.cancel('one', ANN, '1');
  calls.cancel('one', ANN, undefined);
  expect(seen).toEqual([]);
  calls.cancel('one', ANN, 1);
  expect(seen).toEqual(['cancelled']);
});

it('knows nothing of calls that have ended, and of two with one id the later', () => {
  const calls = new RunningCalls();
  const [first, second] = [aCall(), aCall()];
  const endFirst = calls.begin('one', ANN, 1, first.call);
  const endSecond = calls.begin('one', ANN, 1, second.call);
  endFirst();
  calls.cancel('one', ANN, 1);
  endSecond();
  calls.cancel('one', ANN, 1);
  expect([first.seen, second.seen]).toEqual([[], ['cancelled']]);
});

it('hands a client’s answer to the one call of its connection, and to none where there are two', () => {
  const calls = new RunningCalls();
  const [first, second] = [aCall(), aCall()];
  const answer = { id: 0, result: {} } as object;
  calls.begin('one', ANN, 1, first.call);
  calls.answer('one', BOB, answer);
  calls.answer('one', ANN, answer);
  const end = calls.begin('one', ANN, 2, second.call);
  calls.answer('one', ANN, answer);
  end();
  calls.answer('one', ANN, answer);
  expect([first.seen, second.seen]).toEqual([[answer, answer], []]);
});
