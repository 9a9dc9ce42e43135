import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { Sandbox } from '../../../routes/e2b/sandboxes.ts';
import { Streams } from '../../../routes/e2b/streams.ts';

const owned = (owner: string | null) =>
  Array.from({ length: 17 }, (_, i) => ({ id: `${owner} ${i}`, owner }) as Sandbox);
const sandboxes = owned(null);

/** Streams whose answers go nowhere, and end when the test says so. */
function open() {
  const streams = new Streams();
  const begun: AbortSignal[] = [];
  const start = async (sandbox: Sandbox, { destroyed = false, fails = false } = {}) => {
    const raw = Object.assign(new EventEmitter(), { destroyed });
    const reply = { raw, send: () => reply };
    await streams.send(reply as never, sandbox, async over => {
      begun.push(over);
      if (fails) throw new Error('it could not begin');
      return (async function* () {})();
    });
    return () => void raw.emit('close');
  };
  return { start, begun };
}

const TOO_MANY = { code: 'QUEUE_FULL' };

describe('streams', () => {
  it('are so many of one sandbox, and of all', async () => {
    const { start } = open();
    const ends: (() => void)[] = [];
    for (const sandbox of sandboxes.slice(0, 16)) {
      for (let i = 0; i < 128; i++) ends.push(await start(sandbox));
      await expect(start(sandbox)).rejects.toMatchObject(TOO_MANY);
    }
    // Of this one there are none yet.
    await expect(start(sandboxes[16]!)).rejects.toMatchObject(TOO_MANY);
    ends[0]!();
    await start(sandboxes[16]!);
    await expect(start(sandboxes[16]!)).rejects.toMatchObject(TOO_MANY);
  });

  it('of one key leave room for another’s', async () => {
    const { start } = open();
    const [ann, bob] = [owned('ann'), owned('bob')];
    for (const sandbox of ann.slice(0, 8)) for (let i = 0; i < 128; i++) await start(sandbox);
    await expect(start(ann[8]!)).rejects.toMatchObject(TOO_MANY);
    await start(bob[0]!);
  });

  it('that end, fail to begin, or whose clients had gone before, leave their places', async () => {
    const { start, begun } = open();
    const [sandbox] = sandboxes;
    for (let i = 0; i < 1000; i++) {
      const end = await start(sandbox!);
      end();
      end();
      await start(sandbox!, { destroyed: true });
      await expect(start(sandbox!, { fails: true })).rejects.toThrow('could not begin');
    }
    expect(begun.every(({ aborted }) => aborted)).toBe(true);
    for (let i = 0; i < 128; i++) await start(sandbox!);
    await expect(start(sandbox!)).rejects.toMatchObject(TOO_MANY);
  });
});
