import { setTimeout } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Sandbox } from '../../../routes/e2b/sandboxes.ts';
import { Watchers } from '../../../routes/e2b/watchers.ts';
import type { FileEvent } from '../../../src/schemas/file-events.ts';
import { LIMITS } from '../../../src/schemas/limits.ts';
import type { Call } from '../../../src/service/call.ts';
import type { Service } from '../../../src/service/service.ts';

type Tell = (event: FileEvent) => void | Promise<void>;
let sandbox: Sandbox;
beforeEach(() => {
  sandbox = { id: 'a sandbox' } as Sandbox;
});
const call = { signal: new AbortController().signal } as Call;
const wish = { path: '/home/user', recursive: false, includeEntry: true };

/** Watchers of a service whose events the test tells; `path` is that of each entry. */
function open(path = '/home/user/f') {
  const tells: Tell[] = [];
  const entry = { path, size: 0, mode: 0o644, modifiedAt: 0n, target: null, metadata: {} };
  const describeEntry = async (_: string, at: string) => ({
    ...entry,
    type: at === '/home/user' ? 'directory' : 'file',
  });
  const service = {
    entries: { describe: describeEntry },
    watches: {
      open: async (_wish: object, _call: Call, onEvent: Tell) => {
        tells.push(onEvent);
        return { watchId: `watch ${tells.length}`, start() {} };
      },
    },
  } as unknown as Service;
  return { watchers: new Watchers(service), tells };
}
const event = (type: string) => ({ params: { type, path: '/workspace/f' } }) as unknown as FileEvent;

/** Tells so many events one after the other, as the service does; resolves to how many were taken before one had to wait. */
async function flood(tell: Tell, most: number): Promise<number> {
  for (let i = 0; i < most; i++) {
    const told = Promise.resolve(tell(event('modified'))).then(() => true);
    const later = setTimeout(50, false);
    if (!(await Promise.race([told, later]))) return i + 1;
  }
  return most;
}

describe('events that wait to be asked for', () => {
  it('have a bound in number, and go on when they have been taken', async () => {
    const { watchers, tells } = open();
    const id = await watchers.create(sandbox, wish, call);
    expect(await flood(tells[0]!, 2000)).toBe(1000);
    expect(await watchers.take(sandbox, id)).toHaveLength(1000);
    expect(await flood(tells[0]!, 10)).toBe(10);
  });

  it('have a bound in size', async () => {
    const { watchers, tells } = open(`/home/user/${'x'.repeat(4000)}`);
    await watchers.create(sandbox, wish, call);
    expect(await flood(tells[0]!, 1000)).toBeLessThan(64);
  });

  it('are nobody’s once their watcher is removed, and hold up nothing', async () => {
    const { watchers, tells } = open();
    const id = await watchers.create(sandbox, wish, call);
    await flood(tells[0]!, 2000);
    watchers.remove(sandbox, id);
    expect(await flood(tells[0]!, 10)).toBe(10);
    await expect(watchers.take(sandbox, id)).rejects.toThrow(/not found/);
  });
});

describe('who asks for events', () => {
  it('is told of those that come in a moment', async () => {
    const { watchers, tells } = open();
    const id = await watchers.create(sandbox, wish, call);
    const taken = watchers.take(sandbox, id);
    // Timers fire in the order that they are due: this one before those of who waits.
    for (let i = 0; i < 3; i++) {
      await setTimeout(5);
      await tells[0]!(event('modified'));
    }
    expect(await taken).toHaveLength(3);
    expect(await watchers.take(sandbox, id)).toEqual([]);
  });

  it('is answered when there will be no more, or the watcher is removed', async () => {
    const { watchers, tells } = open();
    const [ended, removed] = [
      await watchers.create(sandbox, wish, call),
      await watchers.create(sandbox, wish, call),
    ];
    const both = Promise.allSettled([watchers.take(sandbox, ended), watchers.take(sandbox, removed)]);
    await tells[0]!(event('ended'));
    watchers.remove(sandbox, removed);
    expect(await both).toMatchObject([{ reason: { code: 'unavailable' } }, { value: [] }]);
  });
});

describe('watchers', () => {
  it('that are made at once are all there', async () => {
    const { watchers } = open();
    const made = await Promise.all([1, 2, 3].map(() => watchers.create(sandbox, wish, call)));
    const taken = await Promise.all(made.map(id => watchers.take(sandbox, id)));
    expect(taken).toEqual([[], [], []]);
  });

  it('that have ended with their directory and were not asked again count among those of their sandbox', async () => {
    const { watchers, tells } = open();
    const ids: string[] = [];
    for (let i = 0; i < LIMITS.watches; i++) {
      ids.push(await watchers.create(sandbox, wish, call));
      await tells[i]!(event('ended'));
    }
    await expect(watchers.create(sandbox, wish, call)).rejects.toMatchObject({ code: 'resource_exhausted' });
    await expect(watchers.take(sandbox, ids[0]!)).rejects.toMatchObject({ code: 'unavailable' });
    await watchers.create(sandbox, wish, call);
    await watchers.create({ id: 'another' } as Sandbox, wish, call);
  });
});
