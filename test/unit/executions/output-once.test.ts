import { describe, expect, it } from 'vitest';
import type { ExecutionEvent } from '../../../src/schemas/events.ts';
import type { StatusResponse } from '../../../src/schemas/execution.ts';
import { withOutput, withOutputOnce } from '../../../src/service/store/output-once.ts';
import { madeExecution } from '../../service/store/made-execution.ts';

const ID = '0f0c3a53-6a0e-4f6e-9f0c-b1f5a1a9d6c2';
const origin = { executionId: ID, sessionId: null, commandId: null };

type Told = { readonly text: string } | { readonly data: string };

/** Events of one stream, as the log of a run holds them. */
function printed(...pieces: (readonly ['stdout' | 'stderr', Told])[]): ExecutionEvent[] {
  const outputs = pieces.map(([stream, told], i): ExecutionEvent => {
    return { method: 'execution.output', params: { ...origin, seq: i + 2, stream, ...told } };
  });
  const completed = { ...origin, seq: pieces.length + 2, status: 'completed', exitCode: 0 } as const;
  return [...outputs, { method: 'execution.completed', params: completed }];
}

const ended = (over: Partial<StatusResponse>): StatusResponse => ({ ...madeExecution().status, ...over });

describe('output that events and the final state both hold', () => {
  it.each([
    [
      'of one stream',
      { stdout: 'one two', stdoutBytes: 7 },
      printed(['stdout', { text: 'one ' }], ['stdout', { text: 'two' }]),
    ],
    [
      'of two streams',
      { stdout: 'oné', stdoutBytes: 4, stderr: 'two', stderrBytes: 3 },
      printed(['stderr', { text: 'two' }], ['stdout', { text: 'on' }], ['stdout', { text: 'é' }]),
    ],
    [
      'whose beginning the log has dropped',
      { stdout: 'one two', stdoutBytes: 7 },
      printed(['stdout', { text: 'two' }]),
    ],
  ])('is written once: %s', (_, over, events) => {
    const status = ended(over);
    const stored = withOutputOnce(events, status);
    expect(JSON.stringify(stored)).not.toMatch(/text/);
    expect(withOutput(JSON.parse(JSON.stringify(stored)), status)).toEqual(events);
  });

  it.each([
    [
      'what the state has no room for',
      { stdout: 'one', stdoutBytes: 7 },
      printed(['stdout', { text: 'one two' }]),
    ],
    ['bytes that are no text', { stdout: '\ufffd', stdoutBytes: 1 }, printed(['stdout', { data: '/w==' }])],
    ['a state in base64', { stdout: 'b25l', stdoutBytes: 3 }, printed(['stdout', { text: 'one' }])],
    [
      'what lies behind characters of several bytes that the log has dropped',
      { stdout: 'éé two', stdoutBytes: 8 },
      printed(['stdout', { text: 'two' }]),
    ],
  ])('stays in the events where the state lacks it: %s', (_, over, events) => {
    const stored = withOutputOnce(events, ended(over));
    expect(stored).toEqual(events);
    expect(withOutput(stored, ended(over))).toEqual(events);
  });
});
