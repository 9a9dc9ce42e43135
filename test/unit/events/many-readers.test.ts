import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { EventLog } from '../../../src/service/events/event-log.ts';
import type { EventStream } from '../../../src/service/service.ts';
import { settle, standStill } from '../support/clock.ts';
import { openService } from '../support/open-service.ts';
import { prints } from '../support/scripts.ts';

/** Many readers at once, whose sockets take whatever comes, leave the event loop to others in between. */
standStill();

const READERS = 200;
/** Two turns of the readers may fall between two looks, and the last event of each overruns it. */
const MOST_IN_A_TURN = 600 * 1024;

/** Reads all streams to their end; gives the bytes of output read altogether, and in the busiest turn. */
async function readBesides(streams: readonly EventStream[]): Promise<{ all: number; most: number }> {
  let now = 0;
  let [all, most] = [0, 0];
  const reading = Promise.all(
    streams.map(async stream => {
      for await (const { params } of stream) now += 'text' in params ? (params.text?.length ?? 0) : 0;
      return 'read';
    }),
  );
  while ((await Promise.race([reading, turn('turn')])) === 'turn') {
    all += now;
    most = Math.max(most, now);
    now = 0;
  }
  return { all: all + now, most };
}

test('of one log', async () => {
  const log = new EventLog(1_000_000);
  const origin = { executionId: 'e', sessionId: 's', commandId: 'c', stream: 'stdout' } as const;
  for (let i = 0; i < 20; i++) log.append('execution.output', { ...origin, text: 'x'.repeat(10_000) });
  const streams = Array.from({ length: READERS }, () => log.read(0, new AbortController().signal));
  log.end();
  const { all, most } = await readBesides(streams);
  expect(all).toBe(READERS * 200_000);
  expect(most).toBeLessThan(MOST_IN_A_TURN);
});

test('of a run that has ended', async () => {
  const { run, service, call } = openService({ script: prints('x'.repeat(30_000)) });
  const { executionId } = await run();
  await settle();
  const opened = Array.from({ length: READERS }, () => service.executions.events(executionId, call(), 0));
  const { all, most } = await readBesides(await Promise.all(opened));
  expect(all).toBe(READERS * 30_000);
  expect(most).toBeLessThan(MOST_IN_A_TURN);
});
