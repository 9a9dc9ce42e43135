import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { settle, standStill } from '../support/clock.ts';
import { openService } from '../support/open-service.ts';
import { prints, runsOn } from '../support/scripts.ts';

standStill();

const LARGE = 'x'.repeat(600_000);

/** Most of the promises that were resolved from one turn of the event loop to the next. */
async function mostAtOnce(promises: readonly Promise<unknown>[]): Promise<number> {
  let now = 0;
  let most = 0;
  for (const promise of promises) void promise.then(() => now++);
  for (let i = 0; i < 30; i++) {
    await turn();
    most = Math.max(most, now);
    now = 0;
  }
  await Promise.all(promises);
  return most;
}

describe('a large result that many ask for at once', () => {
  it('is given to two of them in each turn of the event loop, once it is stored', async () => {
    const { run, service, call } = openService({ script: prints(LARGE) });
    const { executionId } = await run();
    await settle();
    const asked = Array.from({ length: 20 }, () => service.executions.status(executionId, call()));
    expect(await mostAtOnce(asked)).toBe(2);
  });

  it('and so to those that waited for its end', async () => {
    const { start, service, call, runtime } = openService({
      script: async (argv, program) => {
        await prints(LARGE)(argv, program);
        return runsOn(argv, program);
      },
    });
    const id = await start();
    await settle();
    expect(runtime.open).toHaveLength(1);
    const asked = Array.from({ length: 20 }, () => service.executions.cancel(id, call()));
    expect(await mostAtOnce(asked)).toBe(2);
  });

  it('and one who does not wait for it any more is passed over', async () => {
    const { run, service, call } = openService({ script: prints(LARGE) });
    const { executionId } = await run();
    await settle();
    const gone = new AbortController();
    const asked = Array.from({ length: 4 }, (_, i) =>
      service.executions.status(executionId, call(i === 3 ? { signal: gone.signal } : {})),
    );
    gone.abort();
    const ended = await Promise.allSettled(asked);
    expect(ended.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected']);
  });
});
