import { describe, expect, inject, it } from 'vitest';
import { lentSession } from '../support/lent-session.ts';
import { runtimes } from '../support/matrix.ts';
import { textOf } from '../support/stream.ts';

const { wsUrl } = inject('server');
const LINES = 40;

/** Each line in four writes, and a pause after it. */
const TICKS = {
  python: `
import os, time
for i in range(${LINES}):
    for part in ('tick', ' ', str(i), '\\n'): os.write(1, part.encode())
    time.sleep(0.015)`,
  javascript: `
import { writeSync } from 'node:fs';
for (let i = 0; i < ${LINES}; i++) {
  for (const part of ['tick', ' ', String(i), '\\n']) writeSync(1, part);
  await new Promise(resolve => setTimeout(resolve, 15));
}`,
};

/** Both streams in turn, then a result at once. */
const STREAMS_IN_TURN = {
  python: `
import os, time
for i in range(20):
    os.write(1 + i % 2, b'%d\\n' % i)
    time.sleep(0.002)
5`,
  javascript: `
import { writeSync } from 'node:fs';
for (let i = 0; i < 20; i++) {
  writeSync(1 + (i % 2), i + '\\n');
  await new Promise(resolve => setTimeout(resolve, 2));
}
5`,
};

const IN_TURN = Array.from({ length: 20 }, (_, i) => i);
const ticks = Array.from({ length: LINES }, (_, i) => `tick ${i}\n`).join('');

describe.for(await runtimes())('live output of $name', ({ language, runtimeType, dialect }) => {
  it('is about one event a line, though a line comes in several writes', async () => {
    await using session = await lentSession(wsUrl, { language, runtimeType });
    const { notifications } = session.client;
    const { result } = await session.cell(TICKS[dialect]);
    expect(result.stdout).toBe(ticks);
    await session.command('execute_code', { code: TICKS[dialect] }, { stream: true });
    expect(textOf(notifications)).toBe(ticks);
    const outputs = notifications.filter(n => n.method === 'execution.output');
    expect(outputs.length).toBeLessThan(2 * LINES);

    notifications.length = 0;
    await session.command('execute_code', { code: STREAMS_IN_TURN[dialect] }, { stream: true });
    // Two pipes: what comes of both at once has no order, what comes of each has.
    for (const [odd, stream] of ['stdout', 'stderr'].entries())
      expect(textOf(notifications, stream)).toBe(
        IN_TURN.filter(i => i % 2 === odd)
          .join('\n')
          .concat('\n'),
      );
    expect(notifications.slice(-2).map(n => n.method)).toEqual(['execution.result', 'execution.completed']);
  });
});
