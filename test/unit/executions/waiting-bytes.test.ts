import { expect, test } from 'vitest';
import { settle, standStill } from '../support/clock.ts';
import { openService } from '../support/open-service.ts';
import { byName, ends, runsOn } from '../support/scripts.ts';

/** What waits for a slot is bounded in bytes, and nobody takes all of them. */
standStill();

test('a client whose large runs wait leaves room to the next, and has it again when they have gone', async () => {
  const script = byName({ python3: runsOn, other: ends() });
  const { start, service, call } = openService({ script, settings: { maxConcurrency: 2, maxQueue: 1000 } });
  const large = { code: 'pass', stdin: 'x'.repeat(30 * 1024 * 1024) };
  const mine = { client: 'a', owner: 'a' };
  const ids: string[] = [];
  const refused = { code: 'QUEUE_FULL', message: expect.stringContaining('Too much is waiting') };
  for (let i = 0; i < 2; i++) ids.push(await start({}, mine));
  await settle();
  await expect(
    (async () => {
      for (let i = 0; i < 12; i++) ids.push(await start(large, mine));
    })(),
  ).rejects.toMatchObject(refused);
  expect(ids.length).toBeGreaterThan(6);
  await start({ ...large, code: '1' }, { client: 'b', owner: 'b' });
  for (const id of ids.splice(2)) await service.executions.cancel(id, call(mine));
  await start(large, mine);
});
