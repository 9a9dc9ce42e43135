import { describe, expect, it } from 'vitest';
import { standStill } from '../support/clock.ts';
import { openService } from '../support/open-service.ts';
import { byName, cells, ends, prints, runsOn } from '../support/scripts.ts';

standStill();

const SHUTTING_DOWN = { code: 'SHUTTING_DOWN', retryAfter: 1 };
const gate = Promise.withResolvers<void>();
const script = byName({
  sleep: runsOn,
  say: prints('said'),
  kernel: cells({
    waits: async () => void (await gate.promise),
    never: (_, { code }) => new Promise(() => code),
  }),
  other: ends(),
});

describe('a service that is drained', () => {
  it('waits for what was taken before, commands that wait for their turn included', async () => {
    const { service, session } = openService({ script });
    const { cell } = await session();
    const first = cell('waits', {}, { lane: 'a' });
    const second = cell('other', {}, { lane: 'a' });
    let drained = false;
    const draining = service.drain().then(() => {
      drained = true;
    });
    await expect(cell('other', {}, { lane: 'a' })).rejects.toMatchObject(SHUTTING_DOWN);
    await expect(session()).rejects.toMatchObject(SHUTTING_DOWN);
    expect(drained).toBe(false);
    gate.resolve();
    expect(await first).toMatchObject({ success: true });
    expect(await second).toMatchObject({ success: true });
    await draining;
    await service.close();
  });

  it('waits for no program that may run as long as its session', async () => {
    const { service, session } = openService({ script });
    const { shell } = await session();
    await shell('sleep', { background: true });
    await service.drain();
    await service.close();
  });

  it('waits for one that has an end', async () => {
    const { service, session } = openService({ script });
    const { shell, close } = await session();
    await shell('sleep', { background: true, timeout: 60 });
    let drained = false;
    const draining = service.drain().then(() => {
      drained = true;
    });
    await new Promise(resolve => setImmediate(resolve));
    expect(drained).toBe(false);
    await close();
    await draining;
  });

  it('tells what it then cuts off that it did, also what still waits', async () => {
    const { service, session } = openService({ script });
    const { cell, shell } = await session();
    const cut = [
      cell('never', {}, { lane: 'a' }),
      cell('other', {}, { lane: 'a' }),
      shell('sleep', {}, { lane: 'b' }),
    ];
    const told = Promise.all(cut.map(each => each.catch((error: unknown) => error)));
    await new Promise(resolve => setImmediate(resolve));
    await service.close();
    for (const each of await told) expect(each).toMatchObject(SHUTTING_DOWN);
  });
});
