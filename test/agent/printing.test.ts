import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ProcessEvent } from '../../src/sandbox.ts';
import { AgentProcess } from './agent-process.ts';

/** What programs print in many small writes. */
let agent: AgentProcess;
beforeAll(async () => {
  agent = await AgentProcess.start();
});
afterAll(() => agent[Symbol.asyncDispose]());

async function eventsOf(script: string): Promise<ProcessEvent[]> {
  const process = await agent.start(['python3', '-I', '-c', `import os, time\n${script}`]);
  return Array.fromAsync(process.events);
}

const textOf = (events: ProcessEvent[]) =>
  events.map(event => (event.type === 'output' ? Buffer.from(event.data).toString() : '')).join('');

test.each([1, 2])(
  'a hundred thousand lines of a write each come in a fraction as many pieces on %i',
  async fd => {
    const events = await eventsOf(`for i in range(100000): os.write(${fd}, b"%d\\n" % i)`);
    expect(textOf(events)).toBe(Array.from({ length: 100_000 }, (_, i) => `${i}\n`).join(''));
    expect(events.length).toBeLessThan(20_000);
  },
);

test('what was printed on standard output before something on standard error comes before it', async () => {
  const turns = 'for turn in range(100):\n  for i in range(9): os.write(1, b"o")\n';
  const events = await eventsOf(`${turns}  os.write(2, b"e"); time.sleep(0.004)`);
  const text = textOf(events);
  expect(text.length).toBe(1000);
  for (let turn = 1, at = -1; turn <= 100; turn++) {
    at = text.indexOf('e', at + 1);
    expect(text.slice(0, at).replaceAll('e', '').length).toBeGreaterThanOrEqual(9 * turn);
  }
});
